/**
 * Creep: small losses that add up, each too small for the gate of its pull request. Every week the head is compared in
 * pairs with a fixed commit, the anchor (such as the last release), so that each week measures the whole loss so far. A
 * baseline that moves with the head already contains most of the loss.
 */
export interface WeeklyComparison {
  /** Hodges-Lehmann estimate of log(head / anchor) towards worse. */
  readonly estimate: number;
  /** One-sided, for worse: in (0, 1]. */
  readonly p: number;
  /** Number of pairs; it is the week's weight in the fits. */
  readonly blocks: number;
}

/** One comparison for each week, in order; undefined for a week without one. */
export type Weeks = readonly (WeeklyComparison | undefined)[];

export interface CreepRules {
  /** A week's p may be at most this. */
  readonly level?: number;
  /** The smallest loss that counts, a fraction: the metric's limit. */
  readonly limit?: number;
  /** Standard deviation between sessions that compare the same code, a logarithm (tau of the nights); 0 if unknown. */
  readonly quirk?: number;
}

interface Began {
  /** The first week that is worse than the weeks before; 0 if the first comparison was already worse than the anchor. */
  readonly since: number;
  /** By how much the last week is worse than the anchor, a fraction. */
  readonly now: number;
}

/** Whether the loss came from one change (`step`), or a little every week (`slope`). */
export type Creep =
  | (Began & { readonly kind: 'step'; readonly change: number })
  | (Began & { readonly kind: 'slope'; readonly perWeek: number });

/** Pairs of a weekly comparison: with 30, a creep of 0.3 % a week is found a week later. */
export const WEEKLY_BLOCKS = 45;
/** The estimate of the week before must be at least this share of the limit. */
const AGREES = 2 / 3;
/** One in a thousand sessions is off by more than this many standard deviations between sessions. */
const QUIRKS = 3.09;

/** One-sided level of the test for creep. */
export const CREEP_LEVEL = 0.0005;

/**
 * Whether the last week shows creep: p is at most `level`; the estimate is at least `limit` and larger than one session
 * is off by; and the comparison before it, if there is one, is at least two thirds of the limit.
 *
 * Seeded quarters of 13 weeks, 45 pairs a week, 21 rows of which a third have a noise of 3 % on each side and a third
 * of 2 %: unchanged code is flagged in 0.3 % of 3,000 quarters; with a level of 0.001 and half of the limit, in 1.0 %.
 * A creep of 0.3 % a week with noise of 2 % is found by the eighth week, at 2.4 %, in 97.7 % of 6,000. Comparing one
 * night with the fourteen nights before finds it in 0.6 % if sessions do not differ, and in 8 to 10 % if they differ by
 * 0.5 to 2 %, while flagging 3 to 7 % of unchanged rows. `benchmarks/gate/REPORT.md` measures it again with trend,
 * outliers and autocorrelation.
 *
 * @returns false if the last week has no comparison
 */
export function creeps(
  weeks: Weeks,
  { level = CREEP_LEVEL, limit = 0.018, quirk = 0 }: CreepRules = {},
): boolean {
  const last = weeks.at(-1);
  if (last === undefined) return false;
  const counts = Math.max(Math.log1p(limit), QUIRKS * quirk);
  const before = weeks.slice(0, -1).findLast((week) => week !== undefined);
  return (
    last.p <= level && last.estimate >= counts && (before === undefined || before.estimate >= AGREES * counts)
  );
}

/**
 * The shape of the creep that the last week shows, and when it began.
 *
 *   step            _______        slope           /
 *                  |                             /
 *   _______________|                ___________/
 *                  since                       since
 *
 * Both shapes are fitted to all weeks so far by least squares, for every possible beginning. The function returns the
 * shape with the smaller sum of squared residuals; both have three parameters (level, size and beginning). The anchor
 * is added before the first week as a comparison of 0, because it does not differ from itself.
 *
 * Measured on 2,500 seeded histories each, 30 pairs a week, noise of 2 %: the kind is right in 97 % of slopes of 0.3 %
 * from the first of 13 weeks on (in 77 % in the week of the first flag), in 99 % of steps of 3 % half-way, in 83 % of
 * those of the week before; the beginning is within a week for 99.9 % of steps, within three for 95 % of slopes.
 *
 * @returns undefined if the last week shows no creep
 */
export function creep(weeks: Weeks, rules: CreepRules = {}): Creep | undefined {
  const last = weeks.at(-1);
  if (last === undefined || !creeps(weeks, rules)) return undefined;
  const points = withAnchor(weeks);
  const now = Math.expm1(last.estimate);
  // A week without a comparison cannot be the first.
  const beginnings = [...weeks.keys()].filter((week) => weeks[week] !== undefined);
  // A loss cannot begin with an improvement. At least one shape rises: the last week is above the mean of the others,
  // or all weeks are above the anchor.
  const shapes = beginnings
    .flatMap((since) => [
      { kind: 'step' as const, since, ...fit(points, ({ week }) => (week >= since ? 1 : 0)) },
      { kind: 'slope' as const, since, ...fit(points, ({ week }) => Math.max(0, week - since + 1)) },
    ])
    .filter(({ size }) => size > 0);
  const best = shapes.reduce<(typeof shapes)[number] | undefined>(
    (least, shape) => (least === undefined || shape.residual < least.residual * BETTER ? shape : least),
    undefined,
  );
  if (best === undefined) return undefined;
  const { kind, since, size } = best;
  return kind === 'step'
    ? { kind, since, change: Math.expm1(size), now }
    : { kind, since, perWeek: Math.expm1(size), now };
}

/** Of two equal fits the first is kept, so rounding does not decide: a step instead of a slope of one week. */
const BETTER = 1 - 1e-9;

interface Point {
  readonly week: number;
  readonly value: number;
  readonly weight: number;
}

function withAnchor(weeks: Weeks): readonly Point[] {
  const points = weeks.flatMap((comparison, week) =>
    comparison === undefined
      ? []
      : [{ week, value: comparison.estimate, weight: Math.max(1, comparison.blocks) }],
  );
  const mean = points.reduce((sum, { weight }) => sum + weight, 0) / points.length;
  return [{ week: -1, value: 0, weight: mean }, ...points];
}

/** Weighted least squares of value = level + size x shape. */
function fit(
  points: readonly Point[],
  shape: (point: Point) => number,
): { readonly size: number; readonly residual: number } {
  const total = (of: (point: Point) => number) =>
    points.reduce((sum, point) => sum + point.weight * of(point), 0);
  const all = total(() => 1);
  const [x, y] = [total(shape) / all, total(({ value }) => value) / all];
  const size =
    total((point) => (shape(point) - x) * (point.value - y)) / total((point) => (shape(point) - x) ** 2);
  return { size, residual: total((point) => (point.value - y - size * (shape(point) - x)) ** 2) };
}
