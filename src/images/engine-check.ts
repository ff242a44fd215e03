import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';
import type { ImageStore } from '../session/session.ts';
import { lastWords, tryDocker } from './docker.ts';
import { readable } from './progress.ts';
import { parseJson } from '../session/json.ts';

/** What builds and runs the images. */
export interface EngineVersions {
  /** Name and version for the session's record: `Docker 26.1.5`. */
  readonly engine: string;
  /** The engine's version as it says it. */
  readonly server: string;
  readonly buildx: string;
  /** Undefined if the builder does not report it (Debian's own engine, a builder not yet started). */
  readonly buildkit: string | undefined;
  /** The builder's driver: `docker`, `docker-container`… */
  readonly driver: string;
  /** Undefined if the engine does not report it. */
  readonly store: ImageStore | undefined;
  /** The engine's processor by Docker's name, such as `amd64`; undefined where it does not say. */
  readonly architecture: string | undefined;
}

/** Attestation switches came with buildx 0.10, linked targets with BuildKit 0.10, which Docker 23.0 carries. */
const NEEDED = { buildx: [0, 10], buildkit: [0, 10], server: [23, 0] } as const;
const RAWJSON_SINCE = [0, 13] as const;

/** Checks the engine before anything is built. @throws BuildError with what was found and what is needed. */
export async function checkEngine(): Promise<EngineVersions> {
  const server = await serverVersion();
  const buildx = await buildxVersion();
  const { driver, buildkit } = await builder();
  if (driver === 'docker' && !atLeast(server, NEEDED.server))
    throw new BuildError(
      `Docker ${server} was found; its BuildKit does not support linked bake targets. Install Docker 23.0 or newer, or choose a docker-container builder with \`docker buildx create --use\`.`,
    );
  if (buildkit !== undefined && !atLeast(buildkit, NEEDED.buildkit))
    throw new BuildError(
      `The builder's BuildKit is ${buildkit}, which does not support linked bake targets. BuildKit 0.10 or newer is needed: create the builder again with \`docker buildx create --use\`.`,
    );
  return {
    engine: `Docker ${server}`,
    server,
    buildx,
    buildkit,
    driver,
    store: await imageStore(),
    architecture: await architecture(),
  };
}

/** Whether buildx can give its progress as events instead of text. */
export const hasEvents = ({ buildx }: EngineVersions): boolean => atLeast(buildx, RAWJSON_SINCE);

/** How the engine stores images; undefined if it does not report it. */
export async function imageStore(): Promise<ImageStore | undefined> {
  const { status, stdout } = await tryDocker(['info', '--format', '{{json .DriverStatus}}']);
  return status === 0 ? storeOf(stdout) : undefined;
}

/** @param status the engine's report on its storage driver: pairs of names and values, as JSON */
export function storeOf(status: string): ImageStore | undefined {
  const pairs = z.array(z.tuple([z.string(), z.string()])).safeParse(parseJson(status));
  if (!pairs.success) return undefined;
  const isSnapshotter = ([name, value]: readonly [string, string]) =>
    name === 'driver-type' && value.startsWith('io.containerd.snapshotter.');
  return pairs.data.some(isSnapshotter) ? 'containerd' : 'classic';
}

async function architecture(): Promise<string | undefined> {
  const { status, stdout } = await tryDocker(['version', '--format', '{{json .Server.Arch}}']);
  const name = z.string().min(1).safeParse(parseJson(stdout));
  return status === 0 && name.success ? name.data : undefined;
}

async function serverVersion(): Promise<string> {
  const result = await tryDocker(['version', '--format', '{{json .Server.Version}}']);
  const version = z.string().min(1).safeParse(parseJson(result.stdout));
  if (result.status === 0 && version.success) return readable(version.data, 60);
  throw new BuildError(
    `Tried \`docker version\`; no engine answered: ${lastWords(result)}. Start the Docker engine, or let DOCKER_HOST name one that this user may use.`,
  );
}

async function buildxVersion(): Promise<string> {
  const result = await tryDocker(['buildx', 'version']);
  const version = versionIn(result.stdout);
  if (result.status !== 0 || version === undefined)
    throw new BuildError(
      `Tried \`docker buildx version\`: ${result.status === 0 ? readable(result.stdout) : lastWords(result)}. Install the buildx plugin, 0.10 or newer (on GitHub's runners it is there; elsewhere the package docker-buildx or docker-buildx-plugin).`,
    );
  if (!atLeast(version, NEEDED.buildx))
    throw new BuildError(`buildx ${version} was found; 0.10 or newer is needed. Update the buildx plugin.`);
  return version;
}

/** The current builder's driver and BuildKit, from the lines that `docker buildx inspect` prints. */
async function builder(): Promise<{ driver: string; buildkit: string | undefined }> {
  const result = await tryDocker(['buildx', 'inspect']);
  if (result.status !== 0)
    throw new BuildError(
      `Tried \`docker buildx inspect\`; the current builder does not answer: ${lastWords(result)}. Choose another with \`docker buildx use default\`.`,
    );
  return parseBuilder(result.stdout);
}

/** Reads the answer of `docker buildx inspect`, which has no machine-readable form in older buildx. */
export function parseBuilder(text: string): { driver: string; buildkit: string | undefined } {
  const field = (pattern: RegExp) => pattern.exec(text)?.[1];
  const buildkit = versionIn(field(/^Build[kK]it(?: version)?:\s*(\S+)/m) ?? '');
  return {
    driver: field(/^Driver:\s*(\S+)/m) ?? 'unknown',
    // A development build has the version 0.0.0, which means unknown.
    buildkit: buildkit === undefined || buildkit.startsWith('0.0.0') ? undefined : buildkit,
  };
}

/** The first `1.2.3` of a text, without what distributions append. */
export function versionIn(text: string): string | undefined {
  return /(?:^|[\sv])(\d+\.\d+(?:\.\d+)?)/.exec(text)?.[1];
}

/** Whether a version is at least major.minor. A version that cannot be read is accepted. */
export function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (a === undefined || b === undefined) return true;
  return Number(a) !== major ? Number(a) > major : Number(b) >= minor;
}
