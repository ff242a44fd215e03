import { pairedChange } from '../../../src/evidence/pairs.ts';
import { DEFAULTS } from '../../../src/plan/defaults.ts';
import { CONFIRMATION_BLOCKS, isConfirmed } from '../../../src/statistics/confirmation.ts';
import { centreOf } from '../../../src/statistics/hodges-lehmann.ts';
import {
  capOf,
  looksFor,
  NEWEST_METHOD,
  PROFILE_SETTINGS,
  type Look,
  type Profile,
} from '../../../src/statistics/looks.ts';
import { judgeFamily, type RowOutcome } from '../../../src/statistics/sequential.ts';
import type { PeerSamples } from '../peers/peer.ts';
import { RULES } from '../peers/peers.ts';
import { layouts } from './layouts.ts';
import { interleavedSession, levels, logRatios, METRICS, rowsOf, type Machine } from './machine.ts';
import { count, measure, type Tally } from './tally.ts';

/** A kind of pull request, and how it is gated. */
export interface PullRequest {
  readonly machine: Machine;
  readonly profile: Profile;
  /** One row, of each metric in turn, is worse by this fraction; everything else is unchanged. */
  readonly effect: number;
  /** What a regression found is asked again of a second runner. */
  readonly confirmed?: boolean;
  /** The peers' rules judge it too, each on samples as its users would give them. */
  readonly peers?: boolean;
  /** One look at twenty blocks, on the same runs. */
  readonly fixed?: boolean;
}

/** Of the family, one-sided, as it is where nobody says otherwise. */
export const ALPHA = DEFAULTS.alpha;
export const FIXED_BLOCKS = 20;
const FIXED: readonly Look[] = [{ blocks: FIXED_BLOCKS, weight: 1 }];

/** What was done to a pull request: the truth that its verdicts are held against. */
interface Truth {
  /** Logarithm of the change of each row. */
  readonly effects: Float64Array;
  /** The row that is changed; none where nothing is. */
  readonly planted: number | undefined;
  readonly metric: string;
}

/**
 * Simulates one pull request, has it judged by the shipped rule, and notes what came of it.
 * @param index of the pull request among all of its kind: which metric's turn it is
 */
export function judgePullRequest(kind: PullRequest, index: number, random: () => number, tally: Tally): void {
  const { machine, profile } = kind;
  const effects = new Float64Array(rowsOf(machine));
  const turn = index % machine.noise.length;
  if (kind.effect !== 0) effects[turn] = Math.log1p(kind.effect);
  const truth: Truth = {
    effects,
    planted: kind.effect === 0 ? undefined : turn,
    metric: METRICS[turn] ?? '',
  };
  const sides = interleavedSession(machine, effects, capOf(profile), random);
  const ratios = logRatios(sides);
  const rowLevels = levels(sides);
  const { limit } = PROFILE_SETTINGS[profile];
  const judge = (looks: readonly Look[]) =>
    judgeFamily(
      ratios.map((worse, row) => ({ worse, levels: rowLevels[row], limit })),
      { alpha: ALPHA, looks, tests: ratios.length, method: NEWEST_METHOD },
    );
  const looks = looksFor(profile, capOf(profile), NEWEST_METHOD);
  const outcomes = judge(looks);
  noteFamily(truth, outcomes, tally);
  noteCost(machine, outcomes, tally);
  noteCoverage(truth, ratios, rowLevels, outcomes, looks.length, tally);
  if (kind.fixed === true) noteFixed(truth, outcomes, judge(FIXED), tally);
  if (kind.confirmed === true) noteConfirmation(kind, truth, outcomes, random, tally);
  if (kind.peers === true) notePeers(truth, layouts(machine, effects, sides, random), tally);
}

/** Whether a verdict was given to some row that nothing was done to. */
const falsely = ({ planted }: Truth, outcomes: readonly RowOutcome[], decision: RowOutcome['decision']) =>
  outcomes.some((outcome, row) => row !== planted && outcome.decision === decision);

function noteFamily(truth: Truth, outcomes: readonly RowOutcome[], tally: Tally): void {
  const { planted, metric } = truth;
  count(tally, 'false alarm', falsely(truth, outcomes, 'regressed'));
  count(tally, 'false improvement', falsely(truth, outcomes, 'improved'));
  if (planted === undefined) {
    for (const [row, { decision }] of outcomes.entries()) {
      count(tally, 'inconclusive', decision === 'undecided');
      count(tally, `inconclusive ${METRICS[row % METRICS.length] ?? ''}`, decision === 'undecided');
    }
    return;
  }
  const decision = outcomes[planted]?.decision;
  for (const verdict of ['regressed', 'improved', 'unchanged', 'undecided'] as const)
    count(tally, `planted ${verdict}`, decision === verdict);
  count(tally, `planted regressed ${metric}`, decision === 'regressed');
}

