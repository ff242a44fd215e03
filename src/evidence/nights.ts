import { median } from 'simple-statistics';
import { type DeclaredMetrics } from '../session/declared.ts';
import { groupedBy, own } from '../session/record.ts';
import { sameMachine, type Night, type Session } from '../session/session.ts';
import { lastAttempts, valuesByMetric } from '../session/timings.ts';
import { converted, unitFactor } from '../session/units.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { finiteExp, logRatios, pairsOf } from './pairs.ts';

/** Adds the nights to a session that judge it, so that its file gives the same verdict on any day. */
export const withNights = (session: Session, history: readonly Session[]): Session => ({
  ...session,
  nights: nightsFor(session, history),
});

/** Conditions for one session to be a night of another. */
type Here = Pick<Session, 'id' | 'machine' | 'workload'>;

/**
 * The stored sessions as a newer one sees them, oldest first. Sessions of the anchor are not nights: their baseline is
 * an older commit. Only recent nights of the same machine and measuring code keep their noise, so that a gate's file
 * does not grow with the history.
 */
export function nightsFor(here: Here, history: readonly Session[]): Night[] {
  let noisy = 0;
  const nights = [...history].reverse().flatMap((earlier): Night[] => {
    if (earlier.id === here.id || earlier.purpose === 'anchor') return [];
    const night = nightOf(earlier, here);
    if (night === undefined) return [];
    const like = night.sameMachine && night.changedFiles === null;
    if (!like || noisy >= RECENT_NIGHTS || earlier.purpose !== 'nightly') return [night];
    noisy += 1;
    return [{ ...night, ...pairNoise(earlier) }];
  });
  return nights.reverse();
}

/** One stored session as a night of another, without its noise; undefined if it has no runs of a baseline. */
function nightOf(earlier: Session, here: Here): Night | undefined {
  const runs = lastAttempts(earlier.runs).filter(
    ({ side, outcome }) => side === 'baseline' && outcome === 'ok',
  );
  if (runs.length === 0) return undefined;
  return {
    session: earlier.id,
    started: earlier.started,
    sameMachine: sameMachine(earlier.machine, here.machine),
    changedFiles: changedFiles(earlier, here),
    medians: mediansOf(runs),
    residuals: {},
    centres: {},
    declared: Object.keys(earlier.declaredMetrics).length === 0 ? undefined : earlier.declaredMetrics,
  };
}

/** A night's medians, with the names and units of a newer session. */
export interface NightInUnits {
  readonly night: Night;
  /** Metrics that are left out, and why they cannot be compared. */
  readonly conflicts: ReadonlyMap<string, string>;
}

/**
 * A night's medians under the names and in the units of a newer session.
 * @param declared what the newer session's workload says of its own metrics
 */
export function nightInUnits(night: Night, declared: DeclaredMetrics): NightInUnits {
  const { declared: said } = night;
  const conflicts = new Map<string, string>();
  if (said === undefined) return { night, conflicts };
  const byFullName = new Map(
    Object.entries(declared).flatMap(([name, { full }]) =>
      full === undefined ? [] : [[full, name] as const],
    ),
  );
  const factors = new Map<string, { readonly name: string; readonly factor: number } | undefined>();
  for (const [reported, { full, unit, better, conflict }] of Object.entries(said)) {
    const name = (full === undefined ? undefined : byFullName.get(full)) ?? reported;
    const now = own(declared, name);
    // The newer session does not report the metric, so there is nothing to compare.
    if (now === undefined && name === reported) continue;
    const factor = unit === undefined || now?.unit === undefined ? 1 : unitFactor(unit, now.unit);
    const reason =
      conflict ??
      (factor === undefined
        ? `the stored sessions have it in ${unit ?? ''} and the head in ${now?.unit ?? ''}, and one cannot be converted into the other`
        : (better ?? 'lower') !== (now?.better ?? 'lower')
          ? `in the stored sessions ${better ?? 'lower'} is better, and the head reports that ${now?.better ?? 'lower'} is`
          : undefined);
    if (reason !== undefined) conflicts.set(name, reason);
    factors.set(reported, reason === undefined ? { name, factor: factor ?? 1 } : undefined);
  }
  const turned = <Value>(
    byVariant: Readonly<Record<string, Readonly<Record<string, Value>>>>,
    turn: (value: Value, factor: number) => Value,
  ): Record<string, Record<string, Value>> =>
    Object.fromEntries(
      Object.entries(byVariant).map(([variant, values]) => [
        variant,
        Object.fromEntries(
          Object.entries(values).flatMap(([reported, value]) => {
            if (!factors.has(reported)) return [[reported, value]];
            const to = factors.get(reported);
            return to === undefined ? [] : [[to.name, turn(value, to.factor)]];
          }),
        ),
      ]),
    );
  return {
    conflicts,
    night: {
      ...night,
      medians: turned(night.medians, converted),
      residuals: turned(night.residuals, (value) => value),
      centres: turned(night.centres, (value) => value),
    },
  };
}

