import type { ProgressEvent } from '../measure/loop.ts';
import { logDuration } from '../report/durations.ts';
import type { Log } from './ports.ts';

/** A log with lines that the next line replaces. A runner's log omits such lines. */
export type ProgressLog = Log & { readonly transient: (line: string) => void };

/** Reports the progress: a moving line on a terminal, or single lines in a log. */
export function reportProgress(log: ProgressLog): (event: ProgressEvent) => void {
  let [block, planned] = [0, 0];
  return (event) => {
    switch (event.kind) {
      case 'warm-up':
        log.transient(`warm-up: ${event.variant} (${event.side})`);
        return;
      case 'plan':
        planned = event.blocks;
        log.info(planLine(event));
        return;
      case 'run': {
        const { run, runsDone, secondsLeft } = event;
        // A runner's log gets a line for every fifth block only. A terminal shows every run.
        if (run.block !== block && run.block % 5 === 0)
          log.info(
            `block ${run.block} of at most ${planned}: ${count(runsDone, 'run')}; ${logDuration(secondsLeft)} of the budget left`,
          );
        block = run.block;
        log.transient(
          `block ${run.block}  ${run.variant} (${run.side})  ${seconds(run.metrics['wall_time_s'])}  ${count(runsDone, 'run')}`,
        );
        return;
      }
      case 'decided':
        log.info(
          `block ${event.block}: ${event.variants.join(', ')} decided${event.open === 0 ? '' : `; ${count(event.open, 'variant')} to go`}`,
        );
        return;
      case 'stopped':
        log.warn(
          `block ${event.block}: ${event.variants.join(', ')} stopped: the rest of the budget is unlikely to decide anything of ${event.variants.length === 1 ? 'it' : 'them'}`,
        );
        return;
      case 'repeat':
        log.warn(
          `${event.variant}: the engine failed, the pair is repeated (${event.attempt} of 3): ${event.message}`,
        );
        return;
      case 'dropped':
        log.warn(event.failure.message);
        return;
      case 'budget':
        log.warn(
          `The budget leaves rows undecided: about ${count(event.blocksLeftOut, 'more block')} would decide them, ${logDuration(event.secondsLeftOut)}.`,
        );
        return;
    }
  };
}

/** The expected duration, and the longest if that is more. */
function planLine(event: Extract<ProgressEvent, { readonly kind: 'plan' }>): string {
  const cut = event.blocks < event.blocksPlanned ? ` (not ${event.blocksPlanned}, for the budget)` : '';
  const short =
    event.secondsAtMost > event.secondsLeft
      ? `, of which the budget has ${logDuration(event.secondsLeft)} left`
      : '';
  const most =
    event.secondsAtMost > event.seconds * 1.05
      ? `; at most ${event.blocks} blocks${cut}, ${logDuration(event.secondsAtMost)}${short}`
      : cut;
  return `${count(event.variants, 'variant')}: about ${logDuration(event.seconds)}${most}`;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

const seconds = (value: number | undefined) => (value === undefined ? '' : `${value.toFixed(3)} s`);
