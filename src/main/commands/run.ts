import { Option } from 'commander';
import { measureTree } from '../../pipeline/measure-tree.ts';
import { renderMeasurementMarkdown } from '../../report/measurement.ts';
import { SIDES, type Side } from '../../session/run.ts';
import type { Session } from '../../session/session.ts';
import type { OutFolder } from '../../out-folder/out-folder.ts';
import { writeResults } from '../../pipeline/results.ts';
import {
  COULD_NOT_BE_MEASURED,
  isIncomplete,
  logOutFolder,
  TERMINAL,
  withRun,
  type AddCommand,
  type CommandContext,
} from './command.ts';
import { measurementText, timelinesFor } from './formats.ts';
import { openProjectHere, option, type Planned } from './options.ts';

/** `pacegate run`: measures the files of the working folder as one side. */

interface RunOptions extends Planned {
  readonly side: Side;
}

export const addRun: AddCommand = (program, context, done) => {
  program
    .command('run')
    .description('build and measure the files here as one side')
    .addOption(option.config())
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(new Option('--side <side>', 'the name of the measured side').choices(SIDES).default('head'))
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: RunOptions) => done(await runCommandOfOneSide(context, options)));
};

/** `run`: measures one side. The name `run` already means one run of a container here. */
export async function runCommandOfOneSide(context: CommandContext, options: RunOptions): Promise<number> {
  const project = await openProjectHere(options);
  return await withRun(context, options.out, async (run, ports) => {
    const request = { side: options.side, event: TERMINAL.event };
    const { session, interrupted } = await measureTree(project, request, run, ports, context.signal);
    await keepMeasurement(run.out, session);
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(measurementText(session, options, context.colour, timelines));
    logOutFolder(context, run.out, session);
    return interrupted || isIncomplete(session) ? COULD_NOT_BE_MEASURED : 0;
  });
}

async function keepMeasurement(out: OutFolder, session: Session): Promise<void> {
  await writeResults(out, session, undefined, () => renderMeasurementMarkdown(session));
}
