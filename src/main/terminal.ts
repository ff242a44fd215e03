import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DEFAULTS } from '../plan/defaults.ts';
import { parseDuration } from '../plan/quantities.ts';
import { endGitWith } from '../process/git.ts';
import { evidenceRequestSchema, parseVerdicts, VERDICTS, type Verdict } from '../session/rules.ts';
import { SIDES } from '../session/run.ts';
import { parseShard, SHARD_WORDS, type ShardRequest } from '../session/shard.ts';
import {
  baselineCommand,
  compareCommand,
  demoCommand,
  doctorCommand,
  factsCommand,
  FORMATS,
  gateCommand,
  mergeCommand,
  rankCommand,
  reportCommand,
  runCommandOfOneSide,
  type CommandContext,
} from './commands.ts';
import { endOnSignals } from './ending.ts';
import { printed, terminalLog, wantsColour, type Output } from './log.ts';
import type { Places } from './places.ts';
import { plainError } from './plain-error.ts';
import { VERSION } from './version.ts';

/** Where the program writes: results to `out`, what is said on the way to `log`. */
export interface Streams {
  readonly out: Output;
  readonly log: Output;
}

/**
 * The program on a terminal.
 * @returns the exit status: 0, 1 (the gate says no), 2 (the user's to mend), 3 (could not be measured)
 */
export async function runTerminal(
  args: readonly string[],
  places: Places,
  streams: Streams = { out: process.stdout, log: process.stderr },
): Promise<number> {
  const log = terminalLog(streams.log, wantsColour(streams.log));
  const ending = endOnSignals({ warn: (text) => log.warn(text), second: 'ends' });
  endGitWith(ending.signal);
  try {
    let status = 0;
    const context: CommandContext = { places, log, signal: ending.signal, ...streamsOf(streams) };
    const program = commandLine(context, (result) => (status = result));
    program.configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.log.write(text),
    });
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    // Help and version end with 0; commander has said what else was wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const plain = plainError(error);
    if (plain === undefined) throw error;
    log.error(`pacegate: ${plain.message}`);
    return plain.exitStatus;
  } finally {
    endGitWith(undefined);
    ending.stop();
  }
}

const streamsOf = ({ out }: Streams) => ({
  print: (text: string) => void out.write(printed(text)),
  colour: wantsColour(out),
  // A file or a pipe has no width of its own.
  width: out.isTTY ? out.columns : 160,
});

