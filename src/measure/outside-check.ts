import type { RunResult } from './engine.ts';

/**
 * How much more the container may have used than its run says, in seconds and as a share. Twenty honest runs of four kinds
 * (one process, 60 forks, short repetitions, nothing but starts) were between 0.05 s less and 0.01 s more on a busy machine
 * of two processors; the share is for longer ones, whose counts agree within 1.1 % (benchmarks/AGREEMENT.md).
 */
const MARGIN_SECONDS = 0.1;
const MARGIN_SHARE = 0.05;
/**
 * The same of a server's round, whose two looks are taken inside what its probe measures: of twelve honest rounds of 20, 60
 * and 150 requests (0.04 to 0.36 s) the kernel's count was 0.3 to 0.7 ms less each time.
 */
export const MARGIN_SECONDS_OF_A_ROUND = 0.03;
/** Without a cgroup in the container the probe counts processes, and an engine in between (gVisor) works for it too. */
const MARGIN_SHARE_OF_PROCESSES = 2;
/** The largest CPU time that is accepted as the probe's own, because a run could be hidden in it. */
const MOST_BESIDE_SECONDS = 1;

/**
 * Compares the CPU time that a run's probe wrote down, inside the container, with the kernel's count of the container as
 * it is read on this machine, outside. The image's own interpreter runs the probe, so an image can change its answer: it
 * cannot change what the kernel counts.
 *
 * @param outsideSeconds CPU time of the whole container at the last look, up to a quarter of a second before its end: it may
 *   be less than what the run took, and never more
 * @returns the run as it is, or as one that failed
 */
export function checkedFromOutside(
  result: RunResult,
  repetitions: number,
  outsideSeconds: number | undefined,
  marginSeconds = MARGIN_SECONDS,
): RunResult {
  const cpu = result.metrics['cpu_time_s'];
  if (result.outcome !== 'ok' || cpu === undefined || outsideSeconds === undefined) return result;
  const { cgroup = false, besideSeconds = 0 } = result.inside ?? {};
  const inside = cpu * repetitions + Math.min(besideSeconds, MOST_BESIDE_SECONDS);
  const share = cgroup ? MARGIN_SHARE : MARGIN_SHARE_OF_PROCESSES;
  if (outsideSeconds <= inside * (1 + share) + marginSeconds) return result;
  return {
    outcome: 'nonzero',
    metrics: {},
    declared: {},
    noise: result.noise,
    exitStatus: null,
    message: `the figures from inside and outside differ: the run reports that its container used ${inside.toFixed(2)} s of CPU time, and the kernel counted ${outsideSeconds.toFixed(2)} s. Something in the image changes what the probe reports, such as another program in the place of the interpreter`,
  };
}
