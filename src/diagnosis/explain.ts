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

/** Why a variant regressed, as far as a profile of each side can show it. Help for a reader: nothing of it is tested. */

/** A profile that is wanted, and the regressed metrics that it may explain. */
export interface WantedProfile {
  readonly variant: string;
  readonly kind: ProfileKind;
  readonly metrics: readonly string[];
}

/** By which profile a metric can be explained; by time where none is named here. */
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

/** What is measured of runs regressed: images and their building have no functions. */
const RUN: ReadonlySet<Row['evidence']> = new Set(['paired', 'stored', 'counted']);
const ranWorse = ({ verdict, gated, evidence }: Row) => verdict === 'regressed' && gated && RUN.has(evidence);

/**
 * The profiles that a comparison asks for, in the order of its rows; none where nothing regressed. Where the processor has
 * more to do, that explains the time too.
 * @param metrics the rules: a hybrid is explained as its parts are
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

/** A function beside itself. Own figures in the profile's unit; calls as in the profile. */
export interface FunctionGrowth {
  readonly file: string;
  readonly name: string;
  /** Where it begins in the head; in the baseline where the head has it no more. */
  readonly line: number;
  readonly calls: { readonly baseline: number; readonly head: number };
  readonly own: { readonly baseline: number; readonly head: number };
  /** How much its own figure grew, and how much of that is beyond what all functions have in common. */
  readonly growth: number;
  readonly beyond: number;
  /** It grew by more than all functions did, and by more than they scatter. */
  readonly standsOut: boolean;
  /** It waits for something (a lock, a child, a socket): what made it wait longer stands elsewhere. */
  readonly waits: boolean;
}

export interface Explained {
  /** All own figures of each side. */
  readonly own: { readonly baseline: number; readonly head: number };
  /** What a function of the head takes of what it took before, where nothing of it changed: 1.08 is 8 % more. */
  readonly common: number;
  /** Every function of either side, the largest growth first. */
  readonly functions: readonly FunctionGrowth[];
}

/** A function with less of all own figures says little about what all functions do. */
const SHARE_SEEN = 0.005;
/** Fewer functions than these have nothing in common: one that grew would be the measure of itself. */
const FUNCTIONS_SEEN = 5;
/** The growth that is worth naming, of all own figures before: under cProfile the whole is several times what it is without. */
const SHARE_NAMED = 0.01;
/** What is so large needs no scatter to be told by, which in a short run is that of small functions; but waiting can be so long. */
const SHARE_LARGE = 0.1;
/** Scaled median absolute deviations beyond the common factor; profiles of one run each scatter. */
const SCATTER = 3;
/** A profile of one run each is not closer than this, however alike the functions are. */
const SCATTER_AT_LEAST = 0.05;
/** MAD to standard deviation of a normal distribution. */
const MAD_SCALE = 1.4826;

/**
 * Sets the two profiles beside each other.
 *
 * A busier machine, another interpreter or another base makes every function take longer by about the same factor: that is
 * the median of their ratios. A function stands out where it grew beyond that factor by more than the ratios scatter (three
 * scaled median absolute deviations) or a tenth of the whole, and by at least 1 % of the whole.
 *
 * @returns undefined where a side has no profile
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

/** What is named has to explain so much of what all functions grew by: another interpreter slows some more than others. */
const SHARE_EXPLAINED = 0.25;

/** Beside a cause that is so much larger another is as likely chance. */
const SHARE_BESIDE = 0.1;

/**
 * What to name as the cause, the largest growth first; nothing where the loss is spread over all. What waits is named only
 * where nothing that works explains it: more work in one thread makes others wait.
 */
export function standingOut({ functions }: Explained): readonly FunctionGrowth[] {
  for (const some of [functions.filter(({ waits }) => !waits), functions]) {
    const named = some.filter(({ standsOut }) => standsOut);
    const grown = sum(some.map(({ growth }) => growth));
    const most = Math.max(0, ...named.map(({ beyond }) => beyond));
    if (named.length > 0 && sum(named.map(({ beyond }) => beyond)) >= SHARE_EXPLAINED * grown)
      return named.filter(({ beyond }) => beyond >= SHARE_BESIDE * most);
  }
  return [];
}
