import { namesOf, type DeclaredMetrics } from './declared.ts';
import { BUILT_IN_METRICS, METRIC_NAME, unitOfName, type MetricPattern, type MetricRule } from './metric.ts';
import type { Rules } from './rules.ts';
import { matchesPattern } from './name-pattern.ts';
import { own } from './record.ts';
import { SIDES, type Side } from './run.ts';
import type { Session } from './session.ts';

/**
 * Patterns under `metrics` (`test_*`), which apply to the metrics that a workload reports. Only the warm-up decides
 * which metrics these are, so the family of tests is fixed before the first measured block. A session's file contains
 * its warm-up and gives the same family.
 */

/** What each side of each variant reported; a side whose run failed has reported nothing. */
export type Reported = ReadonlyMap<string, Readonly<Partial<Record<Side, ReadonlySet<string>>>>>;

/** What the base's own measuring code reports in a variant; undefined if it was not tried. */
export type ReportedByBase = (variant: string) => ReadonlySet<string> | undefined;

/** More names than these are refused: each additional test lowers the power of all others. */
export const MOST_OF_A_PATTERN = 500;

/** What the warm-up of a session reported, for the sides that have an image. */
export const reportedIn = ({
  variants,
  images,
  warmup,
}: Pick<Session, 'variants' | 'images' | 'warmup'>): Reported =>
  reportedBy(
    variants,
    (variant, side) => images.some((image) => image.variant === variant && image.side === side),
    warmup.filter(({ outcome }) => outcome === 'ok'),
  );

/** What runs reported. @param expected the sides of a variant that were to run */
export function reportedBy(
  variants: readonly string[],
  expected: (variant: string, side: Side) => boolean,
  runs: readonly {
    readonly variant: string;
    readonly side: Side;
    readonly metrics: Readonly<Record<string, number>>;
  }[],
): Reported {
  const found = new Map<string, Partial<Record<Side, Set<string>>>>(
    variants.map((variant) => [
      variant,
      Object.fromEntries(
        SIDES.filter((side) => expected(variant, side)).map((side) => [side, new Set<string>()]),
      ),
    ]),
  );
  for (const { variant, side, metrics } of runs) {
    const names = found.get(variant)?.[side];
    if (names === undefined) continue;
    for (const name of Object.keys(metrics))
      if (METRIC_NAME.test(name) && !BUILT_IN.has(name)) names.add(name);
  }
  return found;
}

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_METRICS.map(({ name }) => name));

/** The metrics that a pattern matches: name to variants. */
export interface Matches {
  readonly pattern: MetricPattern;
  readonly variants: ReadonlyMap<string, readonly string[]>;
}

/**
 * Assigns every name to the first pattern of the file that matches it, except names with a rule of their own.
 * @param declared the other names of a benchmark, which a pattern may match too
 * @param sides `all`: names that every side of a variant reported; `one`: those that one of two did not
 */
export function matchesOf(
  { metrics, patterns = [] }: Pick<Rules, 'metrics' | 'patterns'>,
  reported: Reported,
  declared: DeclaredMetrics,
  sides: 'all' | 'one' = 'all',
): readonly Matches[] {
  const named = new Set(metrics.filter(({ pattern }) => pattern === undefined).map(({ name }) => name));
  const found = patterns.map((pattern) => ({ pattern, variants: new Map<string, string[]>() }));
  for (const [variant, bySide] of reported) {
    const sets = SIDES.flatMap((side) => bySide[side] ?? []);
    for (const name of new Set(sets.flatMap((names) => [...names]))) {
      if (named.has(name) || sets.every((names) => names.has(name)) !== (sides === 'all')) continue;
      const names = namesOf(name, declared);
      const first = found.find(({ pattern }) => names.some((one) => matchesPattern(pattern.pattern, one)));
      if (first === undefined) continue;
      const before = first.variants.get(name);
      if (before === undefined) first.variants.set(name, [variant]);
      else before.push(variant);
    }
  }
  return found;
}

/** A metric that a pattern matches. */
export interface Standing {
  readonly name: string;
  /** The variants in which every side reported it, and those among them in which the base's measuring code does not. */
  readonly variants: readonly string[];
  readonly added: readonly string[];
}

/**
 * Which of a pattern's matches are judged. Too many matches are not judged at all. Benchmarks that a change adds must
 * not prevent that those of its base are judged: if both together are too many, only the base's are judged.
 */
