import { Option } from 'commander';
import { rankTree } from '../../pipeline/rank-session.ts';
import {
  COULD_NOT_BE_MEASURED,
  isIncomplete,
  logOutFolder,
  withRun,
  type AddCommand,
  type CommandContext,
} from './command.ts';
import { rankingText, timelinesFor } from './formats.ts';
import { openProjectHere, option, wholeNumber, type Planned } from './options.ts';

/** An interval of 95 % needs at least this many pairs. */
const rankBlocks = (text: string) => wholeNumber(text, 6);

interface RankOptions extends Planned {
  readonly reference?: string;
  readonly work?: string;
  readonly blocks?: number;
  readonly coldBuilds?: boolean;
}

export const addRank: AddCommand = (program, context, done) => {
  program
    .command('rank')
    .description(
      'measure the variants of the files here against each other: which Python to use, and what a move costs',
    )
    .addOption(option.config())
    .addOption(new Option('--reference <name>', 'the variant to rank against (default: the first)'))
    .addOption(
      new Option('--work <name>', 'the metric that counts tasks (default: the first, better higher)'),
    )
    .addOption(
      new Option('--blocks <n>', "runs of each variant at most, from 6 (default: the rules')").argParser(
        rankBlocks,
      ),
    )
    .addOption(
      new Option('--cold-builds', 'build each image once more without a cache, to measure the build time'),
    )
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: RankOptions) => done(await rankCommand(context, options)));
};

/** `rank`: ranks the variants of the configuration against one of them. */
export async function rankCommand(context: CommandContext, options: RankOptions): Promise<number> {
  const project = await openProjectHere(options);
  const { reference, work, blocks, coldBuilds = false } = options;
  return await withRun(context, options.out, async (run, ports) => {
    const { session, interrupted } = await rankTree(
      project,
      { reference, work, blocks, coldBuilds },
      run,
      ports,
      context.signal,
    );
    context.log.step('Ranking');
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(rankingText(session, options, context.colour, timelines));
    logOutFolder(context, run.out, session);
    return interrupted || isIncomplete(session) ? COULD_NOT_BE_MEASURED : 0;
  });
}
