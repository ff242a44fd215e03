import { Option } from 'commander';
import { ConfigurationError, StoreError } from '../../errors/errors.ts';
import { measureNight } from '../../pipeline/measure-night.ts';
import { endOf } from '../../pipeline/night-end.ts';
import { renderNightlyMarkdown } from '../../report/nightly.ts';
import { writeResults } from '../../pipeline/results.ts';
import { addBranchCommands } from './baseline-branch.ts';
import { logOutFolder, TERMINAL, withRun, type AddCommand, type CommandContext } from './command.ts';
import { nightText, timelinesFor } from './formats.ts';
import { openProjectHere, option, type Planned } from './options.ts';

/** `pacegate baseline`: measures a night and stores its session. */

interface BaselineOptions extends Planned {
  readonly anchor?: boolean;
}

export const addBaseline: AddCommand = (program, context, done) => {
  const baseline = program
    .command('baseline')
    // An option after a command below belongs to that command.
    .enablePositionalOptions()
    .description('measure this commit against itself and append the session to the baseline branch')
    .addOption(option.config())
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.budget())
    .addOption(option.seed())
    .addOption(option.branch())
    .addOption(new Option('--anchor', 'compare with rules.anchor even if a week has not passed'))
    .action(async (options: BaselineOptions) => done(await baselineCommand(context, options)));
  addBranchCommands(baseline, context, done);
};

export async function baselineCommand(context: CommandContext, options: BaselineOptions): Promise<number> {
  const project = await openProjectHere(options);
  return await withRun(context, options.out, async (run, ports) => {
    const night = await measureNight(
      project,
      { ...TERMINAL, anchorNow: options.anchor ?? false },
      run,
      ports,
      context.signal,
    );
    const { session, comparison, stored } = night;
    const { remarks, status, failure } = endOf(night, project.plan.baselineBranch);
    await writeResults(run.out, session, comparison, () =>
      renderNightlyMarkdown(session, comparison, remarks),
    );
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(nightText(session, comparison, remarks, options, context.colour, timelines));
    logOutFolder(context, run.out, session);
    if (failure === undefined) return status;
    throw stored.kind === 'refused' || status === 3
      ? new StoreError(failure)
      : new ConfigurationError(failure);
  });
}
