import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { runCommand } from '../process/command.ts';
import { isTimeOver } from '../process/deadline.ts';
import { engineAnswers, ENGINE_SILENT } from '../process/docker-engine.ts';
import type { Side } from '../session/run.ts';
import { CACHE_TOKEN } from './cache-token.ts';
import { bakeArguments, definitionText, type BakeDefinition } from './bake.ts';
import type { ResolvedBake } from './bake-file.ts';
import {
  buildFailureMessage,
  engineFailureMessage,
  faultOf,
  overrunMessage,
  type BuildFailure,
  type Fault,
} from './build-failure.ts';
import { followProgress, readable, type BuildProgress, type RunningStep } from './progress.ts';
import { own } from '../session/record.ts';

/** Runs `docker buildx bake` for one image, and explains a build that fails. */

export interface BuildRequest {
  readonly variant: string;
  /** Undefined for an interpreter by itself, which both sides share. */
  readonly side: Side | undefined;
  /** Pacegate's definition, or a project's resolved bake file. */
  readonly definition: BakeDefinition | { readonly resolved: ResolvedBake };
  readonly target: string;
  /** The linked target that makes the interpreter, where there is one. */
  readonly interpreterTarget?: string | undefined;
  readonly set?: readonly string[];
  /** The target leaves files in a folder, and no image. */
  readonly files?: boolean;
  /** Take no step from a cache. */
  readonly cold?: boolean;
  /** Whether the definition names GitHub's cache, for which the client needs the runner's token. */
  readonly githubCache?: boolean;
  /** Folder that relative paths (of secrets, of a project's bake file) start from. */
  readonly directory: string;
  readonly workFolder: string;
  /** Whether buildx can give its progress as events (0.13). */
  readonly events: boolean;
  readonly onLine: (line: string) => void;
}

export type BuildResult =
  | { readonly kind: 'built'; readonly seconds: number; readonly digests: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string; readonly fault: Fault };

/** The metadata file of bake: target's name -> what was built. Names are buildx's. */
const metadataSchema = z.record(
  z.string(),
  z.union([
    z.object({
      'containerimage.digest': z.string().optional(),
      'containerimage.config.digest': z.string().optional(),
    }),
    z.unknown().transform(() => ({})),
  ]),
);

/**
 * Builds one side of one variant with one `docker buildx bake`, so that a failure does not stop the others. Not
 * @actions/exec, because it cannot end a long build when the run is cancelled. The result comes from the metadata file;
 * the progress is only shown and explains a failure. @param signal ends the build; the message tells whether its time
 * was over (`within`) or it was cancelled @returns a failure with its message if the build fails; throws only if docker
 * cannot be started.
 */