/** The grammar: every command with its options, and nothing of what they do. */
export function commandLine(context: CommandContext, done: (status: number) => void): Command {
  const program = new Command('pacegate')
    .description(
      'Did this change make any of our Python images slower or larger, or use more memory? And how sure are we?',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help shows what is legal)')
    .addHelpText('after', STATUSES);

  program
    .command('demo')
    .description('gate a small application against its own earlier version, here and now, in about a minute')
    .addOption(option.out('pacegate-out/demo'))
    .addOption(option.seed())
    .addOption(new Option('--host', "use this machine's Python even where Docker answers"))
    .action(async (options: Parameters<typeof demoCommand>[1]) => done(await demoCommand(context, options)));

  program
    .command('run')
    .description('build and measure the files here as one side')
    .addOption(option.config())
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(new Option('--side <side>', 'what the measurements are called').choices(SIDES).default('head'))
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: Parameters<typeof runCommandOfOneSide>[1]) =>
      done(await runCommandOfOneSide(context, options)),
    );

  program
    .command('gate')
    .description('build and measure this change and what it starts from, and decide')
    .addOption(option.config())
    .addOption(
      new Option('--baseline <ref>', 'the commit to compare with (default: where this branch began)'),
    )
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.failOn())
    .addOption(new Option('--evidence <kind>', 'what may judge').choices(evidenceRequestSchema.options))
    .addOption(option.budget())
    .addOption(option.seed())
    .addOption(option.branch())
    .addOption(
      new Option(
        '--shard <index/of>',
        "measure this job's share of the variants; merge has the verdict",
      ).argParser(shard),
    )
    .addOption(
      new Option(
        '--confirm <path>',
        "measure again what regressed in an earlier job's session.json (or in a folder of its shards)",
      ).argParser((path: string, before?: readonly string[]) => collect(path, before ?? [])),
    )
    .addOption(
      new Option(
        '--cold-builds',
        'build both sides once more alone, with no step from a cache: the build time',
      ),
    )
    .action(async (options: Parameters<typeof gateCommand>[1]) => done(await gateCommand(context, options)));

  program
    .command('baseline')
    .description('measure this commit against itself and append the session to the baseline branch')
    .addOption(option.config())
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.budget())
    .addOption(option.seed())
    .addOption(option.branch())
    .addOption(new Option('--anchor', 'compare with rules.anchor too, although no week has passed'))
    .action(async (options: Parameters<typeof baselineCommand>[1]) =>
      done(await baselineCommand(context, options)),
    );

  program
    .command('doctor')
    .description(
      'look at this machine, then measure the files here against themselves, and say what a gate would see',
    )
    .addOption(option.config())
    .addOption(new Option('--format <format>', 'print this instead of the table').choices(['json']))
    .addOption(option.variants())
    .addOption(
      new Option('--blocks <n>', 'pairs of each variant, from 8').argParser(doctorBlocks).default(12),
    )
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: Parameters<typeof doctorCommand>[1]) =>
      done(await doctorCommand(context, options)),
    );

  program
    .command('rank')
    .description(
      'measure the variants of the files here against each other: which Python, and what moving costs',
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
    .addOption(new Option('--cold-builds', 'build each image once more, alone, with nothing from a cache'))
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: Parameters<typeof rankCommand>[1]) => done(await rankCommand(context, options)));

  program
    .command('facts')
    .description('say what the interpreters of images and of this machine are, as declared and as observed')
    .argument('<target...>', "an image, or a host interpreter's path or command")
    .addOption(
      new Option('--format <format>', 'print this instead of the table').choices(['json', 'markdown']),
    )
    .action(async (targets: string[], options: Parameters<typeof factsCommand>[2]) =>
      done(await factsCommand(context, targets, options)),
    );

  program
    .command('compare')
    .description(
      'decide from files: session.json, timings.csv, or the runs.jsonl of a run that was killed; needs no engine',
    )
    .argument('[file...]', 'files that say their side, or folders of runs')
    .addOption(new Option('--baseline <file>', 'a file of the baseline').argParser(collect).default([]))
    .addOption(new Option('--head <file>', 'a file of the head').argParser(collect).default([]))
    .addOption(new Option('--same-machine', 'all of it ran on one machine').default(false))
    .addOption(new Option('--config <file>', "judge by this configuration's rules"))
    .addOption(option.format())
    .addOption(option.failOn())
    .action(async (files: string[], options: Parameters<typeof compareCommand>[2]) =>
      done(await compareCommand(context, files, options)),
    );

  program
    .command('merge')
    .description("one verdict of several jobs' session.json: the shards of a gate, and what confirms it")
    .argument(
      '<path...>',
      'files, or folders with a session.json (or the runs.jsonl of a run that was killed) in them',
    )
    .addOption(option.out('pacegate-out/merged'))
    .addOption(option.format())
    .addOption(option.failOn())
    .action(async (paths: string[], options: Parameters<typeof mergeCommand>[2]) =>
      done(await mergeCommand(context, paths, options)),
    );

  program
    .command('report')
    .description('write the report of a session again')
    .argument('<session>', 'a session.json, the runs.jsonl of a run that was killed, or a folder')
    .addOption(option.format())
    .action(async (file: string, options: Parameters<typeof reportCommand>[2]) =>
      done(await reportCommand(context, file, options)),
    );
  return program;
}

const STATUSES = `
Exit status: 0 the gate lets it through; 1 it says no; 2 arguments, configuration or a file are wrong;
3 it could not be measured.`;

const list = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');

const collect = (value: string, before: readonly string[]) => [...before, value];

function verdicts(text: string): Verdict[] {
  const { named, unknown } = parseVerdicts(list(text));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`Found ${unknown.join(', ')}; legal: none, ${VERDICTS.join(', ')}.`);
  return named;
}

function duration(text: string): string {
  if (parseDuration(text) === undefined)
    throw new InvalidArgumentError('Legal: a duration such as 90s, 20m or 1h30m.');
  return text;
}

function shard(text: string): ShardRequest {
  const request = parseShard(text);
  if (request === undefined) throw new InvalidArgumentError(`Legal: ${SHARD_WORDS}.`);
  return request;
}

/** Fewer pairs say too little of their noise. */
const FEWEST_BLOCKS = 8;

const doctorBlocks = (text: string) => wholeNumber(text, FEWEST_BLOCKS);

/** Fewer have no interval of 95 %. */
const rankBlocks = (text: string) => wholeNumber(text, 6);

function wholeNumber(text: string, least: number): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < least)
    throw new InvalidArgumentError(`Legal: a whole number from ${least} to 999.`);
  return Number(text);
}

function seed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffff_ffff)
    throw new InvalidArgumentError('Legal: a whole number from 0 to 4294967295.');
  return Number(text);
}

/** Options that several commands share. */
const option = {
  config: () => new Option('--config <file>', `the configuration (default: ${DEFAULTS.configurationFile})`),
  out: (folder = 'pacegate-out') =>
    new Option('--out <dir>', 'folder for the files of the run').default(folder),
  format: () => new Option('--format <format>', 'print this instead of the table').choices(FORMATS),
  variants: () => new Option('--variants <list>', 'only these variants').argParser(list),
  failOn: () =>
    new Option('--fail-on <list>', 'verdicts that give exit status 1, or none').argParser(verdicts),
  budget: () => new Option('--budget <duration>', 'time for building and measuring').argParser(duration),
  seed: () => new Option('--seed <n>', 'seed of the order').argParser(seed),
  branch: () => new Option('--baseline-branch <name>', 'the branch that keeps the baselines'),
};
