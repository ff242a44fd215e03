import { median, medianAbsoluteDeviation, sum } from 'simple-statistics';
import {
  isWaiting,
  type Explanation,
  type Profile,
  type ProfiledFunction,
  type ProfileKind,
} from '../session/profile.ts';
import { namesIn, parseFormula } from '../session/formula.ts';
import type { MetricRule } from '../session/metric.ts';
import type { Comparison, Row } from '../verdict/comparison.ts';
import { own } from '../session/record.ts';

/** Why a variant regressed, from a profile of each side. It helps the reader; nothing of it is tested. */

/** A profile to make, and the regressed metrics that it may explain. */
export interface WantedProfile {
  readonly variant: string;
  readonly kind: ProfileKind;
  readonly metrics: readonly string[];
}

/** The kind of profile that can explain a metric; `time` if it is not listed here. */
const KIND_OF: Readonly<Record<string, ProfileKind>> = {
  max_rss_bytes: 'memory',
  memory_peak_bytes: 'memory',
  anonymous_memory_bytes: 'memory',
  page_faults_minor: 'memory',
  startup_time_s: 'imports',
  cpu_time_s: 'cpu',
  user_time_s: 'cpu',
  system_time_s: 'cpu',
  instructions: 'cpu',
  cycles: 'cpu',
  valgrind_instructions: 'cpu',
};

/** Whether a metric of runs regressed: images and builds have no functions. */
const RUN: ReadonlySet<Row['evidence']> = new Set(['paired', 'stored', 'counted']);
const ranWorse = ({ verdict, gated, evidence }: Row) => verdict === 'regressed' && gated && RUN.has(evidence);

/**
 * The profiles that a comparison needs, in the order of its rows; none if nothing regressed. A loss of CPU time
 * explains wall time too. @param metrics the rules: a formula metric is explained by its metrics
 */
export function wantedProfiles(
  { rows }: Comparison,
  metrics: readonly MetricRule[],
): readonly WantedProfile[] {
  const kindOf = (metric: string): ProfileKind => {
    const text = metrics.find(({ name }) => name === metric)?.formula;
    const formula = text === undefined ? undefined : parseFormula(text);
    const kinds = (formula === undefined ? [metric] : namesIn(formula)).map(
      (name) => own(KIND_OF, name) ?? 'time',
    );
    return kinds.find((kind) => kind !== 'time') ?? 'time';
  };
  const worse = rows.filter(ranWorse);
  const wanted = new Map<string, WantedProfile>();
  for (const { variant, metric } of worse) {
    const own = kindOf(metric);
    const burnt = worse.some((row) => row.variant === variant && kindOf(row.metric) === 'cpu');
    const kind = own === 'time' && burnt ? 'cpu' : own;
    const key = `${kind} ${variant}`;
    wanted.set(key, { variant, kind, metrics: [...(wanted.get(key)?.metrics ?? []), metric] });
  }
  return [...wanted.values()];
}

/** A function on both sides. Own values are in the profile's unit. */
export interface FunctionGrowth {
  readonly file: string;
  readonly name: string;
  /** Its first line in the head; in the baseline if the head no longer has it. */
  readonly line: number;
  readonly calls: { readonly baseline: number; readonly head: number };
  readonly own: { readonly baseline: number; readonly head: number };
  /** How much its own value grew, and how much of that is beyond the common factor. */
  readonly growth: number;
  readonly beyond: number;
  /** It grew by more than the common factor and the scatter of the functions explain. */
  readonly standsOut: boolean;
  /** It waits for something (a lock, a child, a socket): the cause of a longer wait is in another function. */
  readonly waits: boolean;
}

export interface Explained {
  /** The sum of all own values of each side. */
  readonly own: { readonly baseline: number; readonly head: number };
  /** The common factor: the ratio of head to baseline of an unchanged function; 1.08 is 8 % more. */
  readonly common: number;
  /** Every function of either side, the largest growth first. */
  readonly functions: readonly FunctionGrowth[];
}

