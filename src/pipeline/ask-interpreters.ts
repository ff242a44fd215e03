import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ConfigurationError, MeasurementError, PacegateError } from '../errors/errors.ts';
import type { ImageFacts } from '../images/inspect.ts';
import { imageStore } from '../images/engine-check.ts';
import { sizeOf } from '../images/runnable.ts';
import { layerSizes, noLayers } from '../images/sizes.ts';
import { obtainImage } from '../images/store.ts';
import { containerEngine } from '../measure/engines/container.ts';
import type { Runnable } from '../measure/engine.ts';
import { hostEngine } from '../measure/engines/host.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { AskedImage, AskedInterpreter } from '../report/facts-table.ts';
import type { ProgressLog } from '../main/progress.ts';
import type { Places } from '../main/places.ts';
import { newSessionId } from '../measure/session-id.ts';

export interface Asked {
  readonly answers: readonly AskedInterpreter[];
  /** Of the targets that gave none: what to throw when the answers are out. */
  readonly failure: PacegateError | undefined;
}

/**
 * Asks each target what its interpreter is, one after the other.
 * @returns the answers there are; a target that does not exist (status 2) or does not answer (status 3) is a failure
 */
export async function askTargets(
  targets: readonly string[],
  places: Places,
  log: ProgressLog,
  signal: AbortSignal,
): Promise<Asked> {
  const container = containerEngine({
    sessionId: newSessionId(new Date()),
    owner: ownerOfThisProcess(),
    probe: places.probe,
    facts: places.facts,
  });
  const host = hostEngine({ probe: places.probe, facts: places.facts, workFolder: '' });
  const answers: AskedInterpreter[] = [];
  const failures: PacegateError[] = [];
  for (const target of targets) {
    if (signal.aborted) break;
    try {
      const path = await hostInterpreter(target);
      if (path !== undefined) {
        log.info(`${target}: taken as this machine's interpreter ${path}`);
        answers.push({
          target,
          kind: 'host',
          facts: await host.facts(runnableOf(target, 'host', path, path)),
        });
        continue;
      }
      const image = await imageOf(target, signal);
      log.info(`${target}: taken as the image ${image.id.slice(0, 19)}`);
      answers.push({
        target,
        kind: 'image',
        facts: await askImage(target, image.id, (runnable) => container.facts(runnable)),
        image: await askedImage(image, signal),
      });
    } catch (error) {
      if (!(error instanceof PacegateError)) throw error;
      failures.push(error);
    }
  }
  if (signal.aborted) failures.push(new MeasurementError('Cancelled before every target was asked.'));
  return { answers, failure: together(failures) };
}

/** One error of all, whose status is the user's to mend where that of any is. */
function together(failures: readonly PacegateError[]): PacegateError | undefined {
  const [first] = failures;
  if (first === undefined || failures.length === 1) return first;
  const message = failures.map((failure) => failure.message).join('\n');
  return failures.some(({ exitStatus }) => exitStatus === 2)
    ? new ConfigurationError(message, { cause: first })
    : new MeasurementError(message, { cause: first });
}

/**
 * The host interpreter that a target names: a path, or a command in the PATH.
 * @returns undefined where it can only be an image. @throws ConfigurationError for a path that is not there
 */
async function hostInterpreter(target: string): Promise<string | undefined> {
  if (await isFile(target)) return target.includes('/') ? target : `./${target}`;
  if (/^\.{0,2}\//.test(target))
    throw new ConfigurationError(
      `${target}: there is no such file. Legal: a host interpreter's path or command, or the name of an image.`,
    );
  if (target.includes('/')) return undefined;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    if (folder !== '' && (await isFile(join(folder, target)))) return join(folder, target);
  return undefined;
}

const isFile = async (path: string) =>
  await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

async function imageOf(target: string, signal: AbortSignal): Promise<ImageFacts> {
  const found = await obtainImage(target, signal);
  if (found.kind === 'pulled') return found.facts;
  throw new ConfigurationError(
    `${target}: neither a file, nor a command in the PATH, nor an image that can be had: ${found.reason}. Legal: a host interpreter's path or command, or the name of an image.`,
  );
}

/** An image's interpreter is `python`; some distributions name it `python3` alone. */
async function askImage(target: string, id: string, ask: (runnable: Runnable) => Promise<InterpreterFacts>) {
  for (const python of ['python', 'python3']) {
    try {
      return await ask(runnableOf(target, 'container', id, python));
    } catch (error) {
      if (!(error instanceof MeasurementError) || !error.message.includes('(status 127)')) throw error;
    }
  }
  throw new MeasurementError(
    `${target}: the image has neither python nor python3 in its PATH, so there is no interpreter to ask.`,
  );
}

async function askedImage(image: ImageFacts, signal: AbortSignal): Promise<AskedImage> {
  const { id, digests, layers, labels } = image;
  const store = await imageStore();
  const sizes = await layerSizes(id, store, noLayers(), signal);
  const [digest] = digests;
  const [reference, baseDigest] = ['name', 'digest'].map(
    (key) => labels[`org.opencontainers.image.base.${key}`],
  );
  return {
    id,
    ...(digest === undefined ? {} : { digest }),
    ...sizeOf(image, { store, layers: sizes }),
    // The sizes have no digests. Where as many layers hold something as there are, they are the same, in order.
    layers: (sizes ?? []).map((bytes, index) => {
      const own = sizes?.length === layers.length ? layers[index] : undefined;
      return { ...(own === undefined ? {} : { digest: own }), bytes };
    }),
    ...(reference === undefined || baseDigest === undefined
      ? {}
      : { base: { reference, digest: baseDigest } }),
  };
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
