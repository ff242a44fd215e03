import { Command, CommanderError } from 'commander';
import { endGitWith } from '../process/git.ts';
import { addBaseline } from './commands/baseline.ts';
import type { CommandContext } from './commands/command.ts';
import { addCompare } from './commands/compare.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFacts } from './commands/facts.ts';
import { addGate } from './commands/gate.ts';
import { addInit } from './commands/init.ts';
import { addMerge } from './commands/merge.ts';
import { addRank } from './commands/rank.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { endOnSignals } from '../process/signals.ts';
import { printed, terminalLog, wantsColour, type Output } from './output.ts';
import type { Places } from './places.ts';
import { plainError } from '../errors/plain-error.ts';
import { VERSION } from './version.ts';

/** The program's outputs: results go to `out`, messages to `log`. */
export interface Streams {
  readonly out: Output;
  readonly log: Output;
}

/**
 * Runs the program on a terminal.
 * @returns the exit status: 0, 1 (the gate says no), 2 (the user's input is wrong), 3 (could not be measured)
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
    // Help and version end with 0. Commander has printed any other error.
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
  // A file or a pipe has no width.
  width: out.isTTY ? out.columns : 160,
});

/** The grammar: all commands with their options, without their behaviour. */
export function commandLine(context: CommandContext, done: (status: number) => void): Command {
  const program = new Command('pacegate')
    .description(
      'Did this change make any of our Python images slower or larger, or use more memory? And how sure are we?',
    )
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help lists the options)')
    .addHelpText('after', STATUSES);

  for (const add of COMMANDS) add(program, context, done);
  return program;
}

/** In the order of --help. */
const COMMANDS = [
  addDemo,
  addInit,
  addRun,
  addGate,
  addBaseline,
  addDoctor,
  addRank,
  addFacts,
  addCompare,
  addMerge,
  addReport,
];

const STATUSES = `
Exit status: 0 the gate passes; 1 the gate fails; 2 arguments, configuration or a file are wrong;
3 the change could not be measured.`;
