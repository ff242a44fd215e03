import cdf from '@stdlib/stats-base-dists-t-cdf';
import type { Estimate } from './hodges-lehmann.ts';
import type { SignedRank } from './signed-rank.ts';

/**
 * The exact sign-flip test with weights, one-sided, its estimate and its interval.
 *
 * Signed ranks take every pair to be equally good. A pair that was measured while the machine was busy is not, and its
 * level, the mean of its two logarithms, shows that: a slow pair varies more. Swapping the two runs of a pair changes
 * the sign of its difference, and neither the difference's size nor the level. So weights made of sizes and levels
 * leave each sign a fair coin under the null hypothesis, and the sum of the weights of one sign has a distribution
 * that is counted exactly, over all 2^n signs, for weights that are whole numbers.
 */
export interface WeighedPairs {
  /** log(head / baseline) of each pair, towards worse. */
  readonly differences: ArrayLike<number>;
  /** Mean of the two logarithms of each pair, towards worse; undefined where nobody has them: all are then equal. */
  readonly levels: ArrayLike<number> | undefined;
}

/** A row's pairs up to a look, asked several times. */
export interface WeighedLook {
  /**
   * Both one-sided tests of a centre.
   * @param level where it is given, a p that is not at most this may be given as 1
   * @returns p in (0, 1]; 1 for zeros alone; approximate above 400 pairs
   */
  readonly test: (centre: number, level?: number) => SignedRank;
  /** Where the weighted sum of the signs is zero, the spreads being those about the median. */
  readonly centre: () => number;
}

/** How much a pair's spread grows with its level: 1 + x / tau of the excess x. Without growth there is no tau. */
const TAUS = [0.64, 0.32, 0.16, 0.08, 0.04, 0.02, 0.01, 0.005];
/** What growth must gain in the logarithm of the likelihood before it is believed. */
const PENALTY = 2;
/** The share of the pairs that are taken to be undisturbed. */
const UNDISTURBED = 0.1;
/** Differences count up to this multiple of their middle size: about two standard deviations. */
const CLIP = 2 * 1.4826;
/** No spread is zero: clocks tick. */
const TICK = 1e-6;

/** Weights are whole numbers up to this: finer ones change a p in its third digit. */
const FINEST = 32;
/** Counting takes the sum of the weights times their number: many pairs get coarser weights. */
const LARGEST_SUM = 4096;
const COARSEST = 8;
/** Above it the normal distribution replaces the count. No gate measures so many blocks; a file may hold them. */
const COUNTED_UP_TO = 400;

/** The pairs with what does not depend on the hypothesis. */
interface Sample {
  readonly n: number;
  readonly differences: Float64Array;
  /** 1 / spread of each pair, one series after the other for each tau; undefined where all levels are equal. */
  readonly inverse: Float64Array | undefined;
  /** For each tau the sum of the logarithms of the spreads, and what the growth costs. */
  readonly unlikely: readonly number[];
}

/** Room for what a hypothesis makes of the pairs, used within one call alone: a benchmark asks a million times. */
let room = roomFor(0);

function roomFor(size: number) {
  return {
    size,
    sizes: new Float64Array(size),
    sorted: new Float64Array(size),
    weights: new Float64Array(size),
    whole: new Int32Array(size),
  };
}

function makeRoom(n: number): typeof room {
  if (room.size < n) room = roomFor(n);
  return room;
}

/** @throws RangeError for a difference or a level that is not finite */
function sampleOf({ differences, levels }: WeighedPairs, n: number): Sample {
  const own = differences instanceof Float64Array ? differences : Float64Array.from(differences);
  const levelsOwn =
    levels === undefined || levels instanceof Float64Array ? levels : Float64Array.from(levels);
  if (own.length < n || (levelsOwn?.length ?? n) < n || !areFinite(own, n) || !areFinite(levelsOwn, n))
    throw new RangeError('weighted signs need finite differences and levels');
  makeRoom(n);
  const grown = levelsOwn === undefined ? undefined : growthsOf(levelsOwn, n);
  return { n, differences: own, inverse: grown?.inverse, unlikely: grown?.unlikely ?? [] };
}