/** Log ratios of a session's pairs, less their centre, and the centre, for every row with enough pairs. */
export function pairNoise(session: Session): Pick<Night, 'residuals' | 'centres'> {
  const noise = (figure: (ratios: Float64Array, centre: number) => number | number[]) =>
    Object.fromEntries(
      [...pairRatios(session)].map(([variant, metrics]) => [
        variant,
        Object.fromEntries(
          [...metrics].map(([metric, ratios]) => [metric, figure(ratios, centreOf(ratios))]),
        ),
      ]),
    );
  return {
    residuals: noise((ratios, centre) =>
      Array.from(ratios, (ratio) => rounded(ratio - centre)),
    ) as Night['residuals'],
    centres: noise((_, centre) => rounded(centre)) as Night['centres'],
  };
}

/** Six digits are enough: a gate's file has many of these values, and noise is far larger. */
const rounded = (value: number) => Number(value.toFixed(6));

/** Variant -> metric -> log(head / baseline) of each pair of a session, for every row with enough pairs. */
export function pairRatios(session: Session): ReadonlyMap<string, ReadonlyMap<string, Float64Array>> {
  const runs = lastAttempts(session.runs).map((run) => ({ ...run, session: session.id }));
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];
  const byVariant = groupedBy(runs, ({ variant }) => variant);
  return new Map(
    session.variants.map((variant) => [
      variant,
      new Map(
        metrics.flatMap((metric) => {
          const ratios = logRatios(pairsOf(byVariant.get(variant) ?? [], variant, metric));
          return ratios === undefined || ratios.length < PAIRS_FOR_NOISE ? [] : [[metric, ratios] as const];
        }),
      ),
    ]),
  );
}

/** Reads variant -> metric -> value of a night from a file. */
export const valueIn = <Value>(
  byVariant: Readonly<Record<string, Readonly<Record<string, Value>>>>,
  variant: string,
  metric: string,
): Value | undefined => own(own(byVariant, variant) ?? {}, metric);

/** Pairs that are needed to estimate a session's noise. */
const PAIRS_FOR_NOISE = 8;
/** Only recent nights describe the machine as it is now. */
export const RECENT_NIGHTS = 14;

/** The noise of a row on recent nights of this machine with this measuring code, one list for each night. */
export const residualsOf = (
  nights: readonly Night[],
  variant: string,
  metric: string,
): readonly (readonly number[])[] =>
  noisyNights(nights, variant, metric).map(({ residuals }) => valueIn(residuals, variant, metric) ?? []);

/** The log ratios of those nights, with the centre removed. */
export const nightRatiosOf = (
  nights: readonly Night[],
  variant: string,
  metric: string,
): readonly Float64Array[] =>
  noisyNights(nights, variant, metric).map(({ residuals, centres }) =>
    Float64Array.from(
      valueIn(residuals, variant, metric) ?? [],
      (residual) => residual + (valueIn(centres, variant, metric) ?? 0),
    ),
  );

const noisyNights = (nights: readonly Night[], variant: string, metric: string): readonly Night[] =>
  nights
    .filter(
      ({ sameMachine, changedFiles, residuals }) =>
        sameMachine && changedFiles === null && (valueIn(residuals, variant, metric) ?? []).length > 0,
    )
    .slice(-RECENT_NIGHTS);

/** The runs of one side, each of one variant. */
type Measured = readonly {
  readonly variant: string;
  readonly metrics: Readonly<Record<string, number>>;
}[];

/**
 * Variant -> metric -> median in the metric's unit, computed from the logarithms; metrics with values that are not
 * positive have none.
 */
export function mediansOf(runs: Measured): Night['medians'] {
  return Object.fromEntries(
    [...valuesByMetric(runs)].map(([variant, metrics]) => [
      variant,
      Object.fromEntries(
        [...metrics]
          .filter(([, some]) => some.every((value) => value > 0))
          .map(([metric, some]) => [metric, finiteExp(median(some.map(Math.log)))]),
      ),
    ]),
  );
}

/** Paths of the measuring code that differ, or null if it is the same. */
function changedFiles(
  earlier: Pick<Session, 'workload'>,
  session: Pick<Session, 'workload'>,
): string[] | null {
  if (earlier.workload.hash === session.workload.hash) return null;
  const paths = new Set([...Object.keys(earlier.workload.files), ...Object.keys(session.workload.files)]);
  const changed = [...paths].filter(
    (path) => own(earlier.workload.files, path) !== own(session.workload.files, path),
  );
  return changed.length === 0 ? ['the command or its settings'] : changed.sort();
}

/** The nights that are comparable with the newest: same kind of machine, same measuring code. */
export function nightsLike(newest: Session, sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(
    (session) =>
      session.purpose !== 'anchor' &&
      sameMachine(session.machine, newest.machine) &&
      changedFiles(session, newest) === null,
  );
}

/** The newest night on which the baseline was measured against itself. */
export const newestNight = (sessions: readonly Session[]): Session | undefined =>
  sessions.findLast(({ purpose }) => purpose === 'nightly');
