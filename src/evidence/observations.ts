import { addedVariants } from '../session/measuring.ts';
import { defaultRule, unitOfName, type MetricRule } from '../session/metric.ts';
import { reportedBy, withPatterns } from '../session/patterns.ts';
import { groupedBy, own } from '../session/record.ts';
import { SIDES, type Side } from '../session/run.ts';
import { unitFactor } from '../session/units.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { EvidenceRequest, Rules } from '../session/rules.ts';
import type { Failure, MeasuringCodeRecord, Night, Session, Trial } from '../session/session.ts';
import { lastAttempts, type TimedRun } from '../session/timings.ts';
import { NEWEST_METHOD, type Method, type Profile } from '../statistics/looks.ts';
import { imageMetricsOf, type ImageMetric } from './image-metrics.ts';
import { mediansOf, nightInUnits } from './nights.ts';
import type { ObservedRun } from './observed-run.ts';

/** The input of a verdict: plain values from a session file or from CSVs. */
export interface Observations {
  readonly alpha: number;
  readonly evidence: EvidenceRequest;
  readonly profile: Profile;
  /** Version of the rule that decides. */
  readonly method: Method;
  /** The maximum number of blocks; undefined without a plan: then the runs so far are the plan. */
  readonly cap: number | undefined;
  /**
   * Variants that the base does not have. They form a family of their own, so that they do not lower the others' power.
   */
  readonly added: ReadonlySet<string>;
  /** Their maximum number of blocks, because they are measured separately. */
  readonly addedCap: number | undefined;
  /** Size of the whole family, if these observations are the share of one of several jobs. */
  readonly sharedTests: number | undefined;
  /** Seed of the resampling, so that the same file gives the same figures. */
  readonly seed: number;
  readonly variants: readonly string[];
  /** How each metric is judged, in the order of the report. */
  readonly metrics: readonly MetricRule[];
  readonly runs: readonly ObservedRun[];
  /** One run of each side, before the first block. */
  readonly warmup: readonly Pick<ObservedRun, 'side' | 'variant' | 'outcome'>[];
  /** Trial runs, of sides that failed or were not measured. */
  readonly trials: readonly Trial[];
  /** How often a run of each variant repeats the workload. */
  readonly repetitions: Readonly<Record<string, number>>;
  /** How the head's measuring code differs from the baseline's own; undefined if unknown. */
  readonly measuringCode: MeasuringCodeRecord | undefined;
  /** Whether the session was cancelled: its undecided rows are then `no_data`. */
  readonly interrupted: boolean;
  readonly failures: readonly Failure[];
  /** Variants that were to be measured on both sides, whether or not a block was run. */
  readonly twoSided: ReadonlySet<string>;
  /** Variants without runs, because both sides are the same image. */
  readonly identical: ReadonlySet<string>;
  /** Values of images, independent of runs. */
  readonly imageMetrics: readonly ImageMetric[];
  /**
   * Variants in which valgrind could not count one of two available sides, and why. Undefined for sessions that count
   * nothing: then a missing count is not reported.
   */
  readonly uncounted: ReadonlyMap<string, string> | undefined;
  /** Metrics that cannot be compared because the runs declare them differently, and why. */
  readonly conflicts: ReadonlyMap<string, string>;
  /** The same between the nights and the runs. */
  readonly nightConflicts: ReadonlyMap<string, string>;
  /** Earlier sessions of the baseline, oldest first. */
  readonly nights: readonly Night[];
  /** Why the nights cannot judge these data. */
  readonly incomparable: string | undefined;
  readonly secondsLeftOut: number;
}

/** The observations of a session: its pairs, and the nights that it contains. */
export function observeSession(session: Session): Observations {
  const { rules } = session;
  const runs = runsOf(session);
  const nights = session.nights.map((night) => nightInUnits(night, session.declaredMetrics));
  return {
    alpha: rules.alpha,
    evidence: rules.evidence,
    profile: rules.profile,
    method: rules.method ?? 1,
    cap: Math.min(rules.blocks, session.budget.blocksPlanned ?? rules.blocks),
    added: addedVariants(session.measuring),
    addedCap: Math.min(
      rules.blocks,
      session.budget.addedBlocksPlanned ?? session.budget.blocksPlanned ?? rules.blocks,
    ),
    sharedTests: session.shard?.tests,
    seed: session.seed,
    variants: session.variants,
    metrics: metricsOf(rules, runs, session),
    runs,
    warmup: session.warmup,
    trials: session.trials ?? [],
    repetitions: session.workload.repetitions,
    measuringCode: session.measuringCode,
    interrupted: session.interrupted === true,
    failures: session.failures,
    twoSided: new Set(session.images.filter(({ side }) => side === 'baseline').map(({ variant }) => variant)),
    identical: identicalVariants(session),
    imageMetrics: IMPLIED[session.purpose].judgesImages ? imageMetricsOf(session) : [],
    uncounted: uncountedVariants(session),
    conflicts: new Map([
      ...boundConflicts(session),
      ...Object.entries(session.declaredMetrics).flatMap(([name, { conflict }]) =>
        conflict === undefined ? [] : [[name, conflict] as const],
      ),
    ]),
    nightConflicts: new Map(nights.flatMap(({ conflicts }) => [...conflicts])),
    nights: nights.map(({ night }) => night),
    incomparable: undefined,
    secondsLeftOut: session.budget.secondsLeftOut,
  };
}

export interface TimingsOptions {
  /** The user states that all sessions ran on one machine, because a CSV has no fingerprint. */
  readonly sameMachine: boolean;
  readonly rules?: Rules | undefined;
}

