import { ConfigurationError, MeasurementError, PacegateError } from '../errors/errors.ts';
import type { ImageFacts } from '../images/inspect.ts';
import type { Runnable } from '../measure/engine.ts';
import type { AskedInterpreter } from '../report/facts-table.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { InterpreterPorts, Log } from './ports.ts';

export interface Asked {
  readonly answers: readonly AskedInterpreter[];
  /** The error for the targets without an answer, to throw after the answers are printed. */
  readonly failure: PacegateError | undefined;
}

/**
 * Asks each target for its interpreter's facts, one after the other.
 * @returns the answers; a target that does not exist (status 2) or does not answer (status 3) is a failure
 */
export async function askTargets(
  targets: readonly string[],
  ports: InterpreterPorts,
  log: Pick<Log, 'info'>,
  signal: AbortSignal,
): Promise<Asked> {
  const answers: AskedInterpreter[] = [];
  const failures: PacegateError[] = [];
  for (const target of targets) {
    if (signal.aborted) break;
    try {
      answers.push(await askTarget(target, ports, log, signal));
    } catch (error) {
      if (!(error instanceof PacegateError)) throw error;
      failures.push(error);
    }
  }
  if (signal.aborted) failures.push(new MeasurementError('Cancelled before every target was asked.'));
  return { answers, failure: together(failures) };
}

async function askTarget(
  target: string,
  ports: InterpreterPorts,
  log: Pick<Log, 'info'>,
  signal: AbortSignal,
): Promise<AskedInterpreter> {
  const path = await ports.hostInterpreter(target);
  if (path !== undefined) {
    log.info(`${target}: taken as this machine's interpreter ${path}`);
    return { target, kind: 'host', facts: await ports.facts(runnableOf(target, 'host', path, path)) };
  }
  const image = await imageOf(target, ports, signal);
  log.info(`${target}: taken as the image ${image.id.slice(0, 19)}`);
  return {
    target,
    kind: 'image',
    facts: await askImage(target, image.id, ports),
    image: await ports.describe(image, signal),
  };
}

/** Combines several failures into one error. If any of them is the user's input, the status is 2. */
function together(failures: readonly PacegateError[]): PacegateError | undefined {
  const [first] = failures;
  if (first === undefined || failures.length === 1) return first;
  const message = failures.map((failure) => failure.message).join('\n');
  return failures.some(({ exitStatus }) => exitStatus === 2)
    ? new ConfigurationError(message, { cause: first })
    : new MeasurementError(message, { cause: first });
}

async function imageOf(
  target: string,
  { obtain }: InterpreterPorts,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const found = await obtain(target, signal);
  if (found.kind === 'pulled') return found.facts;
  throw new ConfigurationError(
    `${target}: neither a file, nor a command in the PATH, nor an image that can be pulled: ${found.reason}. Expected: a host interpreter's path or command, or the name of an image.`,
  );
}

/** Tries `python` first. Some distributions have only `python3`. */
async function askImage(target: string, id: string, { facts }: InterpreterPorts): Promise<InterpreterFacts> {
  for (const python of ['python', 'python3']) {
    try {
      return await facts(runnableOf(target, 'container', id, python));
    } catch (error) {
      if (!(error instanceof MeasurementError) || !error.message.includes('(status 127)')) throw error;
    }
  }
  throw new MeasurementError(
    `${target}: the image has neither python nor python3 in its PATH, so there is no interpreter to ask.`,
  );
}

const runnableOf = (target: string, engine: 'container' | 'host', id: string, python: string): Runnable => ({
  image: {
    variant: target,
    side: 'head',
    engine,
    identity: id,
    id,
    definitionHash: '',
    layers: [],
    origin: engine === 'host' ? 'host' : 'existing',
  },
  python,
  flags: [],
  env: {},
  workingDirectory: '/',
  filesFrom: '/',
});
