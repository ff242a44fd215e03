import { BuildError, ConfigurationError } from '../errors/errors.ts';
import { isTimeOver } from '../process/deadline.ts';
import { askDockerNow, engineAnswers } from '../process/docker-engine.ts';
import { pullFault, type Fault } from './build-failure.ts';
import { lastWords, tryDocker } from './docker.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import {
  INTERPRETER_PREFIX,
  isDigestReference,
  isReference,
  REPOSITORY_PREFIX,
  repositoryComponent,
  tagOf,
} from './names.ts';

/** Pulling and pushing may move gigabytes. */
const TRANSFER_SECONDS = 3600;

export type Pulled =
  | { readonly kind: 'pulled'; readonly facts: ImageFacts; readonly wasHere: boolean }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly fault: Fault };

/**
 * Gets an image into the engine's store and pulls it if it is missing. @returns the reason if that fails. Throws only
 * if docker cannot be run.
 */
export async function obtainImage(reference: string, signal: AbortSignal): Promise<Pulled> {
  if (!isReference(reference))
    return unavailable(`${JSON.stringify(reference.slice(0, 200))} is not the name of an image`);
  const here = await inspectImage(reference);
  if (here !== undefined) return { kind: 'pulled', facts: here, wasHere: true };
  const result = await tryDocker(['pull', '--quiet', reference], {
    signal,
    timeoutSeconds: TRANSFER_SECONDS,
  });
  if (isTimeOver(signal)) return unavailable('the budget left no time for the pull', 'engine');
  if (signal.aborted) return unavailable('cancelled', 'engine');
  if (result.status !== 0)
    return unavailable(`\`docker pull ${reference}\`: ${lastWords(result)}`, pullFault(lastWords(result)));
  const facts = await inspectImage(reference);
  return facts === undefined
    ? unavailable(`\`docker pull ${reference}\` succeeded, and the image is not in the engine's store`)
    : { kind: 'pulled', facts, wasHere: false };
}

/**
 * Pulls the stored image of a baseline. @param reference `name@sha256:…`; a tag is refused, because it may have moved.
 */
export async function pullBaseline(reference: string, signal: AbortSignal): Promise<Pulled> {
  return isDigestReference(reference)
    ? await obtainImage(reference, signal)
    : unavailable(`${JSON.stringify(reference.slice(0, 200))} is not a digest reference (name@sha256:…)`);
}

