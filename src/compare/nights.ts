import { median } from 'simple-statistics';
import { sameMachine, type Night, type Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';

/** A session that carries the nights it is to be judged by, so that its file gives the same verdict on any day. */
export const withNights = (session: Session, history: readonly Session[]): Session => ({
  ...session,
  nights: history.filter(({ id }) => id !== session.id).flatMap((earlier) => nightOf(earlier, session)),
});

/** One stored session as another one sees it; none where it has no runs of a baseline. */
function nightOf(earlier: Session, session: Session): Night[] {
  const runs = lastAttempts(earlier.runs).filter(
    ({ side, outcome }) => side === 'baseline' && outcome === 'ok',
  );
  if (runs.length === 0) return [];
  return [
    {
      session: earlier.id,
      started: earlier.started,
      sameMachine: sameMachine(earlier.machine, session.machine),
      changedFiles: changedFiles(earlier, session),
      medians: mediansOf(runs),
    },
  ];
}

/** The runs of one side, each of one variant. */
type Measured = readonly {
  readonly variant: string;
  readonly metrics: Readonly<Record<string, number>>;
}[];

/**
 * Variant -> metric -> median in the metric's unit, taken of the logarithms; metrics with values that are not
 * positive have none.
 */
export function mediansOf(runs: Measured): Night['medians'] {
  const values = new Map<string, Map<string, number[]>>();
  for (const { variant, metrics } of runs) {
    const own = values.get(variant) ?? new Map<string, number[]>();
    values.set(variant, own);
    for (const [metric, value] of Object.entries(metrics))
      own.set(metric, [...(own.get(metric) ?? []), value]);
  }
  return Object.fromEntries(
    [...values].map(([variant, metrics]) => [
      variant,
      Object.fromEntries(
        [...metrics]
          .filter(([, some]) => some.every((value) => value > 0))
          .map(([metric, some]) => [metric, Math.exp(median(some.map(Math.log)))]),
      ),
    ]),
  );
}

/** Paths of the measuring code that differ, or null where it is the same. */
function changedFiles(earlier: Session, session: Session): string[] | null {
  if (earlier.workload.hash === session.workload.hash) return null;
  const paths = new Set([...Object.keys(earlier.workload.files), ...Object.keys(session.workload.files)]);
  const changed = [...paths].filter((path) => earlier.workload.files[path] !== session.workload.files[path]);
  return changed.length === 0 ? ['the command or its settings'] : changed.sort();
}
