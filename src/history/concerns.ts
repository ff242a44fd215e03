import type { Creep, History, LevelShift } from '../session/history.ts';
import type { Rules } from '../session/rules.ts';

/** What the nights show that somebody should look at. */

export type Concern =
  /** The night measured or stored less than it was asked to. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'shift'; readonly shift: LevelShift }
  | { readonly kind: 'creep'; readonly creep: Creep }
  /** False alarms are more frequent than the rules promise. Shares of the nights, with the exact 95 % interval. */
  | {
      readonly kind: 'alarms';
      readonly nights: number;
      readonly of: number;
      readonly low: number;
      readonly high: number;
      readonly promised: number;
    };

/** At least this share of a level shift remains after the later ones, as a logarithm, or it has been taken back. */
const REMAINING = 0.5;

/**
 * The concerns of a history: level shifts for the worse that no later one took back, creep against the anchor, and a
 * rate of false alarms whose whole interval lies above `alpha`.
 */
export function concernsOf(
  { alarms, anchor, shifts }: Pick<History, 'alarms' | 'anchor' | 'shifts'>,
  { alpha, metrics }: Pick<Rules, 'alpha' | 'metrics'>,
): readonly Concern[] {
  const lowerIsBetter = (metric: string) => metrics.find(({ name }) => name === metric)?.better !== 'higher';
  const worse = ({ metric, change }: LevelShift) => (lowerIsBetter(metric) ? 1 : -1) * Math.log1p(change);
  const standing = shifts.filter((shift) => {
    const later = shifts.filter(
      ({ variant, metric, at }) =>
        variant === shift.variant && metric === shift.metric && at.started > shift.at.started,
    );
    const size = worse(shift);
    return size > 0 && later.reduce((left, other) => left + worse(other), size) >= REMAINING * size;
  });
  const { nights, low, high } = alarms.regressed;
  return [
    ...standing.map((shift): Concern => ({ kind: 'shift', shift })),
    ...(anchor?.creeps ?? []).map((creep): Concern => ({ kind: 'creep', creep })),
    ...(low > alpha
      ? [{ kind: 'alarms' as const, nights, of: alarms.nights, low, high, promised: alpha }]
      : []),
  ];
}

/** What a concern is about, whatever its figures are tonight: the same concern has the same name. */
export function concernName(concern: Concern): string {
  switch (concern.kind) {
    case 'failed':
    case 'alarms':
      return concern.kind;
    case 'creep':
      return `creep ${concern.creep.variant} ${concern.creep.metric}`;
    case 'shift':
      return `shift ${concern.shift.variant} ${concern.shift.metric} ${concern.shift.at.started.slice(0, 10)}`;
  }
}
