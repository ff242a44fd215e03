import { NEWEST_METHOD } from '../../../src/statistics/looks.ts';
import { median } from 'simple-statistics';
import { judge } from '../../../src/verdict/compare.ts';
import type { ObservedRun } from '../../../src/evidence/observed-run.ts';
import { defaultRule } from '../../../src/session/metric.ts';
import type { Night } from '../../../src/session/session.ts';
import { RULES } from '../peers/peers.ts';
import { METRICS, oneSide, rowsOf, type Machine } from './machine.ts';
import { ALPHA } from './pull-request.ts';
import { count, type Tally } from './tally.ts';

/** A pull request that is judged by stored nights: its head is run alone, on the nights' machine. */
export interface StoredPullRequest {
  readonly machine: Machine;
  readonly nights: number;
  /** One row, of each metric in turn, is worse by this fraction. */
  readonly effect: number;
}

/** Runs of each variant in a session. */
const RUNS = 30;

/** The peers that are given stored nights. */
export const STORED_PEERS = RULES.filter(({ data }) => data === 'nights');

/** Simulates the nights and the session, has them judged by the shipped comparison and by the peers, and notes it. */
export function judgeStored(
  { machine, nights, effect }: StoredPullRequest,
  index: number,
  random: () => number,
  tally: Tally,
): void {
  const effects = new Float64Array(rowsOf(machine));
  const planted = effect === 0 ? undefined : index % machine.noise.length;
  if (planted !== undefined) effects[planted] = Math.log1p(effect);
  const history = Array.from({ length: nights }, () => oneSide(machine, undefined, RUNS, random));
  const head = oneSide(machine, effects, RUNS, random);

  const outcomes = shippedVerdicts(machine, history, head);
  const note = (rule: string, flags: readonly boolean[]) => {
    count(
      tally,
      `${rule}: false alarm`,
      flags.some((flag, row) => flag && row !== planted),
    );
    if (planted !== undefined) count(tally, `${rule}: planted flagged`, flags[planted] === true);
  };
  note(
    'stored nights',
    outcomes.map((decision) => decision === 'regressed'),
  );
  for (const decision of outcomes) count(tally, 'stored nights: no verdict', decision === undefined);

  const none = new Float64Array();
  const samples = head.map((values, row) => ({
    baseline: none,
    head: values.map(Math.exp),
    sequential: { baseline: none, head: none },
    nights: history.map((night) => (night[row] ?? none).map(Math.exp)),
  }));
  for (const peer of STORED_PEERS) note(peer.name, peer.flags(samples));
}

/** What `evidence: stored` decides, row by row; undefined where too few nights are left since the last level shift. */
function shippedVerdicts(
  { variants }: Machine,
  history: readonly (readonly Float64Array[])[],
  head: readonly Float64Array[],
) {
  const names = Array.from({ length: variants }, (_, variant) => String(variant));
  const rowOf = (variant: number, metric: number) => variant * METRICS.length + metric;
  const valuesOf = (value: (row: number) => number, variant: number) =>
    Object.fromEntries(METRICS.map((name, metric) => [name, Math.exp(value(rowOf(variant, metric)))]));
  const nights = history.map((night, index): Night => ({
    session: String(index),
    started: '',
    sameMachine: true,
    changedFiles: null,
    medians: Object.fromEntries(
      names.map((name, variant) => [name, valuesOf((row) => median([...(night[row] ?? [])]), variant)]),
    ),
    residuals: {},
    centres: {},
  }));
  const runs = names.flatMap((name, variant) =>
    Array.from({ length: RUNS }, (_, run): ObservedRun => ({
      session: 'head',
      side: 'head',
      variant: name,
      block: run + 1,
      outcome: 'ok',
      metrics: valuesOf((row) => head[row]?.[run] ?? Number.NaN, variant),
    })),
  );
  const { drafts, outcomes } = judge({
    alpha: ALPHA,
    evidence: 'stored',
    profile: 'balanced',
    method: NEWEST_METHOD,
    cap: RUNS,
    added: new Set<string>(),
    addedCap: undefined,
    sharedTests: undefined,
    seed: 0,
    variants: names,
    metrics: METRICS.map((name) => defaultRule(name, true)),
    runs,
    warmup: [],
    trials: [],
    repetitions: {},
    measuringCode: undefined,
    interrupted: false,
    failures: [],
    twoSided: new Set(),
    identical: new Set(),
    imageMetrics: [],
    uncounted: undefined,
    conflicts: new Map(),
    nightConflicts: new Map(),
    nights,
    incomparable: undefined,
    secondsLeftOut: 0,
  });
  return drafts.map((draft) => outcomes.get(draft)?.decision);
}
