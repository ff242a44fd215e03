import { median } from 'simple-statistics';
import { sameMachine, type Night, type Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { logRatios, pairsOf } from './evidence.ts';

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
      residuals: earlier.purpose === 'nightly' ? pairResiduals(earlier) : {},
    },
  ];
}

/** Log ratios of a session's pairs about their centre, for every row that has enough of them. */
export function pairResiduals(session: Session): Night['residuals'] {
  const runs = lastAttempts(session.runs).map((run) => ({ ...run, session: session.id }));
  const metrics = [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))];
  return Object.fromEntries(
    session.variants.map((variant) => [
      variant,
      Object.fromEntries(
        metrics.flatMap((metric) => {
          const ratios = logRatios(pairsOf(runs, variant, metric));
          if (ratios === undefined || ratios.length < PAIRS_FOR_NOISE) return [];
          const centre = centreOf(ratios);
          // Six digits are far below any noise, and a gate's file carries many of them.
          return [[metric, Array.from(ratios, (ratio) => Number((ratio - centre).toFixed(6)))]];
        }),
      ),
    ]),
  );
}

/** Fewer pairs say little of a session's noise. */
const PAIRS_FOR_NOISE = 8;
/** Recent nights are the machine as it is now. */
const RECENT_NIGHTS = 14;

/** The noise of a row on recent nights of this machine with this measuring code, one list for each night. */
export const residualsOf = (
  nights: readonly Night[],
  variant: string,
  metric: string,
): readonly (readonly number[])[] =>
  nights
    .filter(({ sameMachine, changedFiles }) => sameMachine && changedFiles === null)
    .flatMap(({ residuals }) => {
      const own = residuals[variant]?.[metric];
      return own === undefined || own.length === 0 ? [] : [own];
    })
    .slice(-RECENT_NIGHTS);

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