export async function build(request: BuildRequest, signal: AbortSignal): Promise<BuildResult> {
  const { variant, side, definition, target, events, onLine } = request;
  const folder = await mkdtemp(join(request.workFolder, 'build-'));
  try {
    const ours = !('resolved' in definition);
    const file = join(folder, 'bake.json');
    await writeFile(file, definitionText(ours ? definition : definition.resolved));
    const metadataFile = join(folder, 'metadata.json');
    const label = side === undefined ? variant : `${variant} ${side}`;
    const subject = side === undefined ? variant : `${variant} (${side})`;
    const progress = followProgress(label, side === undefined ? true : request.interpreterTarget, onLine);
    const last = lastStep(progress, signal);
    const started = performance.now();
    const args = bakeArguments({
      file,
      metadataFile,
      target,
      progress: events ? 'rawjson' : 'plain',
      set: request.set,
      cold: request.cold,
    });
    const result = await runCommand('docker', args, {
      cwd: request.directory,
      env: buildEnvironment({ ours, githubCache: request.githubCache === true }),
      signal,
      // The client's plugin does the work, and outlives a client that is killed.
      group: true,
      onStderrLine: (line) => {
        progress.feed(line);
        if (!events) onLine(`[${label}] ${readable(line)}`);
      },
    });
    const seconds = (performance.now() - started) / 1000;
    // One that ended well in its last moment has ended well.
    if (signal.aborted && result.status !== 0)
      return await endedBuild({ subject, seconds, signal, step: last() });
    if (result.status !== 0)
      return await failedBuild(subject, { variant, side, step: progress.failed(), words: progress.words() });
    if (request.files === true) return { kind: 'built', seconds, digests: [] };
    const digests = digestsOf(await readFile(metadataFile, 'utf8'), target);
    if (digests.length === 0)
      return {
        kind: 'failed',
        fault: 'build',
        message: `${subject}: bake built ${JSON.stringify(target)}, and its metadata names no image of that target. A group cannot be a variant: name a target that makes one image.`,
      };
    return { kind: 'built', seconds, digests };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The step that runs when the signal fires: its own end follows, and hides it. */
export function lastStep(progress: BuildProgress, signal: AbortSignal): () => RunningStep | undefined {
  let step: RunningStep | undefined;
  signal.addEventListener('abort', () => (step = progress.running()), { once: true });
  return () => step;
}

/** The result of a build that Pacegate ended. */
export async function endedBuild({
  subject,
  seconds,
  signal,
  step,
}: {
  readonly subject: string;
  readonly seconds: number;
  readonly signal: AbortSignal;
  readonly step: RunningStep | undefined;
}): Promise<Extract<BuildResult, { kind: 'failed' }>> {
  // The time was over, which says nothing about the definition.
  const fault = 'engine';
  if (!isTimeOver(signal))
    return {
      kind: 'failed',
      fault,
      message: `${subject}: the build was cancelled after ${seconds.toFixed(0)} s`,
    };
  if (!(await engineAnswers()))
    return {
      kind: 'failed',
      fault,
      message: `${subject}: the build was ended after ${seconds.toFixed(0)} s: ${ENGINE_SILENT}`,
    };
  const limit = `the time that the budget left for it (${seconds.toFixed(0)} s)`;
  return { kind: 'failed', fault, message: overrunMessage({ subject, seconds, step, limit }) };
}

/** The result of a build that failed on its own. */
export async function failedBuild(
  subject: string,
  failure: BuildFailure,
): Promise<Extract<BuildResult, { kind: 'failed' }>> {
  // If the engine does not answer, no other cause can be determined.
  const fault = (await engineAnswers()) ? faultOf(failure) : 'engine';
  const message = fault === 'engine' ? engineFailureMessage(subject, failure) : buildFailureMessage(failure);
  return { kind: 'failed', fault, message };
}

/**
 * The digests that a metadata file gives for a target: of its configuration, which is the image's ID in
 * the classic store, then of its manifest, which is the ID in the containerd store. Empty when there is none.
 */
export function digestsOf(metadata: string, target: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(metadata);
  } catch {
    return [];
  }
  const entry: Record<string, string | undefined> =
    own(metadataSchema.safeParse(value).data ?? {}, target) ?? {};
  return [entry['containerimage.config.digest'], entry['containerimage.digest']].filter(
    (digest) => digest !== undefined,
  );
}

/**
 * What a build is started with beside this process's environment.
 *
 * @param ours whether the definition is Pacegate's: its paths are absolute and lie where the files are, and what it takes
 *   of the environment is what the judging configuration names. A project's own bake file comes with the pull request,
 *   so buildx guards what it may read, whatever the job's environment says.
 * @param githubCache whether the configuration names GitHub's cache: buildx adds the runner's token to entries of
 *   `type=gha`. A bake file is built with the token then, and resolved without it.
 */
export function buildEnvironment(
  { ours, githubCache }: { readonly ours: boolean; readonly githubCache: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string | undefined> {
  return {
    // The docker driver would load every linked target, and leave images without a name behind.
    BUILDX_NO_DEFAULT_LOAD: '1',
    BUILDX_METADATA_PROVENANCE: 'disabled',
    ...(ours
      ? { BUILDX_BAKE_ENTITLEMENTS_FS: '0' }
      : {
          ...withheld(environment, githubCache ? CACHE_TOKEN : []),
          ...(isRunner(environment) ? { BUILDX_BAKE_ENTITLEMENTS_FS: '1' } : {}),
        }),
  };
}

/** What docker, buildx and a proxy need of a job's environment: each by its name, for a password has a prefix too. */
const HANDED_ON = new Set([
  ...['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE'],
  ...[
    'XDG_CONFIG_HOME',
    'XDG_CACHE_HOME',
    'XDG_DATA_HOME',
    'XDG_RUNTIME_DIR',
    'SSL_CERT_FILE',
    'SSL_CERT_DIR',
  ],
  ...['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG', 'DOCKER_CERT_PATH', 'DOCKER_TLS_VERIFY'],
  ...['DOCKER_API_VERSION', 'DOCKER_DEFAULT_PLATFORM', 'BUILDX_BUILDER', 'BUILDX_CONFIG', 'BUILDKIT_HOST'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'],
]);

/**
 * On a runner a project's bake file comes with the change, and may make a build secret of any variable: the job's
 * tokens are kept from it. On a terminal the file and the environment are the same person's.
 * @param also names that are handed on beside what docker needs
 */
export function withheld(
  environment: Readonly<Record<string, string | undefined>>,
  also: readonly string[] = [],
): Record<string, string | undefined> {
  if (!isRunner(environment)) return {};
  return Object.fromEntries(
    Object.keys(environment)
      .filter((name) => !HANDED_ON.has(name.toUpperCase()) && !also.includes(name))
      .map((name) => [name, undefined]),
  );
}

const isRunner = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment['GITHUB_ACTIONS'] === 'true';
