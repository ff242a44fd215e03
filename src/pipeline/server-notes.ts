import type { Workload } from '../plan/plan.ts';
import type { Run } from '../session/run.ts';

/** From here on one processor's time is the load's limit: a load of one thread, or of Python's threads, can do no more. */
const SATURATED = 0.9;
/** Above it the load has several processes, and its limit is not known. */
const SEVERAL_PROCESSES = 1.1;

/** What a reader of a server's figures has to know about the load and the stop; nothing where all is well. */
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
          `The load kept a whole processor busy in ${busy} of ${shares.length} runs: if it is one thread, or Python's threads, it can do no more, and wall time and rates are the load's own. CPU time is the server's all the same.`,
        ]
      : []),
    ...(killed === 0
      ? []
      : [
          `The server did not end by ${server.stop} within ${server.stopTimeoutSeconds} s and was killed in ${killed} of ${runs.length} runs, each of which waited as long: workload.server.stop names another signal, and stop-timeout a shorter wait.`,
        ]),
  ];
}