/** `host[:port]/path…`; a path has lower-case letters only, which `github.repository` may not have. */
const REPOSITORY = /^[A-Za-z0-9.-]+(:\d+)?(\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/;

export interface PushTarget {
  /** Repository prefix, such as `ghcr.io/organisation/name`. */
  readonly registry: string;
  /** The configuration's name; undefined for images that all configurations share. */
  readonly configuration?: string;
  readonly variant: string;
  readonly commit: string;
}

/**
 * Where a variant's image of a commit is pushed: `<registry>/<configuration>__<variant>:<commit>`. That of
 * `.github/pacegate.yml` has the variant alone. A part never holds `__` itself, so no two pairs meet.
 * @throws ConfigurationError when the registry gives no legal name.
 */
export function pushName({ registry, configuration, variant, commit }: PushTarget): string {
  const own = configuration === undefined || configuration === 'pacegate' ? [] : [configuration];
  const component = [...own, variant].map(repositoryComponent).join('__');
  const name = `${registry.replace(/\/+$/, '')}/${component}:${tagOf(commit)}`;
  if (isReference(name) && REPOSITORY.test(registry.replace(/\/+$/, ''))) return name;
  throw new ConfigurationError(
    `The registry ${JSON.stringify(registry.slice(0, 200))} (build.registry) gives no valid image name: ${JSON.stringify(name.slice(0, 200))}. It must be a repository without a tag, such as ghcr.io/organisation/name, in lower-case letters.`,
  );
}

/**
 * Pushes an image under a name.
 * @returns its reference by digest.
 * @throws BuildError with the registry's message.
 */
export async function pushImage(
  name: string,
  { variant, id }: { readonly variant: string; readonly id: string },
): Promise<string> {
  const tagged = await tryDocker(['tag', id, name]);
  if (tagged.status !== 0)
    throw new BuildError(`${variant}: tried \`docker tag ${id} ${name}\`: ${lastWords(tagged)}.`);
  const pushed = await tryDocker(['push', '--quiet', name], { timeoutSeconds: TRANSFER_SECONDS });
  if (pushed.status !== 0)
    throw new BuildError(
      `${variant}: tried \`docker push ${name}\`: ${lastWords(pushed)}. Check that this run may write there (docker login; on GitHub \`packages: write\`).`,
    );
  const digest = digestIn(await inspectImage(name), name);
  if (digest === undefined)
    throw new BuildError(`${variant}: ${name} was pushed, but the engine does not report its digest.`);
  return digest;
}

/** The digest reference that an image has in the repository of a reference (`name`, `name:tag`, `name@…`). */
export function digestIn(facts: ImageFacts | undefined, reference: string): string | undefined {
  const repository = reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
  return facts?.digests.find((digest) => digest.startsWith(`${repository}@`));
}

const LIST = ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'];

/** Freeing disk space may take a while. */
const REMOVAL_SECONDS = 120;

/**
 * Removes names from the engine's store, and images without another name. The build cache stays. If the engine does not
 * answer, a later start removes them.
 */
export async function removeImages(references: readonly string[]): Promise<void> {
  if (references.length === 0 || !(await engineAnswers())) return;
  for (const reference of references) {
    const { timedOut } = await tryDocker(['image', 'rm', reference], { timeoutSeconds: REMOVAL_SECONDS });
    if (timedOut) return;
  }
}

/** The names of a session's images in the engine's store. */
const namesOfSession = (sessionId: string): string => `${REPOSITORY_PREFIX}*:${tagOf(sessionId)}`;

/** Removes the images of a session whose process is gone. */
export async function removeImagesOfSession(sessionId: string): Promise<void> {
  const listed = await tryDocker([...LIST, namesOfSession(sessionId)]);
  await removeImages(listed.stdout.split('\n').filter((name) => name.startsWith(REPOSITORY_PREFIX)));
}

/** The same at the process's end, where nothing asynchronous runs any more. */
export function removeImagesNow(sessionId: string): void {
  const names = askDockerNow(...LIST, namesOfSession(sessionId));
  if (names.length > 0) askDockerNow('image', 'rm', ...names);
}

/** Age from which a session's images are removed: no session lasts as long. */
const LEFTOVER_SECONDS = 24 * 3600;

/** Compiling an interpreter takes up to half an hour, so it stays while it is used: each use renews its tag. */
const INTERPRETER_SECONDS = 30 * 24 * 3600;

/**
 * Removes images of sessions that could not clean up: only Pacegate's own names older than a day, so that other
 * sessions keep theirs; and interpreters without use for thirty days.
 * @param prefix what a session's names begin with.
 * @param interpreters what the interpreters' names begin with.
 * @returns the names that were removed.
 */
export async function removeLeftovers(
  now: Date,
  prefix = REPOSITORY_PREFIX,
  interpreters = INTERPRETER_PREFIX,
): Promise<string[]> {
  const ofSessions = (await namesWith(prefix)).filter((name) =>
    /^[a-z0-9._/-]+-(?:baseline|head|[0-9a-f]{20}):/.test(name),
  );
  return [
    ...(await removeOlder(ofSessions, LEFTOVER_SECONDS, now)),
    ...(await removeOlder(await namesWith(interpreters), INTERPRETER_SECONDS, now)),
  ];
}

async function namesWith(prefix: string): Promise<string[]> {
  const listed = await tryDocker([...LIST, `${prefix}*`]);
  return listed.stdout.split('\n').filter((name) => name.startsWith(prefix));
}

async function removeOlder(names: readonly string[], seconds: number, now: Date): Promise<string[]> {
  const removed: string[] = [];
  for (const name of names) {
    const tagged = (await inspectImage(name))?.tagged;
    if (tagged === undefined || now.getTime() - tagged.getTime() < seconds * 1000) continue;
    await removeImages([name]);
    removed.push(name);
  }
  return removed;
}

const unavailable = (reason: string, fault: Fault = 'build'): Pulled => ({
  kind: 'unavailable',
  reason,
  fault,
});
