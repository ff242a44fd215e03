import { exitStatus } from '../../verdict/exit-status.ts';
import type { Verdict } from '../../session/rules.ts';
import { judgedTogether } from '../../pipeline/judged-sessions.ts';
import { readSessions } from '../../out-folder/session-files.ts';
import { foldersOf, timelinesIn, timelinesText } from '../../out-folder/timeline-files.ts';
import { TIMELINE_FILE } from '../../session/timeline.ts';
import { withOutFolder, type AddCommand, type CommandContext } from './command.ts';
import type { Printed } from './formats.ts';
import { option } from './options.ts';
import { printVerdict } from './verdict.ts';

/** `pacegate merge`: gives one verdict of the sessions of several jobs. */

interface MergeOptions extends Printed {
  readonly out: string;
  readonly failOn?: readonly Verdict[];
}

export const addMerge: AddCommand = (program, context, done) => {
  program
    .command('merge')
    .description("give one verdict on several jobs' session.json: the shards of a gate, and its confirmation")
    .argument(
      '<path...>',
      'files, or folders with a session.json (or the runs.jsonl of a run that was killed) in them',
    )
    .addOption(option.out('pacegate-out/merged'))
    .addOption(option.format())
    .addOption(option.failOn())
    .action(async (paths: string[], options: MergeOptions) =>
      done(await mergeCommand(context, paths, options)),
    );
};

/** `merge`: merges the sessions of several jobs into one verdict, and into one file that gives the same verdict. */
export async function mergeCommand(
  context: CommandContext,
  paths: readonly string[],
  options: MergeOptions,
): Promise<number> {
  const named = await readSessions(paths);
  const judged = judgedTogether(named);
  const timelines = await timelinesIn(foldersOf(named.map(({ file }) => file))).catch((error: unknown) => {
    // Timelines are not part of the verdict, so a read failure is only a warning.
    context.log.warn(error instanceof Error ? error.message : String(error));
    return [];
  });
  return await withOutFolder(context, options.out, async (out) => {
    if (timelines.length > 0) await out.write(TIMELINE_FILE, timelinesText(timelines));
    await printVerdict(context, judged, [], out, options);
    return exitStatus(judged.comparison, options.failOn ?? judged.session.rules.failOn);
  });
}