function areFinite(values: Float64Array | undefined, n: number): boolean {
  if (values === undefined) return true;
  // What is not finite less itself is no number.
  let none = 0;
  for (let i = 0; i < n; i++) none += (values[i] ?? 0) - (values[i] ?? 0);
  return none === 0;
}

/** What each tau makes of the excess of the pairs' levels over the level of undisturbed pairs. */
function growthsOf(levels: Float64Array, n: number): Pick<Sample, 'inverse' | 'unlikely'> | undefined {
  const { sorted } = room;
  for (let i = 0; i < n; i++) sorted[i] = levels[i] ?? 0;
  sort(sorted, n);
  const floor = sorted[Math.floor(UNDISTURBED * n)] ?? 0;
  if (!((sorted[n - 1] ?? 0) > floor)) return undefined;
  for (let i = 0; i < n; i++) {
    const excess = (levels[i] ?? 0) - floor;
    sorted[i] = excess > 0 ? excess : 0;
  }
  const inverse = new Float64Array(TAUS.length * n);
  const unlikely: number[] = [];
  let at = 0;
  for (const tau of TAUS) {
    let [product, logs] = [1, 0];
    for (let i = 0; i < n; i++) {
      const spread = 1 + (sorted[i] ?? 0) / tau;
      inverse[at++] = 1 / spread;
      product *= spread;
      // The product of many is more than a float can be.
      if (product > 1e200) {
        logs += Math.log(product);
        product = 1;
      }
    }
    unlikely.push(logs + Math.log(product) + PENALTY);
  }
  return { inverse, unlikely };
}

/** Few values are put in order soonest by putting each in its place. */
const FEW = 64;

/** Sorts the first `n` values upwards, in place. */
function sort(values: Float64Array, n: number): void {
  if (n > FEW) {
    values.subarray(0, n).sort();
    return;
  }
  for (let i = 1; i < n; i++) {
    const value = values[i] ?? 0;
    let j = i - 1;
    while (j >= 0 && (values[j] ?? 0) > value) {
      values[j + 1] = values[j] ?? 0;
      j--;
    }
    values[j + 1] = value;
  }
}

/** Median of what is sorted already from `first` to before `end`; 0 of nothing. */
function middle(sorted: Float64Array, end: number, first = 0): number {
  const half = first + ((end - first) >> 1);
  const upper = sorted[half] ?? 0;
  return (end - first) % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}

/** Sizes of the differences from `centre`, as they come and in order. */
function measureSizes({ n, differences }: Sample, centre: number): void {
  const { sizes, sorted } = room;
  for (let i = 0; i < n; i++) {
    const size = Math.abs((differences[i] ?? 0) - centre);
    sizes[i] = size;
    sorted[i] = size;
  }
  sort(sorted, n);
}

/**
 * The growth of the spread that makes the sizes likeliest, were each exponential about the median of all: where its
 * series begins. -1 where no growth does as well.
 */
function likeliest({ n, inverse, unlikely }: Sample): number {
  if (inverse === undefined) return -1;
  const { sizes, sorted, weights } = room;
  const central = middle(sorted, n);
  let all = 0;
  for (let i = 0; i < n; i++) {
    const off = Math.abs((sizes[i] ?? 0) - central) + TICK;
    weights[i] = off;
    all += off;
  }
  let least = n * Math.log(all / n);
  let found = -1;
  for (let series = 0; series < unlikely.length; series++) {
    const from = series * n;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += (weights[i] ?? 0) * (inverse[from + i] ?? 0);
    const own = n * Math.log(sum / n) + (unlikely[series] ?? 0);
    if (own < least) {
      least = own;
      found = from;
    }
  }
  return found;
}

/**
 * Largest size that counts, in units of each pair's spread; the sizes are in these units after it. Where most are zero
 * the middle one is that of the others.
 */