/** Functions with a smaller share of all own values are too noisy for the common factor. */
const SHARE_SEEN = 0.005;
/** With fewer functions there is no common factor, because a function that grew would dominate it. */
const FUNCTIONS_SEEN = 5;
/** The smallest growth to name, as a share of all own values of the baseline. */
const SHARE_NAMED = 0.01;
/**
 * A growth of this share stands out without regard to the scatter, which in a short run comes from small functions.
 * Waiting is excepted.
 */
const SHARE_LARGE = 0.1;
/** Scaled median absolute deviations beyond the common factor that count. */
const SCATTER = 3;
/** The smallest scatter to assume of profiles of one run each. */
const SCATTER_AT_LEAST = 0.05;
/** MAD to standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/**
 * Compares the two profiles. A busier machine, another interpreter or another base makes all functions slower by about
 * the same factor: the median of their ratios. A function stands out if it grew beyond that factor by more than the
 * ratios scatter (three scaled median absolute deviations) or a tenth of the whole, and by at least 1 % of the whole.
 * @returns undefined if a side has no profile
 */
export function explain({ kind, sides }: Explanation): Explained | undefined {
  const { baseline, head } = sides;
  if (baseline === undefined || head === undefined) return undefined;
  const pairs = beside(baseline, head);
  const floor = SHARE_SEEN * Math.max(baseline.own, head.own);
  const ratios = pairs.flatMap(([before, after]) =>
    before === undefined ||
    after === undefined ||
    Math.min(before.own, after.own) < floor ||
    isWaiting(before)
      ? []
      : [Math.log(after.own / before.own)],
  );
  const few = ratios.length < FUNCTIONS_SEEN;
  const common = few ? 1 : Math.exp(median(ratios));
  const scatter = few
    ? SCATTER_AT_LEAST
    : Math.max(SCATTER_AT_LEAST, SCATTER * MAD_SCALE * medianAbsoluteDeviation(ratios));
  return {
    own: { baseline: baseline.own, head: head.own },
    common,
    functions: pairs
      .map(([before, after]): FunctionGrowth => {
        const { file = '', name = '', line = 0 } = after ?? before ?? {};
        const own = { baseline: before?.own ?? 0, head: after?.own ?? 0 };
        const beyond = own.head - own.baseline * common;
        return {
          file,
          name,
          line,
          calls: { baseline: before?.calls ?? 0, head: after?.calls ?? 0 },
          own,
          growth: own.head - own.baseline,
          beyond,
          standsOut:
            beyond >= SHARE_NAMED * baseline.own &&
            (own.head > own.baseline * common * Math.exp(scatter) ||
              (kind !== 'time' && beyond >= SHARE_LARGE * baseline.own)),
          waits: kind === 'time' && isWaiting({ file, name }),
        };
      })
      .sort((a, b) => b.growth - a.growth),
  };
}

type Sides = readonly [before: ProfiledFunction | undefined, after: ProfiledFunction | undefined];

function beside(baseline: Profile, head: Profile): readonly Sides[] {
  const keyOf = ({ file, name }: ProfiledFunction) => `${file}\0${name}`;
  const before = new Map(baseline.functions.map((one) => [keyOf(one), one]));
  const after = new Map(head.functions.map((one) => [keyOf(one), one]));
  return [...new Set([...before.keys(), ...after.keys()])].map((key) => [before.get(key), after.get(key)]);
}

/**
 * The named functions must explain at least this share of the total growth, because another interpreter slows some
 * functions more than others.
 */
const SHARE_EXPLAINED = 0.25;

/** A function is left out if another one grew by so much more. */
const SHARE_BESIDE = 0.1;

/**
 * The functions to name as the cause, the largest growth first; none if the loss is spread over all. Waiting functions
 * are named only if no working function explains the loss, because more work in one thread makes others wait.
 */
export function prominentFunctions({ functions }: Explained): readonly FunctionGrowth[] {
  for (const some of [functions.filter(({ waits }) => !waits), functions]) {
    const named = some.filter(({ standsOut }) => standsOut);
    const grown = sum(some.map(({ growth }) => growth));
    const most = Math.max(0, ...named.map(({ beyond }) => beyond));
    if (named.length > 0 && sum(named.map(({ beyond }) => beyond)) >= SHARE_EXPLAINED * grown)
      return named.filter(({ beyond }) => beyond >= SHARE_BESIDE * most);
  }
  return [];
}
