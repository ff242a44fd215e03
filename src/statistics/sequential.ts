import { centreOf } from './hodges-lehmann.ts';
import { holm } from './holm.ts';
import type { Look, Method } from './looks.ts';
import { signedRank } from './signed-rank.ts';
import { weighedLook } from './weighted-signs.ts';

/** Confidence of every shown interval. */
export const CONFIDENCE = 0.95;
/**
 * The confidence with which an interval is computed so that it covers the true change in 95 % of cases, although the
 * data decide at which look a row stops. With 0.95 it covered 93.0 % of rows that were worse by 5 % with a noise of
 * 5 %, and 92.6 % of those worse by 3 % under the strict profile; with 0.96 it covered 93.9 and 93.8 %.
 * `benchmarks/gate/REPORT.md` has the current coverage.
 */
const CONFIDENCE_AFTER_LOOKS = 0.97;

/** What the interval of a row is made with. @param looks how many looks the row's schedule has */
export const confidenceAfter = (looks: number): number => (looks > 1 ? CONFIDENCE_AFTER_LOOKS : CONFIDENCE);

/**
 * The decision of a family of rows, looked at several times.
 *
 * Each row (a variant's metric) is tested at its looks with an exact test: signed ranks or weighted signs (`METHODS`).
 * The p of a direction is the smallest p_k / w_k over the looks so far, and Holm's adjustment holds it to alpha over the
 * whole family. A row is decided at the first look that decides it, and later pairs do not change it. So the same
 * function gives the verdict of the running session and that of its file.
 */
export interface RowSeries {
  /** Logarithms of head / baseline in the direction of worse, in the order of the blocks. */
  readonly worse: ArrayLike<number>;
  /** Mean of the two logarithms of each pair, towards worse; if absent, all pairs are equally good. */
  readonly levels?: Float64Array | undefined;
  /** The smallest change that counts, a fraction (0.03 is 3 %). */
  readonly limit: number;
  /** A smaller loss that gives a warning, a fraction below the limit; if absent, no loss does. */
  readonly warn?: number | undefined;
  /** Increasing block numbers of the values; 1, 2, 3… by default. They order the looks of several variants. */
  readonly at?: ArrayLike<number>;
  /** The row's looks, if they differ from the family's. */
  readonly looks?: readonly Look[];
}

/** A row of the family that was tested once, without pairs. */
export interface SingleTest {
  readonly limit: number;
  readonly warn?: number | undefined;
  readonly test: {
    /** Logarithm of the effect towards worse. */
    readonly worseBy: number;
    readonly pWorse: number;
    readonly pBetter: number;
    /** p against "worse by `margin` or more", and against "better by `margin` or more". */
    pNotWorse(margin: number): number;
    pNotBetter(margin: number): number;
  };
}

export interface FamilyRules {
  /** One-sided, for the whole family, each direction by itself. */
  readonly alpha: number;
  readonly looks: readonly Look[];
  /** Size of the family; planned rows without data count as p = 1. */
  readonly tests: number;
  /**
   * True if several jobs measure the family without knowing each other's figures. A row is then decided by alpha /
   * tests alone; Holm's correction applies when the jobs are merged.
   */
  readonly sharded?: boolean;
  /** Version of the rule; signed ranks by default. */
  readonly method?: Method | undefined;
}

export interface RowOutcome {
  readonly decision: 'regressed' | 'improved' | 'warning' | 'unchanged' | 'undecided';
  /** Pairs used: those of the look that decided the row, or of its last look; 0 without any look. */
  readonly blocks: number;
  /** Estimate of the effect towards worse at that look, a logarithm; NaN without any look. */
  readonly centre: number;
  /** Smallest p_k / w_k over the looks used, at most 1. */
  readonly pWorse: number;
  readonly pBetter: number;
  readonly pWorseAdjusted: number;
  readonly pBetterAdjusted: number;
}

/** `unchanged` rules out changes of this multiple of the limit. */
export const MARGIN = 5 / 3;

interface State {
  readonly counts: number;
  readonly margin: number;
  /** The loss from which a row is not unchanged: that of the warning, or of the limit. */
  readonly warns: number;
  readonly warnMargin: number;
  blocks: number;
  /** Computed only if a decision needs it, because it takes time. */
  centre: number | undefined;
  /** What computes it; signed ranks have one way for all rows. */
  findCentre: (() => number) | undefined;
  /** Whether the interval at the last look excludes zero on its lower side, and on its upper one. */
  above: boolean;
  below: boolean;
  /** Whether both equivalence tests passed at the last look. */
  equivalent: boolean;
  /** Whether the test against a loss of 5/3 of the limit passed at the last look; only used for a warning. */
  bounded: boolean;
  pWorse: number;
  pBetter: number;
  decision: RowOutcome['decision'];
}

