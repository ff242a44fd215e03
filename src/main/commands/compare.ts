import { Option } from 'commander';
import type { Verdict } from '../../session/rules.ts';
import type { Session } from '../../session/session.ts';
import { exitStatus } from '../../verdict/exit-status.ts';
import { comparedFiles, projectSource } from '../compose.ts';
import { openProject } from '../../pipeline/open-project.ts';
import { compareFiles } from '../../pipeline/compare-files.ts';
import { foldersOf } from '../../out-folder/timeline-files.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { comparisonText, timelinesFor, type Printed } from './formats.ts';
import { collect, option } from './options.ts';

/** `pacegate compare`: gives the verdict of files. */

interface CompareOptions extends Printed {
  readonly baseline: readonly string[];
  readonly head: readonly string[];
  readonly sameMachine: boolean;
  readonly config?: string;
  readonly failOn?: readonly Verdict[];
}

export const addCompare: AddCommand = (program, context, done) => {
  program
    .command('compare')
    .description(
      'give the verdict from files: session.json, timings.csv, or the runs.jsonl of a run that was killed; needs no engine',
    )
    .argument('[file...]', 'files that name their side, or folders of runs')
    .addOption(new Option('--baseline <file>', 'a file of the baseline').argParser(collect).default([]))
    .addOption(new Option('--head <file>', 'a file of the head').argParser(collect).default([]))
    .addOption(new Option('--same-machine', 'all runs were on one machine').default(false))
    .addOption(new Option('--config <file>', "judge by this configuration's rules"))
    .addOption(option.format())
    .addOption(option.failOn())
    .action(async (files: string[], options: CompareOptions) =>
      done(await compareCommand(context, files, options)),
    );
};

export async function compareCommand(
  context: CommandContext,
  files: readonly string[],
  options: CompareOptions,
): Promise<number> {
  const { baseline, head, sameMachine, config } = options;
  const project =
    config === undefined
      ? undefined
      : await openProject({ directory: process.cwd(), config, overrides: {} }, projectSource);
  const compared = await compareFiles(
    {
      files,
      baseline,
      head,
      sameMachine,
      rules: project?.plan.rules,
    },
    comparedFiles,
  );
  const failOn = options.failOn ??
    project?.plan.rules.failOn ??
    compared.session?.rules.failOn ?? ['regressed'];
  const timelines = await timelinesFor(options, foldersOf([...files, ...baseline, ...head]));
  context.print(comparisonText(withFailOn(compared, failOn), [], options, context.colour, timelines));
  return exitStatus(compared.comparison, failOn);
}

/** Adds `fail-on`, because the report explains whether the verdict fails the job. */
const withFailOn = <Compared extends { readonly session: Session | undefined }>(
  compared: Compared,
  failOn: readonly Verdict[],
): Compared =>
  compared.session === undefined
    ? compared
    : {
        ...compared,
        session: { ...compared.session, rules: { ...compared.session.rules, failOn: [...failOn] } },
      };
