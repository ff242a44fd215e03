import { Option, type Command } from 'commander';
import { ConfigurationError } from '../../errors/errors.ts';
import { openBaselineBranch } from '../../baseline/branch.ts';
import { evaluation } from '../../pipeline/night-evaluation.ts';
import type { BranchContents, StoredSession } from '../../session/branch-contents.ts';
import { sessionText } from '../../session/write.ts';
import { renderBranchList, renderBranchProblems, renderPruned } from '../../report/branch-contents.ts';
import { TERMINAL, withOutFolder, type AddCommand, type CommandContext } from './command.ts';
import type { Printed } from './formats.ts';
import { openProjectHere, option, wholeNumber } from './options.ts';
import { printSession } from './report.ts';

/** The commands that look after the baseline branch: list, show, verify, export and prune. */

/** The options that name the branch. */
interface BranchOptions {
  readonly config?: string;
  readonly baselineBranch?: string;
}

/** @param baseline the command `baseline`, which has options of the same names */
export const addBranchCommands: AddCommand = (baseline, context, done) => {
  const add = (name: string, description: string) =>
    baseline.command(name).description(description).addOption(option.config()).addOption(option.branch());

  add('list', 'list the sessions on the baseline branch').action(async (_: unknown, command: Command) => {
    context.print(renderBranchList(await contentsOf(command.optsWithGlobals())));
    done(0);
  });
  add('show', 'write the report of a stored session again')
    .argument('[session]', 'its file name or id, or the beginning of one (default: the newest night)')
    .addOption(option.format())
    .action(async (asked: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<BranchOptions & Printed>();
      printSession(context, storedSession(await contentsOf(options), asked).session, options);
      done(0);
    });
  add('verify', 'check every file on the baseline branch').action(async (_: unknown, command: Command) => {
    const contents = await contentsOf(command.optsWithGlobals());
    context.print(renderBranchProblems(contents));
    done(contents.files.some(({ kind }) => kind === 'damaged') ? 2 : 0);
  });
  add('export', 'write the sessions on the baseline branch into a folder')
    .argument('<folder>', 'a folder, which is made')
    .action(async (folder: string, _: unknown, command: Command) => {
      done(await exportSessions(context, await contentsOf(command.optsWithGlobals()), folder));
    });
  add('prune', 'summarise old nights, and replace the branch by one commit')
    .addOption(
      new Option('--keep <n>', 'nights of each configuration that stay in full')
        .argParser((text) => wholeNumber(text, 1))
        .default(90),
    )
    .addOption(new Option('--yes', 'push; without it the changes are only listed'))
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<
        BranchOptions & { readonly keep: number; readonly yes?: boolean }
      >();
      const { branch, missing } = await branchOf(options);
      const pruned = await branch.prune({ nightsKept: options.keep, push: options.yes ?? false });
      if (pruned === undefined) throw missing;
      context.print(renderPruned(pruned));
      done(0);
    });
};

/** The branch of the working folder's configuration. */
async function branchOf(options: BranchOptions) {
  const { top: directory, plan } = await openProjectHere(options);
  const branch = plan.baselineBranch;
  return {
    branch: openBaselineBranch({
      directory,
      branch,
      env: TERMINAL.gitEnvironment,
      evaluation: evaluation(() => undefined),
    }),
    missing: new ConfigurationError(
      `There is no branch ${branch}, so nothing is stored yet. \`pacegate baseline\`, or a job in mode: baseline, begins it.`,
    ),
  };
}

/** @throws ConfigurationError if there is no branch */
async function contentsOf(options: BranchOptions): Promise<BranchContents> {
  const { branch, missing } = await branchOf(options);
  const contents = await branch.contents();
  if (contents === undefined) throw missing;
  return contents;
}

const sessionsOf = ({ files }: BranchContents): readonly StoredSession[] =>
  files.filter((file): file is StoredSession => file.kind === 'session');

/**
 * The session that the user names.
 * @param asked the beginning of an id or of a file's name; undefined for the newest night
 * @throws ConfigurationError if none or several match
 */
export function storedSession(contents: BranchContents, asked: string | undefined): StoredSession {
  const sessions = sessionsOf(contents);
  if (asked === undefined) {
    const nights = sessions.filter(({ folder }) => folder === 'sessions');
    const newest = nights.reduce<StoredSession | undefined>(
      (latest, one) => (latest === undefined || one.session.started > latest.session.started ? one : latest),
      undefined,
    );
    if (newest !== undefined) return newest;
    throw new ConfigurationError(`No night is stored on the branch ${contents.branch}.`);
  }
  const matching = sessions.filter(
    ({ path, session }) =>
      session.id.startsWith(asked) || path.slice(path.lastIndexOf('/') + 1).startsWith(asked),
  );
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  throw new ConfigurationError(
    only === undefined
      ? `No session on the branch ${contents.branch} has an id or a file that begins with ${JSON.stringify(asked)}. \`pacegate baseline list\` shows them.`
      : `${matching.length} sessions on the branch ${contents.branch} have an id or a file that begins with ${JSON.stringify(asked)}: ${matching
          .slice(0, 5)
          .map(({ path }) => path)
          .join(', ')}. Give more characters.`,
  );
}

/** Writes each session under its path on the branch. */
async function exportSessions(
  context: CommandContext,
  contents: BranchContents,
  folder: string,
): Promise<number> {
  const sessions = sessionsOf(contents);
  return await withOutFolder(context, folder, async (out) => {
    for (const { path, session } of sessions) await out.write(path, sessionText(session));
    context.log.info(`${sessions.length} sessions of the branch ${contents.branch} are in ${out.path}`);
    return 0;
  });
}