/** Reads timings as observations. Without rules every metric in the file is judged, and lower is better. */
export function observeTimings(
  runs: readonly TimedRun[],
  { sameMachine, rules }: TimingsOptions,
): Observations {
  const sessionsOf = (side: Side) =>
    new Set(runs.filter((run) => run.side === side).map((run) => run.session));
  const [ofBaseline, ofHead] = [sessionsOf('baseline'), sessionsOf('head')];
  const paired = [...ofBaseline].some((session) => ofHead.has(session));
  const bySession = groupedBy(
    runs.filter(({ side, outcome }) => side === 'baseline' && outcome === 'ok'),
    ({ session }) => session,
  );
  const names = namesMet(runs);
  return {
    alpha: rules?.alpha ?? 0.05,
    evidence: 'auto',
    profile: rules?.profile ?? 'balanced',
    method: rules === undefined ? NEWEST_METHOD : (rules.method ?? 1),
    cap: undefined,
    added: new Set(),
    addedCap: undefined,
    sharedTests: undefined,
    seed: 0,
    variants: [...new Set(runs.map(({ variant }) => variant))],
    metrics:
      rules === undefined
        ? names.map((name) => ({ ...defaultRule(name, true), gate: true }))
        : metricsOf(withPatterns(rules, reportedInTimings(runs, paired), {}), runs, undefined),
    runs: paired ? runs : runs.filter(({ side }) => side === 'head'),
    warmup: [],
    trials: [],
    repetitions: {},
    measuringCode: undefined,
    interrupted: false,
    failures: [],
    twoSided: new Set(paired ? runs.map(({ variant }) => variant) : []),
    identical: new Set(),
    imageMetrics: [],
    uncounted: new Map(),
    conflicts: new Map(),
    nightConflicts: new Map(),
    nights: paired
      ? []
      : [...ofBaseline].map((session) => ({
          session,
          started: '',
          sameMachine,
          changedFiles: null,
          residuals: {},
          centres: {},
          medians: mediansOf(bySession.get(session) ?? []),
        })),
    incomparable:
      paired || sameMachine || ofBaseline.size === 0
        ? undefined
        : 'the sides come from different sessions, and a CSV does not name its machine; if it was the same one, set --same-machine',
    secondsLeftOut: 0,
  };
}

/** A CSV has no warm-up, so its runs decide what was reported. */
const reportedInTimings = (runs: readonly TimedRun[], paired: boolean) =>
  reportedBy([...new Set(runs.map(({ variant }) => variant))], (_, side) => paired || side === 'head', runs);

const runsOf = (session: Session): readonly ObservedRun[] =>
  lastAttempts(session.runs).map((run) => ({ ...run, session: session.id }));

function namesMet(
  runs: readonly { readonly metrics: Readonly<Record<string, number>> }[],
): readonly string[] {
  const met = new Set<string>();
  for (const { metrics } of runs) for (const name of Object.keys(metrics)) met.add(name);
  return [...met];
}

/** Every metric with a rule, then the others in the data, which are shown and never judged. */
function metricsOf(
  rules: Rules,
  runs: readonly { readonly metrics: Readonly<Record<string, number>> }[],
  session: Session | undefined,
): MetricRule[] {
  const ruled = new Set(rules.metrics.map(({ name }) => name));
  const unruled = namesMet(runs)
    .filter((name) => !ruled.has(name))
    .map((name): MetricRule => {
      const declared = session === undefined ? undefined : own(session.declaredMetrics, name);
      const rule = defaultRule(name, false);
      return {
        ...rule,
        gate: false,
        unit: declared?.unit ?? unitOfName(name),
        better: declared?.better ?? rule.better,
      };
    });
  // The unit comes from the benchmark's file, so the configuration need not repeat it.
  const ofConfiguration = rules.metrics.map((rule) =>
    rule.unit === '' && session !== undefined
      ? { ...rule, unit: own(session.declaredMetrics, rule.name)?.unit ?? '' }
      : rule,
  );
  return [...ofConfiguration, ...unruled];
}

/** Metrics with an absolute bound in a unit that the workload's unit cannot be converted into. */
const boundConflicts = ({ rules, declaredMetrics }: Session): readonly (readonly [string, string])[] =>
  rules.metrics.flatMap(({ name, unit, max, min }) => {
    const reported = own(declaredMetrics, name)?.unit;
    if ((max ?? min) === undefined || unit === '' || reported === undefined) return [];
    return unitFactor(reported, unit) === undefined
      ? [
          [
            name,
            `its ${max === undefined ? 'min' : 'max'} is in ${unit}, and the workload reports it in ${reported}`,
          ],
        ]
      : [];
  });

function uncountedVariants({ purpose, images }: Session): ReadonlyMap<string, string> | undefined {
  if (!IMPLIED[purpose].counts) return undefined;
  const sidesOf = (variant: string) => images.filter((image) => image.variant === variant);
  return new Map(
    images.flatMap(({ variant, counted, uncounted }) =>
      counted === undefined && sidesOf(variant).length === SIDES.length
        ? [[variant, uncounted ?? 'its instructions were not counted on both sides'] as const]
        : [],
    ),
  );
}

/** Variants that were not run because both sides are one image. */
export function identicalVariants(session: Session): ReadonlySet<string> {
  if (!IMPLIED[session.purpose].skipsIdentical) return new Set();
  const identity = (variant: string, side: Side) =>
    session.images.find((image) => image.variant === variant && image.side === side)?.identity;
  return new Set(
    session.variants.filter((variant) => {
      const [baseline, head] = SIDES.map((side) => identity(variant, side));
      return baseline !== undefined && baseline === head;
    }),
  );
}