/**
 * Decides every row of a family.
 *
 * With L the row's limit and M = 5/3 L, in logarithms so that both directions mirror each other, at each look:
 *
 *   improved        unchanged         regressed
 *   <=====-L----(------0------)----+L=======>       estimate
 *        -M [=====interval=====] +M                 both tests against +-M
 *
 * - regressed: adjusted p <= alpha and estimate >= L, and by weighted signs an interval above zero; improved: the mirror
 *   image
 * - unchanged: both one-sided tests against +-M at the look's share of alpha, and |estimate| < L; by weighted signs an interval within
 *   +-M
 * - warning, with a smaller loss W: adjusted p <= alpha, W <= estimate < L, an interval above zero, and the test against
 *   +M passes. `unchanged` then needs an estimate below W and the test against 5/3 W in the place of +M
 * - undecided: none of these, at the last look so far
 *
 * @param rows values must be finite
 * @returns the outcomes in the order of the rows
 * @throws RangeError for a value that is not finite, or a family smaller than its rows
 */
export function judgeFamily(rows: readonly (RowSeries | SingleTest)[], rules: FamilyRules): RowOutcome[] {
  const states = rows.map(({ limit, warn = limit }): State => ({
    counts: Math.log1p(limit),
    margin: Math.log1p(MARGIN * limit),
    warns: Math.log1p(warn),
    warnMargin: Math.log1p(MARGIN * warn),
    blocks: 0,
    centre: undefined,
    findCentre: undefined,
    above: true,
    below: true,
    equivalent: false,
    bounded: false,
    pWorse: 1,
    pBetter: 1,
    decision: 'undecided',
  }));
  for (const due of timeline(rows, rules)) {
    for (const { row, look, looks } of due) {
      const [state, data] = [states[row], rows[row]];
      if (state === undefined || data === undefined || state.decision !== 'undecided') continue;
      if ('test' in data) testOnce(state, data, rules.alpha);
      else if ((rules.method ?? 1) === 1) testLook(state, data, look, rules.alpha / looks);
      else weighLook(state, data, look, looks, rules.alpha);
    }
    decideRows(states, rows, rules, rules.sharded === true ? 'bonferroni' : 'holm');
  }
  if (rules.sharded === true) decideRows(states, rows, rules, 'holm');
  const worse = adjusted(states, ({ pWorse }) => pWorse, rules.tests);
  const better = adjusted(states, ({ pBetter }) => pBetter, rules.tests);
  return states.map((state, index) => ({
    decision: state.decision,
    blocks: state.blocks,
    centre: centreAt(state, rows[index]),
    pWorse: state.pWorse,
    pBetter: state.pBetter,
    pWorseAdjusted: worse[index] ?? 1,
    pBetterAdjusted: better[index] ?? 1,
  }));
}

interface Due {
  readonly row: number;
  readonly look: Look;
  /** The number of looks in the row's schedule. */
  readonly looks: number;
}

const ONLY_LOOK: Look = { blocks: 0, weight: 1 };

/** The looks in the order of their blocks; looks at the same block are one group. */
function timeline(
  rows: readonly (RowSeries | SingleTest)[],
  rules: FamilyRules,
): readonly (readonly Due[])[] {
  const byBlock = new Map<number, Due[]>();
  for (const [row, data] of rows.entries()) {
    const looks = 'test' in data ? [ONLY_LOOK] : (data.looks ?? rules.looks);
    for (const look of looks) {
      if ('worse' in data && look.blocks > data.worse.length) break;
      const block = 'worse' in data && data.at !== undefined ? (data.at[look.blocks - 1] ?? 0) : look.blocks;
      const due = byBlock.get(block);
      if (due === undefined) byBlock.set(block, [{ row, look, looks: looks.length }]);
      else due.push({ row, look, looks: looks.length });
    }
  }
  return [...byBlock].sort(([a], [b]) => a - b).map(([, due]) => due);
}

function testLook(state: State, { worse }: RowSeries, { blocks, weight }: Look, level: number): void {
  state.blocks = blocks;
  state.centre = undefined;
  if (weight > 0) {
    const { greater, less } = signedRank(worse, 0, blocks);
    state.pWorse = Math.min(state.pWorse, greater / weight);
    state.pBetter = Math.min(state.pBetter, less / weight);
  }
  state.bounded = signedRank(worse, state.margin, blocks).less <= level;
  state.equivalent =
    signedRank(worse, state.warnMargin, blocks).less <= level &&
    signedRank(worse, -state.margin, blocks).greater <= level;
}