function clipOf({ n, inverse }: Sample, growth: number): number {
  const { sizes, sorted } = room;
  if (growth >= 0 && inverse !== undefined) {
    for (let i = 0; i < n; i++) {
      const scaled = (sizes[i] ?? 0) * (inverse[growth + i] ?? 1);
      sizes[i] = scaled;
      sorted[i] = scaled;
    }
    sort(sorted, n);
  }
  const central = middle(sorted, n);
  if (central > 0) return CLIP * central;
  let some = 0;
  while (some < n && sorted[some] === 0) some++;
  return CLIP * middle(sorted, n, some);
}

/**
 * Weighs the pairs as they would be were `centre` the truth; the weights are in the room afterwards. They do not change
 * where the two runs of a pair are swapped.
 * @returns the largest of them
 */
function weigh(sample: Sample, centre: number): number {
  const { n, inverse } = sample;
  const { sizes, weights } = makeRoom(n);
  measureSizes(sample, centre);
  const growth = likeliest(sample);
  const clip = clipOf(sample, growth);
  let largest = 0;
  for (let i = 0; i < n; i++) {
    const clipped = Math.min(sizes[i] ?? 0, clip);
    const weight = growth >= 0 && inverse !== undefined ? clipped * (inverse[growth + i] ?? 1) : clipped;
    weights[i] = weight;
    if (weight > largest) largest = weight;
  }
  return largest;
}

/**
 * A sum of weighted fair signs is as large as its standard deviation in 3/32 of the cases or more (L. Hollom and
 * J. Portier, Tight lower bound on Rademacher tails, 2023): one that is not larger need not be counted to know that.
 */
const COMMON = 3 / 32;
const COMMON_BOTH: SignedRank = { greater: 1, less: 1 };

/** Counts the signs that give as large a sum as those found. @param level see `test` */
function testAt(sample: Sample, centre: number, level = 1): SignedRank {
  const { n, differences } = sample;
  const largest = weigh(sample, centre);
  if (largest === 0) return COMMON_BOTH;
  const { weights, whole } = room;
  if (n > COUNTED_UP_TO) return approximately(sample, centre);
  const scale = Math.max(COARSEST, Math.min(FINEST, Math.floor(LARGEST_SUM / n))) / largest;
  let [positive, negative, squares, counted] = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const difference = (differences[i] ?? 0) - centre;
    if (difference === 0) continue;
    // Rounding may not make a pair disappear: it has a sign.
    const weight = Math.max(1, Math.round((weights[i] ?? 0) * scale));
    whole[counted++] = weight;
    squares += weight * weight;
    if (difference > 0) positive += weight;
    else negative += weight;
  }
  if (level < COMMON && (positive - negative) ** 2 <= squares) return COMMON_BOTH;
  const { upTo, below } = chance(whole, counted, Math.min(positive, negative));
  return positive >= negative ? { greater: upTo, less: 1 - below } : { greater: 1 - below, less: upTo };
}

/** How many of the sign patterns give each sum; one array for all, because it is made anew a million times. */
let ways = new Float64Array(1024);

/** Chance that the weights of one sign sum up to `most` at most, and to less, each sign being a fair coin. */
function chance(weights: Int32Array, n: number, most: number): { upTo: number; below: number } {
  if (ways.length <= most) ways = new Float64Array(2 * most + 1);
  else ways.fill(0, 0, most + 1);
  ways[0] = 1;
  let reach = 0;
  for (let i = 0; i < n; i++) {
    const weight = weights[i] ?? 0;
    reach = Math.min(most, reach + weight);
    for (let sum = reach; sum >= weight; sum--) ways[sum] = (ways[sum] ?? 0) + (ways[sum - weight] ?? 0);
  }
  let below = 0;
  for (let sum = 0; sum < most; sum++) below += ways[sum] ?? 0;
  const all = 2 ** -n;
  return { upTo: Math.min(1, (below + (ways[most] ?? 0)) * all), below: below * all };
}

/** Student's distribution with so many degrees of freedom is the normal one. */
const NORMAL = 1e9;
const normalTail = (z: number) => Math.max(Number.MIN_VALUE, Math.min(1, cdf(-z, NORMAL)));

