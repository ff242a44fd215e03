import { DESCRIBED_METRICS, type MetricRule } from '../session/metric.ts';
import { isJudgedIn } from '../session/patterns.ts';
import type { Failure, Session } from '../session/session.ts';

/** Built-in metrics, and formulas that use them, may need more than one short run, so they may still come. */
const MAY_COME = new Set(DESCRIBED_METRICS.map(({ name }) => name));

/**
 * Variants whose warm-up has no value of a judged metric on any side. Blocks could not judge them, so this is reported
 * before the first block.
 */
export function unreported(
  session: Pick<Session, 'variants' | 'rules' | 'warmup' | 'sides'>,
): readonly Failure[] {
  const { variants, rules, warmup } = session;
  return variants.flatMap((variant) => {
    const own = warmup.filter((run) => run.variant === variant && run.outcome === 'ok');
    if (own.length === 0) return [];
    const reported = new Set(own.flatMap(({ metrics }) => Object.keys(metrics)));
    const missing = rules.metrics.filter((rule) => isJudgedIn(rule, variant) && mustBeThere(rule, reported));
    if (missing.length === 0) return [];
    const names = missing.map(({ name }) => name).join(', ');
    const said = [...reported].filter((name) => !MAY_COME.has(name)).sort();
    const meant = missing.flatMap(({ name }) => nearest(name, [...reported]));
    return [
      {
        variant,
        side: 'head' as const,
        stage: 'metrics' as const,
        message: [
          `${variant}: the configuration judges ${names}, but no run of the warm-up reported it${
            meant.length === 0 ? '' : ` (did you mean ${meant.join(', ')}?)`
          }`,
          `The workload reported: ${said.length === 0 ? 'nothing' : said.slice(0, 20).join(', ')}${
            said.length > 20 ? ` and ${said.length - 20} more` : ''
          }.`,
          'Let the workload report it (docs/workloads.md, "Business metrics"), correct the name under metrics, or set gate: false for it.',
        ].join('\n'),
      },
    ];
  });
}

const mustBeThere = (rule: MetricRule, reported: ReadonlySet<string>): boolean =>
  !MAY_COME.has(rule.name) &&
  rule.formula === undefined &&
  rule.pattern === undefined &&
  !rule.name.includes('*') &&
  rule.kind === 'paired' &&
  !reported.has(rule.name);

/** The closest name, if at most a third of its letters differ. */
function nearest(name: string, names: readonly string[]): readonly string[] {
  const [best] = names
    .map((other) => ({ other, distance: distance(name, other) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.ceil(name.length / 3) ? [best.other] : [];
}

/** Levenshtein's distance: letters to insert, delete or replace. Names have at most 63 letters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
