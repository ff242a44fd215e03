import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { Option } from 'commander';
import { ConfigurationError } from '../../errors/errors.ts';
import { refusedRoutes } from '../../init/bench-text.ts';
import { sourceWords } from '../../init/dockerfile-text.ts';
import { findFacts, workloadWords, type ProjectFacts } from '../../init/project-facts.ts';
import type { ProjectFiles } from '../../init/project-files.ts';
import { choicesOf, findProjects } from '../../init/projects.ts';
import type { WorkloadFound } from '../../init/workloads.ts';
import {
  DEFAULT_CONFIGURATION,
  workflowFiles,
  writtenFiles,
  type Load,
  type Templates,
  type Written,
  type WrittenFile,
} from '../../init/written-files.ts';
import { topLevel } from '../../source/sides.ts';
import type { Places } from '../places.ts';
import { listProject } from '../../source/project-listing.ts';
import { openQuestions, type Ask } from './questions.ts';
import { trySmokeTest } from './smoke-test.ts';
import type { AddCommand, CommandContext } from './command.ts';
import { option } from './options.ts';

interface InitOptions {
  /** As typed, relative to the current folder. */
  readonly context?: string;
  readonly config?: string;
  readonly host?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** False with `--no-smoke-test`. */
  readonly smokeTest: boolean;
}

export const addInit: AddCommand = (program, context, done) => {
  program
    .command('init')
    .description('examine the project, write a configuration and the workflows, and run the workload once')
    .addOption(new Option('--context <dir>', 'folder of the project, if there are several'))
    .addOption(option.config())
    .addOption(new Option('--host', "measure with this machine's Python, without containers"))
    .addOption(new Option('--dry-run', 'print the files instead of writing them'))
    .addOption(new Option('--yes', 'ask no questions'))
    .addOption(new Option('--no-smoke-test', 'do not run the workload'))
    .action(async (options: InitOptions) => done(await initCommand(context, options)));
};

/**
 * `init`: inspects a project, writes the files of a gate, and runs the workload once.
 * @returns 0, or 3 if the workload could not be measured
 * @throws ConfigurationError with the obstacle
 */
export async function initCommand(context: CommandContext, options: InitOptions): Promise<number> {
  const { print, log, places } = context;
  const directory = process.cwd();
  const found = await topLevel(directory);
  const top = found ?? directory;
  const configuration =
    options.config === undefined ? DEFAULT_CONFIGURATION : relative(top, resolve(directory, options.config));
  if (configuration.startsWith('..'))
    throw new ConfigurationError(
      `--config ${options.config ?? ''} is outside the repository ${top}. Name a file inside it.`,
    );
  const files = await listProject(top, found !== undefined);
  const templates = await readTemplates(places);
  const asking = options.yes === true || options.dryRun === true ? undefined : openQuestions();
  let ownLoad: Load | undefined;
  try {
    const { files: written, load } = existsSync(join(top, configuration))
      ? missingWorkflows(context, configuration, templates)
      : await plannedFiles(context, options, {
          files,
          top,
          directory,
          configuration,
          templates,
          ask: asking?.ask,
        });
    if (options.dryRun === true) {
      for (const { path, text } of written)
        print(`--- ${path}${existsSync(join(top, path)) ? ' (exists, kept)' : ''}\n${text}\n`);
      return 0;
    }
    const absent = written.filter(({ path }) => !existsSync(join(top, path)));
    if (
      absent.length > 0 &&
      asking !== undefined &&
      (await asking.ask(`Write ${absent.map(({ path }) => path).join(', ')}?`, ['yes', 'no'])) === 1
    ) {
      log.info('Nothing was written.');
      return 0;
    }
    for (const file of written) print(await writeNew(top, file));
    if (absent.some(({ path }) => path === load?.path)) ownLoad = load;
  } finally {
    asking?.close();
  }
  if (!options.smokeTest) return 0;
  const load = ownLoad;
  return await trySmokeTest(context, {
    top,
    repository: found !== undefined,
    configuration,
    adapt:
      load === undefined
        ? undefined
        : async (obstacle) => await leaveOutRefused(context, top, load, obstacle),
  });
}