/** A variant is measured until the last of its rows is decided. */
function noteCost({ noise, variants }: Machine, outcomes: readonly RowOutcome[], tally: Tally): void {
  let blocks = 0;
  for (let variant = 0; variant < variants; variant++)
    blocks += Math.max(
      ...outcomes.slice(variant * noise.length, (variant + 1) * noise.length).map((row) => row.blocks),
    );
  measure(tally, 'blocks a variant', blocks / variants);
}

/** Whether the interval that is shown holds the change that was made. */
function noteCoverage(
  { effects, planted }: Truth,
  ratios: readonly Float64Array[],
  rowLevels: readonly Float64Array[],
  outcomes: readonly RowOutcome[],
  looks: number,
  tally: Tally,
): void {
  for (const [row, { blocks }] of outcomes.entries()) {
    // The unchanged rows of a changed pull request are like those of an unchanged one, which has them all.
    if (planted !== undefined && row !== planted) continue;
    const { low, high } = pairedChange(ratios[row] ?? new Float64Array(), blocks, {
      method: NEWEST_METHOD,
      looks,
      levels: rowLevels[row],
    });
    const change = Math.expm1(effects[row] ?? Number.NaN);
    count(
      tally,
      'interval holds the truth',
      low !== null && high !== null && low <= change && change <= high,
    );
  }
}

function noteFixed(
  truth: Truth,
  shipped: readonly RowOutcome[],
  fixed: readonly RowOutcome[],
  tally: Tally,
): void {
  const { planted, metric } = truth;
  count(tally, 'fixed: false alarm', falsely(truth, fixed, 'regressed'));
  if (planted === undefined) {
    for (const { decision } of fixed) count(tally, 'fixed: inconclusive', decision === 'undecided');
    return;
  }
  const [ours, theirs] = [shipped, fixed].map((rows) => rows[planted]?.decision === 'regressed');
  count(tally, 'fixed: planted regressed', theirs === true);
  count(tally, `fixed: planted regressed ${metric}`, theirs === true);
  // Of the pull requests on which the two disagree.
  if (ours !== theirs) count(tally, 'found by the fixed rule alone', theirs === true);
}

/** A second session on a fresh runner measures the variants that regressed; what it does not see as well is let go. */
function noteConfirmation(
  { machine, profile }: PullRequest,
  { effects, planted }: Truth,
  outcomes: readonly RowOutcome[],
  random: () => number,
  tally: Tally,
): void {
  const metrics = machine.noise.length;
  const regressed = outcomes.flatMap(({ decision }, row) => (decision === 'regressed' ? [row] : []));
  const variants = [...new Set(regressed.map((row) => Math.floor(row / metrics)))];
  const second =
    variants.length === 0
      ? []
      : logRatios(
          interleavedSession(
            { ...machine, variants: variants.length },
            Float64Array.from(
              variants.flatMap((variant) => [
                ...effects.subarray(variant * metrics, (variant + 1) * metrics),
              ]),
            ),
            CONFIRMATION_BLOCKS,
            random,
          ),
        );
  const confirmed = regressed.filter((row) => {
    const at = variants.indexOf(Math.floor(row / metrics)) * metrics + (row % metrics);
    const ratios = second[at] ?? new Float64Array();
    return isConfirmed({
      centre: centreOf(ratios),
      blocks: ratios.length,
      limit: PROFILE_SETTINGS[profile].limit,
    });
  });
  count(
    tally,
    'false alarm confirmed',
    confirmed.some((row) => row !== planted),
  );
  if (planted !== undefined) count(tally, 'planted regressed and confirmed', confirmed.includes(planted));
}

function notePeers({ planted }: Truth, rows: readonly PeerSamples[], tally: Tally): void {
  for (const peer of RULES) {
    const flags = peer.flags(rows);
    count(
      tally,
      `${peer.name}: false alarm`,
      flags.some((flag, row) => flag && row !== planted),
    );
    if (planted !== undefined) count(tally, `${peer.name}: planted flagged`, flags[planted] === true);
  }
}
