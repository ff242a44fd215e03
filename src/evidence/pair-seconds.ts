import { median } from 'simple-statistics';
import { own } from '../session/record.ts';
import { SIDES, type Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';

/**
 * The seconds that a pair of each variant occupied the machine: a run of each side, including the start and end of the
 * containers. A variant without a successful run is missing.
 */
export function pairSeconds(session: Session): ReadonlyMap<string, number> {
  const ok = lastAttempts(session.runs).filter(({ outcome }) => outcome === 'ok');
  const seconds = secondsOf(ok, session);
  return new Map(
    session.variants.flatMap((variant): [string, number][] => {
      const runs = ok.filter((run) => run.variant === variant);
      if (runs.length === 0) return [];
      const pair = SIDES.reduce((sum, side) => {
        const lasted = runs.flatMap((run) => (run.side === side ? [seconds.get(run) ?? 0] : []));
        return sum + (lasted.length === 0 ? 0 : median(lasted));
      }, 0);
      return [[variant, pair]];
    }),
  );
}

/** How long each run occupied the machine: until the next one began, including the containers' start and end. */
function secondsOf(runs: readonly Run[], { workload }: Session): ReadonlyMap<Run, number> {
  const ordered = [...runs].sort((a, b) => (a.started < b.started ? -1 : 1));
  return new Map(
    ordered.map((run, index) => {
      const next = ordered[index + 1];
      const lasted = (run.metrics['wall_time_s'] ?? 0) * (own(workload.repetitions, run.variant) ?? 1);
      const until = next === undefined ? lasted : (Date.parse(next.started) - Date.parse(run.started)) / 1000;
      return [run, Math.max(lasted, until)];
    }),
  );
}
