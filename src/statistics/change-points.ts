import { median, shuffleInPlace } from 'simple-statistics';
import { uniformSource } from './random.ts';

/** Where a series of nightly values went to another level. */
export interface ChangePoint {
  /** The first value of the new level. */
  readonly index: number;
  /** Medians of the levels before and after, up to the change points next to this one: logarithms, as given. */
  readonly before: number;
  readonly after: number;
  /** A fraction: 0.03 is 3 % more than before. */
  readonly change: number;
  /** Of the permutation test, at least 1 / (permutations + 1): for a level of 0.001 that of the clearest step. */
  readonly p: number;
}

export interface ChangePointRules {
  /** A level holds at least this many values; from 2. */
  readonly minimum?: number;
  /** A change point has a p of at most this, in (0, 1). */
  readonly level?: number;
  /** Uniform numbers in [0, 1). The default gives the same answer every time. */
  readonly random?: () => number;
}

const SEED = 1;

/**
 * Change points of a series, by the E-divisive method: the cut that most sets a stretch's start apart from what
 * follows it, by the energy distance, tested against permutations of the stretch; then the same for both parts.
 * Matteson and James, A Nonparametric Approach for Multiple Change Point Analysis of Multivariate Data (2014), with
 * exponent 1. MongoDB (Daly et al. 2020) and Apache Otava (Fleming et al., Hunter, 2023) watch their nightly runs with
 * it. Each stretch is tested by itself.
 *
 * Hunter's t-test in place of the permutations is quicker, and does not know that its cut is the best of hundreds:
 * @HUNTER@
 *
@MEASURED@
 *
 * @param values logarithms in the order of time, finite; up to a few hundred
 * @returns in the order of time; none in a series shorter than two levels
 * @throws RangeError for a value that is not finite
 */
export function changePoints(
  values: readonly number[],
  { minimum = 5, level = 0.001, random = uniformSource(SEED) }: ChangePointRules = {},
): ChangePoint[] {
  if (!values.every(Number.isFinite)) throw new RangeError('change points need finite values');
  const found: { readonly index: number; readonly p: number }[] = [];
  const search = (start: number, end: number): void => {
    const stretch = values.slice(start, end);
    const sums = new Float64Array(stretch.length ** 2);
    const cut = bestCut(stretch, minimum, sums);
    if (cut === undefined) return;
    const distanceOf = () => bestCut(shuffleInPlace(stretch, random), minimum, sums)?.distance ?? 0;
    const p = permutationP(cut.distance, distanceOf, level);
    if (p > level) return;
    search(start, start + cut.index);
    found.push({ index: start + cut.index, p });
    search(start + cut.index, end);
  };
  search(0, values.length);
  const indices = settled(
    values,
    found.map(({ index }) => index),
    minimum,
  );
  return found.map(({ p }, i) => {
    const index = indices[i] ?? 0;
    const before = median(values.slice(indices[i - 1] ?? 0, index));
    const after = median(values.slice(index, indices[i + 1]));
    return { index, before, after, change: Math.expm1(after - before), p };
  });
}

/**
 * Each cut put where it parts best what lies between its neighbours: when it was found, the stretch before it could
 * still hold other levels and the one behind it ended anywhere.
 */
function settled(values: readonly number[], indices: readonly number[], minimum: number): readonly number[] {
  const moved = [...indices];
  for (const i of moved.keys()) {
    const start = moved[i - 1] ?? 0;
    const stretch = values.slice(start, moved[i + 1]);
    const cut = bestCut(stretch, minimum, new Float64Array(stretch.length ** 2), stretch.length);
    if (cut !== undefined) moved[i] = start + cut.index;
  }
  return moved;
}

interface Cut {
  readonly index: number;
  /** Scaled energy distance of the two sides. */
  readonly distance: number;
}

/**
 * The cut t for which the energy distance of [0, t) and [t, end), scaled by t (end - t) / end, is largest.
 *
 *   0 ........... t ...... end ............ n
 *     one level     next     whatever follows
 *
 * The end leaves out what comes after a level that did not last: with n alone, ten bad nights in two hundred hide.
 * The paper tries every end; tried here are the smallest level, its doubles and n, which takes a third of the time.
 *
 * @param sums room for n^2 numbers, overwritten
 * @param shortest first size tried of [t, end); from n on it is all that follows t
 * @returns undefined where no two levels have room or no cut sets anything apart
 */
function bestCut(
  values: ArrayLike<number>,
  minimum: number,
  sums: Float64Array,
  shortest = minimum,
): Cut | undefined {
  const n = values.length;
  sumPairs(values, sums);
  let [index, distance] = [0, 0];
  for (let t = minimum; t <= n - minimum; t++) {
    const within = sums[t - 1] ?? 0;
    for (let size = Math.min(shortest, n - t); ; size = Math.min(2 * size, n - t)) {
      const end = t + size;
      const next = sums[t * n + end - 1] ?? 0;
      const between = (sums[end - 1] ?? 0) - within - next;
      const candidate = (2 / end) * (between - (size * within) / (t - 1) - (t * next) / (size - 1));
      if (candidate > distance) [index, distance] = [t, candidate];
      if (end === n) break;
    }
  }
  return index === 0 ? undefined : { index, distance };
}

/** Fills sums[from n + to] with the distances of all pairs within [from, to], for from < to. */
function sumPairs(values: ArrayLike<number>, sums: Float64Array): void {
  const n = values.length;
  /** Distances of each value to those of [from, to). */
  const reach = new Float64Array(n);
  for (let from = n - 1; from >= 0; from--) {
    const first = values[from] ?? 0;
    let sum = 0;
    for (let to = from + 1; to < n; to++) {
      const distance = (reach[to] ?? 0) + Math.abs((values[to] ?? 0) - first);
      reach[to] = distance;
      sum += distance;
      sums[from * n + to] = sum;
    }
  }
}

/** Two sums in another order differ in their last bits. */
const SAME = 1 - 1e-10;

/**
 * Share of the orders of these values, the one found among them, whose best cut is at least as far apart; as many
 * orders as the level needs. It ends as soon as the level is out of reach, which most noise is after a few.
 */
function permutationP(found: number, shuffled: () => number, level: number): number {
  const orders = Math.ceil(1 / level - 1e-9);
  let reached = 1;
  for (let order = 1; order < orders && reached <= level * orders; order++)
    if (shuffled() >= found * SAME) reached++;
  return reached / orders;
}