/** Writes a load again without the routes that the server refuses, which the code alone does not show. */
async function leaveOutRefused(
  { print }: CommandContext,
  top: string,
  { path, without }: Load,
  obstacle: string,
): Promise<boolean> {
  const refused = refusedRoutes(obstacle);
  const text = without(refused);
  if (text === undefined) return false;
  await writeFile(join(top, path), text);
  print(
    `Note: the server refuses ${[...refused].join(', ')}, so ${path} does not request that. Add the requests that your users send.\n`,
  );
  return true;
}

/** An existing configuration belongs to the user and stays unchanged. */
function missingWorkflows({ print }: CommandContext, configuration: string, templates: Templates): Planned {
  print(`${configuration} exists already, so init keeps it and adds only the missing files.\n`);
  return { files: workflowFiles(configuration, templates), load: undefined };
}

type Planned = Pick<Written, 'files' | 'load'>;

interface Planning {
  readonly files: ProjectFiles;
  readonly top: string;
  readonly directory: string;
  readonly configuration: string;
  readonly templates: Templates;
  readonly ask: Ask | undefined;
}

async function plannedFiles(
  { print }: CommandContext,
  options: InitOptions,
  { files, top, directory, configuration, templates, ask }: Planning,
): Promise<Planned> {
  const folder = await chooseFolder(options.context, { files, top, directory, ask });
  const facts = findFacts(files, folder);
  if ('obstacle' in facts) throw new ConfigurationError(facts.obstacle);
  const workload = await chooseWorkload(facts, ask);
  const {
    files: written,
    load,
    notes,
  } = writtenFiles({
    files,
    facts,
    workload,
    host: options.host === true,
    configuration,
    templates,
  });
  print(`${introduction(facts, folder, workload).join('\n')}\n`);
  for (const note of notes) print(`Note: ${note}\n`);
  return { files: written, load };
}

const introduction = (facts: ProjectFacts, folder: string, workload: WorkloadFound): readonly string[] => [
  `Project: ${folder === '.' ? 'the whole folder' : folder}${facts.roots.length === 0 ? '' : `, modules in ${facts.roots.join(', ')}`}`,
  `Python: ${facts.python.version} (${facts.python.from})`,
  `Dependencies: ${sourceWords(facts.dependencies)}`,
  `Workload: ${workloadWords(workload)}`,
];

async function chooseFolder(
  asked: string | undefined,
  { files, top, directory, ask }: Pick<Planning, 'files' | 'top' | 'directory' | 'ask'>,
): Promise<string> {
  const choices = choicesOf(findProjects(files));
  const [only = '.'] = choices;
  const here = relative(top, asked === undefined ? directory : resolve(directory, asked)) || '.';
  if (asked !== undefined) {
    if (here.startsWith('..') || (here !== '.' && !files.paths.some((path) => path.startsWith(`${here}/`))))
      throw new ConfigurationError(
        `--context ${asked}: the repository ${top} has no files there. Name one of its folders: ${choices.join(', ')}.`,
      );
    return here;
  }
  if (choices.length === 1) return only;
  if (here !== '.' && choices.includes(here)) return here;
  if (ask === undefined)
    throw new ConfigurationError(
      `There are several projects: ${choices.join(', ')}. Name one with --context, such as --context ${only}.`,
    );
  return choices[await ask('Which project?', choices)] ?? only;
}

async function chooseWorkload({ workloads }: ProjectFacts, ask: Ask | undefined): Promise<WorkloadFound> {
  const [best] = workloads;
  if (best === undefined) throw new Error('facts without a workload');
  if (ask === undefined || workloads.length === 1) return best;
  return workloads[await ask('What do you want to measure?', workloads.map(workloadWords))] ?? best;
}

async function readTemplates({ examples, variants }: Places): Promise<Templates> {
  const [gate, nightly, ignore] = await Promise.all([
    readFile(join(examples, 'gate.yml'), 'utf8'),
    readFile(join(examples, 'baseline.yml'), 'utf8'),
    readFile(join(variants, 'application', 'Dockerfile.dockerignore'), 'utf8'),
  ]);
  return { gate, nightly, ignore };
}

/**
 * Writes a file unless it exists.
 * @returns the result as a sentence for the user
 */
async function writeNew(top: string, { path, text }: WrittenFile): Promise<string> {
  await mkdir(dirname(join(top, path)), { recursive: true });
  try {
    await writeFile(join(top, path), text, { flag: 'wx' });
    return `Wrote ${path}\n`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return `Kept ${path}, which exists already\n`;
    throw new ConfigurationError(`${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