function approximately({ n, differences }: Sample, centre: number): SignedRank {
  const { weights } = room;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < n; i++) {
    const weight = weights[i] ?? 0;
    squares += weight * weight;
    sum += (differences[i] ?? 0) > centre ? weight : -weight;
  }
  const z = sum / Math.sqrt(squares);
  return { greater: normalTail(z), less: normalTail(-z) };
}

/** The weighted sum is a broken line: each step goes to where the piece of it that it is on would be zero. */
const STEPS = 60;

function centreOf(sample: Sample): number {
  const { n, differences, inverse: inverses } = sample;
  const { sorted } = makeRoom(n);
  for (let i = 0; i < n; i++) sorted[i] = differences[i] ?? 0;
  sort(sorted, n);
  let [low, high] = [sorted[0] ?? 0, sorted[n - 1] ?? 0];
  let centre = middle(sorted, n);
  measureSizes(sample, centre);
  // Most differences are this one.
  if (middle(sorted, n) === 0) return centre;
  const growth = likeliest(sample);
  const clip = clipOf(sample, growth);
  for (let step = 0; step < STEPS && low < high; step++) {
    let [sum, slope] = [0, 0];
    for (let i = 0; i < n; i++) {
      const inverse = growth >= 0 && inverses !== undefined ? (inverses[growth + i] ?? 1) : 1;
      const scaled = ((differences[i] ?? 0) - centre) * inverse;
      if (scaled > clip) sum += clip * inverse;
      else if (scaled < -clip) sum -= clip * inverse;
      else {
        sum += scaled * inverse;
        slope += inverse * inverse;
      }
    }
    if (sum === 0) break;
    if (sum > 0) low = centre;
    else high = centre;
    const next = slope > 0 ? centre + sum / slope : Number.NaN;
    const last = centre;
    centre = next > low && next < high ? next : (low + high) / 2;
    if (Math.abs(centre - last) <= 1e-15) break;
  }
  return centre;
}

/** @param n how many of the pairs count, from the first on */
export function weighedLook(pairs: WeighedPairs, n: number = pairs.differences.length): WeighedLook {
  const sample = sampleOf(pairs, n);
  return {
    test: (centre, level) => testAt(sample, centre, level),
    centre: () => centreOf(sample),
  };
}

/** Halvings of an interval's bound. */
const HALVINGS = 30;

/**
 * The estimate with the interval that the test does not reject. A bound is looked for between the estimate and zero
 * where the test rejects zero, so that the interval does not span it.
 * @param confidence two-sided, such as 0.95
 * @param n how many of the pairs count, from the first on; at least one
 * @returns bounds that are null where the sample is too small for the confidence
 */
export function weightedEstimate(
  pairs: WeighedPairs,
  confidence: number,
  n: number = pairs.differences.length,
): Estimate {
  const look = weighedLook(pairs, n);
  const centre = look.centre();
  const level = (1 - confidence) / 2;
  if (2 ** -n > level) return { centre, low: null, high: null };
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < n; i++) {
    least = Math.min(least, pairs.differences[i] ?? 0);
    most = Math.max(most, pairs.differences[i] ?? 0);
  }
  const isAbove = (value: number) => look.test(value, level).greater <= level;
  const isBelow = (value: number) => look.test(value, level).less <= level;
  return {
    centre,
    low: bound(centre, centre > 0 && isAbove(0) ? Math.max(0, least) : least, isAbove),
    high: bound(centre, centre < 0 && isBelow(0) ? Math.min(0, most) : most, isBelow),
  };
}

/** The value between the estimate and an outer one, which is outside or the last inside, where rejection begins. */
function bound(centre: number, outer: number, rejects: (value: number) => boolean): number {
  let [kept, rejected] = [centre, outer];
  for (let step = 0; step < HALVINGS; step++) {
    const half = (kept + rejected) / 2;
    if (rejects(half)) rejected = half;
    else kept = half;
  }
  return rejected;
}