export function standingOf(
  { variants }: Matches,
  ofBase: ReportedByBase,
): { readonly judged: readonly Standing[]; readonly leftOut: number } {
  const all = [...variants].map(([name, own]): Standing => {
    const added = own.filter((variant) => ofBase(variant)?.has(name) === false);
    return { name, variants: own, added };
  });
  if (all.length <= MOST_OF_A_PATTERN) return { judged: all, leftOut: 0 };
  const known = all.filter((one) => !isNew(one));
  const judged = known.length === all.length || known.length > MOST_OF_A_PATTERN ? [] : known;
  return { judged, leftOut: all.length - judged.length };
}

const isNew = ({ variants, added }: Standing) => added.length === variants.length;

/** Whether the base's measuring code reports a metric in no variant, so that it is not in the base's family. */
export const isNewMetric = ({ pattern }: MetricRule): boolean =>
  pattern !== undefined && pattern.variants.length > 0 && pattern.added?.length === pattern.variants.length;

/**
 * Whether the metric is judged in this variant as an addition of the change: the base's measuring code does not report
 * it.
 */
export const isAddedIn = ({ pattern }: MetricRule, variant: string): boolean =>
  pattern?.added?.includes(variant) === true;

/**
 * The rules, with one for each metric that a pattern matches. A judged pattern that matches nothing in a variant keeps
 * a rule under its own name there, so that the missing metric shows as `no_data`, or as `failed` if the head died, and
 * never passes silently.
 *
 * @param declared what the workload declares about its metrics, where the pattern sets nothing @param ofBase what the
 * base's code reports: other metrics are additions and form a family of their own
 */
export function withPatterns(
  rules: Rules,
  reported: Reported,
  declared: DeclaredMetrics,
  ofBase: ReportedByBase = () => undefined,
): Rules {
  const { patterns = [] } = rules;
  if (patterns.length === 0) return rules;
  const named = rules.metrics.filter(({ pattern }) => pattern === undefined);
  const standing = matchesOf(rules, reported, declared).flatMap((matches) =>
    standingOf(matches, ofBase).judged.map((one) => ruleOf(matches.pattern, one, declared)),
  );
  const empty = patterns.flatMap((pattern) => {
    const variants = pattern.gate ? variantsWithout(pattern, reported, declared, standing, named) : [];
    return variants.length === 0 ? [] : [ruleOf(pattern, { name: pattern.pattern, variants, added: [] }, {})];
  });
  return { ...rules, metrics: [...named, ...standing, ...empty] };
}

function ruleOf(
  { pattern, unit, better, gate, limit, warn, max, min }: MetricPattern,
  { name, variants, added }: Standing,
  declared: DeclaredMetrics,
): MetricRule {
  const said = own(declared, name);
  return {
    name,
    unit: unit ?? said?.unit ?? unitOfName(name),
    better: better ?? said?.better ?? 'lower',
    gate,
    limit,
    warn,
    max,
    min,
    kind: 'paired',
    pattern: {
      text: pattern,
      variants: [...variants],
      added: added.length === 0 ? undefined : [...added],
    },
  };
}

/** Variants in which no matching metric is judged, by this pattern, an earlier one or a rule of its own. */
function variantsWithout(
  { pattern }: MetricPattern,
  reported: Reported,
  declared: DeclaredMetrics,
  standing: readonly MetricRule[],
  named: readonly MetricRule[],
): string[] {
  const ruled = named.map(({ name }) => name);
  return [...reported].flatMap(([variant, bySide]) => {
    const sets = SIDES.flatMap((side) => bySide[side] ?? []);
    const matched = (name: string) => namesOf(name, declared).some((one) => matchesPattern(pattern, one));
    const there =
      standing.some((rule) => matched(rule.name) && rule.pattern?.variants.includes(variant) === true) ||
      ruled.some((name) => matched(name) && sets.length > 0 && sets.every((names) => names.has(name)));
    return there ? [] : [variant];
  });
}

/** Whether a metric is judged in a variant. One that a pattern matches is judged only if every side reported it. */
export const isJudgedIn = ({ gate, pattern }: MetricRule, variant: string): boolean =>
  gate && (pattern === undefined || pattern.variants.includes(variant));

/** Whether a rule is that of a pattern that matches nothing. */
export const matchesNothing = ({ name, pattern }: MetricRule): boolean => name === pattern?.text;
