import { namesOf, type DeclaredMetrics } from './declared.ts';
import { BUILT_IN_METRICS, METRIC_NAME, unitOfName, type MetricPattern, type MetricRule } from './metric.ts';
import type { Rules } from './rules.ts';
import { matchesPattern } from './name-pattern.ts';
import { own } from './record.ts';
import { SIDES, type Side } from './run.ts';
import type { Session } from './session.ts';

/**
 * Patterns under `metrics` (`test_*`), which stand for the metrics that a workload reports of itself.
 *
 * Which these are is read from the warm-up and from nothing later, so the family of tests is fixed before the first
 * measured block, and a session's file, which has its warm-up, says the same again.
 */

/** What each side of each variant reported; a side that was to run and did not end well has reported nothing. */
export type Reported = ReadonlyMap<string, Readonly<Partial<Record<Side, ReadonlySet<string>>>>>;

/** What the base's own measuring code reports in a variant; undefined where it was not tried. */
export type ReportedByBase = (variant: string) => ReadonlySet<string> | undefined;

/** More names than these are not a suite; every one of them makes all others harder to find. */
export const MOST_OF_A_PATTERN = 500;

/** What the warm-up of a session reported, of the sides that there was an image of. */
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

/** What a pattern stands for: name to variants. */
export interface Matches {
  readonly pattern: MetricPattern;
  readonly variants: ReadonlyMap<string, readonly string[]>;
}

/**
 * Gives every name to the first pattern of the file that it matches; one with a rule of its own is no pattern's.
 * @param declared the other names of a benchmark, by which a pattern may know it too
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

/** A metric that a pattern stands for. */
export interface Standing {
  readonly name: string;
  /** Where every side reported it, and where of these the base's measuring code does not. */
  readonly variants: readonly string[];
  readonly added: readonly string[];
}

/**
 * What of a pattern's matches is judged. More than a suite has are none; but what a change adds must not undo the
 * judgement of what its base has: together too many, the base's alone are judged.
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

/** Whether the base's measuring code reports a metric in no variant: it is in no family of the base's. */
export const isNewMetric = ({ pattern }: MetricRule): boolean =>
  pattern !== undefined && pattern.variants.length > 0 && pattern.added?.length === pattern.variants.length;

/** Whether what a change adds is judged here: a benchmark that the base's measuring code does not report. */
export const isAddedIn = ({ pattern }: MetricRule, variant: string): boolean =>
  pattern?.added?.includes(variant) === true;

/**
 * The rules with one for each metric that a pattern stands for.
 *
 * A pattern that is judged and stands for nothing in a variant leaves a rule of its own name there: what was asked for
 * and is not there must show as `no_data`, or `failed` where the head died, and never be silently green.
 *
 * @param declared what the workload says of its own metrics, for what the pattern leaves open
 * @param ofBase tells what a change adds, which is a family of its own
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
  { pattern, unit, better, gate, limit }: MetricPattern,
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
    kind: 'paired',
    pattern: {
      text: pattern,
      variants: [...variants],
      added: added.length === 0 ? undefined : [...added],
    },
  };
}

/** Variants in which nothing that matches is judged, be it by this pattern, one before it or a name of its own. */
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

/** Whether a metric is judged in a variant: one of a pattern only where every side reported it. */
export const isJudgedIn = ({ gate, pattern }: MetricRule, variant: string): boolean =>
  gate && (pattern === undefined || pattern.variants.includes(variant));

/** Whether a rule is that of a pattern which stands for nothing. */
export const standsForNothing = ({ name, pattern }: MetricRule): boolean => name === pattern?.text;
