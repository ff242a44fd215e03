import type { Workload } from '../plan/plan.ts';
import type { Run } from '../session/run.ts';

/**
 * At this share of one processor's time the load itself is the limit. This holds for a load of one thread, or of
 * Python's threads.
 */
const SATURATED = 0.9;
/** Above this share the load has several processes, and its limit is unknown. */
const SEVERAL_PROCESSES = 1.1;

/** Notes about the load and the stop of a server; empty if all is well. */
export function serverNotes({ server }: Workload, runs: readonly Run[]): readonly string[] {
  if (server === undefined) return [];
  const shares = runs.flatMap(({ metrics: { load_cpu_time_s: cpu, wall_time_s: wall } }) =>
    cpu === undefined || wall === undefined || wall === 0 ? [] : [cpu / wall],
  );
  const busy = shares.filter((share) => share >= SATURATED && share <= SEVERAL_PROCESSES).length;
  const killed = runs.filter(
    ({ metrics: { stop_time_s: stop } }) => stop !== undefined && stop >= server.stopTimeoutSeconds,
  ).length;
  return [
    ...(busy * 2 > shares.length
      ? [
          `The load kept a whole processor busy in ${busy} of ${shares.length} runs. If it is one thread, or Python's threads, it was at its limit: wall time and rates then measure the load. CPU time still measures the server.`,
        ]
      : []),
    ...(killed === 0
      ? []
      : [
          `The server did not end by ${server.stop} within ${server.stopTimeoutSeconds} s and was killed in ${killed} of ${runs.length} runs, each of which waited for that time. Set another signal in workload.server.stop, or a shorter stop-timeout.`,
        ]),
  ];
}
