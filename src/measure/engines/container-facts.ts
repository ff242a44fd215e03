import { MeasurementError } from '../../errors/errors.ts';
import { runCommand, type CommandResult } from '../../process/command.ts';
import { engineAnswers, ENGINE_SILENT } from '../../process/docker-engine.ts';
import type { InterpreterFacts } from '../../session/facts.ts';
import type { ProcessReading } from '../../session/machine-reading.ts';
import type { FactsLimits, Runnable } from '../engine.ts';
import { readProcess } from '../machine/machine-reading.ts';
import { factsArguments, factsLimits, readFacts } from '../probe/facts-answer.ts';
import { ENGINE_FAULT } from './container-end.ts';
import { isolation, mount, type ContainerEngineOptions } from './container-arguments.ts';
import { removeContainer } from './docker-questions.ts';

/** Reads the facts of an image's interpreter, and the kernel's status of a process in its container. */

const FACTS = '/pacegate/facts.py';

/** Starts the image's interpreter once, isolated as a run is, with some words and at most one file of ours. */
async function askInterpreter(
  runnable: Runnable,
  name: string,
  { sessionId, owner }: Pick<ContainerEngineOptions, 'sessionId' | 'owner'>,
  words: readonly string[],
  mounts: readonly string[] = [],
  limits: FactsLimits = {},
): Promise<CommandResult> {
  const result = await runCommand(
    'docker',
    [
      ...['run', '--rm', ...isolation(sessionId, owner), '--network', 'none', ...mounts],
      // Limits for a process of the image that continues after its answer, or starts others.
      ...['--pids-limit', '256', '--name', name],
      // A PATH of the variant decides which interpreter it is.
      ...Object.entries(runnable.env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ...['--entrypoint', runnable.python, runnable.image.id],
      ...words,
    ],
    factsLimits(limits),
  );
  // A killed client leaves its container.
  if (result.status === null || limits.signal?.aborted === true) await removeContainer(name);
  return result;
}

export async function containerFacts(
  runnable: Runnable,
  name: string,
  options: ContainerEngineOptions,
  limits: FactsLimits = {},
): Promise<InterpreterFacts> {
  const words = factsArguments(runnable, FACTS);
  const mounts = ['--mount', mount(options.facts, FACTS)];
  const result = await askInterpreter(runnable, name, options, words, mounts, limits);
  if (result.status !== 0 && limits.signal?.aborted !== true && !(await engineAnswers()))
    throw new MeasurementError(`${runnable.image.variant} (${runnable.image.side}): ${ENGINE_SILENT}`);
  return readFacts(result, {
    limits,
    who: `${runnable.image.variant} (${runnable.image.side})`,
    notStarted:
      result.status === ENGINE_FAULT
        ? `the engine could not start a container of the image ${runnable.image.id} to ask the interpreter what it is. The interpreter did not run; the engine names the cause.`
        : `the interpreter ${runnable.python} does not start in the image ${runnable.image.id} (status ${result.status ?? 'none'}). A variant's image must have it in the PATH; \`python:\` of the variant names another.`,
  });
}

/** What the kernel says of a process in a container of ours; nothing of it where the container does not answer. */
export async function readContainerProcess(
  runnable: Runnable,
  options: Pick<ContainerEngineOptions, 'sessionId' | 'owner'>,
): Promise<ProcessReading> {
  const words = ['-I', '-S', '-c', "print(open('/proc/self/status').read())"];
  const name = `pacegate-${options.sessionId}-status`;
  return readProcess((await askInterpreter(runnable, name, options, words)).stdout);
}
