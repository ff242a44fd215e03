import { isTested } from '../session/metric.ts';
import type { LevelShift, Point } from '../session/history.ts';
import type { Night, Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';
import { changePoints } from '../statistics/change-points.ts';
import { nightMedians } from './pairs.ts';
import { mediansOf, nightInUnits, nightsLike, valueIn } from './nights.ts';

/**
 * Points at which the nights' medians of a judged row moved to another level, on the newest night's machine with its
 * measuring code. They are shown; no verdict depends on them.
 */
export function levelShifts(newest: Session, sessions: readonly Session[]): LevelShift[] {
  const nights = nightsLike(newest, sessions).map((session) => {
    const night: Night = {
      session: session.id,
      started: session.started,
      sameMachine: true,
      changedFiles: null,
      medians: mediansOf(
        lastAttempts(session.runs).filter(({ side, outcome }) => side === 'baseline' && outcome === 'ok'),
      ),
      residuals: {},
      centres: {},
      declared: session.declaredMetrics,
    };
    return { at: pointOf(session), medians: nightInUnits(night, newest.declaredMetrics).night.medians };
  });
  const judged = newest.rules.metrics.filter(isTested);
  return newest.variants.flatMap((variant) =>
    judged.flatMap(({ name: metric }) => {
      const own = nights.filter(({ medians }) => valueIn(medians, variant, metric) !== undefined);
      const shifts = changePoints(nightMedians(own, variant, metric));
      return shifts.flatMap(({ index, change, p }): LevelShift[] => {
        const at = own[index]?.at;
        return at === undefined ? [] : [{ variant, metric, change, p, at }];
      });
    }),
  );
}

/** A night's date and commit. */
export const pointOf = ({ started, source }: Session): Point => ({
  started,
  commit: source.baseline?.commit ?? '',
});

/** The nights of a row since its last level shift. */
export interface Level {
  readonly nights: readonly Night[];
  /** The shift with which the level began; undefined without a shift. */
  readonly shift: { readonly started: string; readonly change: number; readonly before: number } | undefined;
}

/** Older nights are of another level, so only those since the last shift predict the next one. */
export function sinceLastShift(nights: readonly Night[], variant: string, metric: string): Level {
  const own = nights
    .filter(({ medians }) => valueIn(medians, variant, metric) !== undefined)
    // Files named by hand come in any order.
    .sort((a, b) => (a.started < b.started ? -1 : Number(a.started > b.started)));
  const last = changePoints(nightMedians(own, variant, metric)).at(-1);
  const first = last === undefined ? undefined : own[last.index];
  if (last === undefined || first === undefined) return { nights: own, shift: undefined };
  return {
    nights: own.slice(last.index),
    shift: { started: first.started, change: last.change, before: last.index },
  };
}