/** Tests a row by weighted signs. */
function weighLook(
  state: State,
  { worse, levels }: RowSeries,
  { blocks, weight, unchanged }: Look,
  looks: number,
  alpha: number,
): void {
  const maySettle =
    unchanged === undefined || state.warns < state.counts || isNearMargins(worse, blocks, state.margin);
  if (weight === 0 && !maySettle) return;
  const pairs = weighedLook({ differences: worse, levels }, blocks);
  state.blocks = blocks;
  state.centre = undefined;
  state.findCentre = pairs.centre;
  state.equivalent = false;
  state.bounded = false;
  const outsideInterval = (1 - confidenceAfter(looks)) / 2;
  if (weight > 0) {
    const { greater, less } = pairs.test(0, alpha * weight);
    state.pWorse = Math.min(state.pWorse, greater / weight);
    state.pBetter = Math.min(state.pBetter, less / weight);
    // An earlier look may have had the small p. Too few pairs have no interval that could span zero.
    const outside = Math.max(outsideInterval, 2 ** -blocks);
    state.above = greater <= outside;
    state.below = less <= outside;
  }
  if (!maySettle) return;
  const centre = pairs.centre();
  state.centre = centre;
  // The interval of an unchanged row lies within the margins.
  const level = Math.min(alpha * (unchanged ?? 1 / looks), outsideInterval);
  // The side that the estimate lies on fails sooner.
  const within = [
    () => pairs.test(state.warnMargin, level).less <= level,
    () => pairs.test(-state.margin, level).greater <= level,
  ];
  if (centre < 0) within.reverse();
  state.equivalent = isSmall(state, centre) && within.every((passes) => passes());
  state.bounded = mayWarn(state, centre) && pairs.test(state.margin, level).less <= level;
}

/** Whether an estimate is neither a gain that counts nor a loss that counts or warns. */
const isSmall = ({ counts, warns }: State, centre: number): boolean => centre > -counts && centre < warns;

/** Whether an estimate lies between the loss that warns and the limit. */
const mayWarn = ({ counts, warns }: State, centre: number): boolean => centre >= warns && centre < counts;

/** Pairs of an unchanged row that lie on the right side of each margin, at the least. */
const WITHIN = 0.6;

/**
 * Whether the row may be unchanged. A look that can find nothing else is passed over where this is false, because the
 * tests against the margins take more time and would not pass.
 */
function isNearMargins(worse: ArrayLike<number>, blocks: number, margin: number): boolean {
  let [below, above] = [0, 0];
  for (let i = 0; i < blocks; i++) {
    const d = worse[i] ?? 0;
    if (d < margin) below++;
    if (d > -margin) above++;
  }
  return Math.min(below, above) >= WITHIN * blocks;
}

function testOnce(state: State, { test }: SingleTest, alpha: number): void {
  state.centre = test.worseBy;
  state.pWorse = test.pWorse;
  state.pBetter = test.pBetter;
  state.equivalent = test.pNotWorse(state.warnMargin) <= alpha && test.pNotBetter(state.margin) <= alpha;
  state.bounded = test.pNotWorse(state.margin) <= alpha;
}

/** Decides the rows that the figures so far decide. */
function decideRows(
  states: readonly State[],
  rows: readonly (RowSeries | SingleTest)[],
  { alpha, tests }: FamilyRules,
  correction: 'holm' | 'bonferroni',
): void {
  const adjust = (p: (state: State) => number) =>
    correction === 'holm' ? adjusted(states, p, tests) : states.map((state) => Math.min(1, tests * p(state)));
  // Holm's adjustment never lowers a p, so it is computed only if some p can pass.
  const some = (p: (state: State) => number) =>
    states.some((state) => state.decision === 'undecided' && p(state) <= alpha);
  const worse = some(({ pWorse }) => pWorse) ? adjust(({ pWorse }) => pWorse) : undefined;
  const better = some(({ pBetter }) => pBetter) ? adjust(({ pBetter }) => pBetter) : undefined;
  for (const [index, state] of states.entries()) {
    if (state.decision !== 'undecided') continue;
    if ((worse?.[index] ?? 1) <= alpha && state.above && centreAt(state, rows[index]) >= state.counts)
      state.decision = 'regressed';
    else if ((better?.[index] ?? 1) <= alpha && state.below && -centreAt(state, rows[index]) >= state.counts)
      state.decision = 'improved';
    else if (
      (worse?.[index] ?? 1) <= alpha &&
      state.above &&
      state.bounded &&
      mayWarn(state, centreAt(state, rows[index]))
    )
      state.decision = 'warning';
    else if (state.equivalent && isSmall(state, centreAt(state, rows[index]))) state.decision = 'unchanged';
  }
}

function centreAt(state: State, data: RowSeries | SingleTest | undefined): number {
  state.centre ??=
    data === undefined || 'test' in data || state.blocks === 0
      ? Number.NaN
      : (state.findCentre?.() ?? centreOf(data.worse, state.blocks));
  return state.centre;
}

const adjusted = (states: readonly State[], p: (state: State) => number, tests: number) =>
  holm(states.map(p), tests);
