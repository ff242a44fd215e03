import type { ProgressEvent } from '../measure/loop.ts';
import type { Log } from '../pipeline/ports.ts';

/** A log that can also show a line which the next one replaces; a runner's log leaves those out. */
export type ProgressLog = Log & { readonly transient: (line: string) => void };

/** Says what the measurement is doing: a moving line on a terminal, a line a block in a log. */
export function reportProgress(log: ProgressLog): (event: ProgressEvent) => void {
  let block = 0;
  return (event) => {
    switch (event.kind) {
      case 'warm-up':
        log.transient(`warm-up: ${event.variant} (${event.side})`);
        return;
      case 'plan': {
        const cut =
          event.blocks < event.blocksPlanned
            ? ` (${event.blocksPlanned} planned; the budget allows ${event.blocks})`
            : '';
        log.info(
          `${event.runs} runs in ${event.blocks} blocks of ${count(event.variants, 'variant')}${cut}: about ${duration(event.seconds)}`,
        );
        return;
      }
      case 'run': {
        const { run, runsDone, runsTotal } = event;
        if (run.block !== block) {
          block = run.block;
          // One line a block is what a runner's log can bear; a terminal sees every run.
          if (block % 5 === 0) log.info(`block ${block}: ${runsDone} of ${runsTotal} runs`);
        }
        log.transient(
          `block ${run.block}  ${run.variant} (${run.side})  ${seconds(run.metrics['wall_time_s'])}  ${runsDone}/${runsTotal} runs`,
        );
        return;
      }
      case 'repeat':
        log.warn(
          `${event.variant}: the engine failed, the pair is repeated (${event.attempt} of 2): ${event.message}`,
        );
        return;
      case 'dropped':
        log.warn(event.failure.message);
        return;
      case 'budget':
        log.warn(
          `The budget is used up: ${count(event.blocksLeftOut, 'block')} left out, which would take about ${duration(event.secondsLeftOut)}.`,
        );
        return;
    }
  };
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

const seconds = (value: number | undefined) => (value === undefined ? '' : `${value.toFixed(3)} s`);

/** 42 s, 3.5 min. */
export function duration(value: number): string {
  return value < 90 ? `${Math.max(1, Math.round(value))} s` : `${(value / 60).toFixed(1)} min`;
}
