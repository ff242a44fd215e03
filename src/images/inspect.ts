import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';
import { lastWords, tryDocker } from './docker.ts';
import { parseJson } from '../session/json.ts';

/** Reads an image's properties from the engine. */

const list = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** The part of `docker image inspect` that is read; field names are Docker's. */
const inspectionSchema = z.object({
  Id: z.string(),
  Architecture: text,
  Os: text,
  Size: z.number().nonnegative(),
  RepoDigests: list,
  RootFS: z.object({ Layers: list }).default({ Layers: [] }),
  Config: z
    .object({
      User: text,
      WorkingDir: text,
      Env: list,
      Entrypoint: list,
      Cmd: list,
      Volumes: z.record(z.string(), z.unknown()).nullish(),
      Healthcheck: z.unknown().optional(),
      StopSignal: text,
      Labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  Metadata: z.object({ LastTagTime: text }).nullish(),
});

/** An image as the engine knows it. */
export interface ImageFacts {
  /** The image's ID in the engine's store. */
  readonly id: string;
  /** `name@sha256:…` of the registries that have it, as far as the engine knows. */
  readonly digests: readonly string[];
  /** Digests of the unpacked layers, the base's first. */
  readonly layers: readonly string[];
  /** Unpacked size in bytes with the classic store; another figure with the containerd store. */
  readonly sizeBytes: number;
  /** `/` if the image names none. */
  readonly workingDirectory: string;
  readonly identity: string;
  /** The same without the layers: what of the image reaches a process beside its files. */
  readonly configuration: string;
  /** By Docker's name, such as `amd64`; empty where the image does not say. */
  readonly architecture: string;
  /** The image's ENTRYPOINT; empty without one. */
  readonly entrypoint: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** When it was last tagged here; undefined if the engine does not report it. */
  readonly tagged: Date | undefined;
}

/**
 * Asks the engine for an image. @returns undefined when it is not in the engine's store.
 * @throws BuildError when the engine's answer cannot be read.
 */
export async function inspectImage(reference: string): Promise<ImageFacts | undefined> {
  const result = await tryDocker(['image', 'inspect', reference]);
  if (result.status === 0) return readInspection(result.stdout);
  if (/no such image/i.test(result.stderr)) return undefined;
  throw new BuildError(`Tried \`docker image inspect ${reference}\`: ${lastWords(result)}`);
}

/**
 * Reads the answer of `docker image inspect` of one image.
 * @throws BuildError when it is not what Docker answers.
 */
export function readInspection(json: string): ImageFacts {
  const parsed = z.tuple([inspectionSchema]).safeParse(parseJson(json));
  if (!parsed.success)
    throw new BuildError(
      `Docker's answer about an image could not be read: ${z.prettifyError(parsed.error)}. Please report this with the output of \`docker version\`.`,
    );
  const [image] = parsed.data;
  const tagged = new Date(image.Metadata?.LastTagTime ?? '');
  return {
    id: image.Id,
    digests: image.RepoDigests,
    layers: image.RootFS.Layers,
    sizeBytes: image.Size,
    workingDirectory: image.Config?.WorkingDir === undefined ? '/' : image.Config.WorkingDir || '/',
    identity: identityOf(image),
    configuration: identityOf({ ...image, RootFS: { Layers: [] } }),
    architecture: image.Architecture,
    entrypoint: image.Config?.Entrypoint ?? [],
    labels: image.Config?.Labels ?? {},
    // Go's zero time, year 1, stands for never.
    tagged: tagged.getTime() > 0 ? tagged : undefined,
  };
}

/**
 * SHA-256 over what can change a run: the layers' bytes, the platform and the parts of the configuration that reach the
 * process. Labels, creation times and the history do not count, so that a change of documentation gives the same
 * identity although the image's ID may differ.
 */
function identityOf({ Architecture, Os, RootFS, Config }: z.infer<typeof inspectionSchema>): string {
  const parts = [
    Architecture,
    Os,
    RootFS.Layers,
    Config?.User ?? '',
    Config?.WorkingDir ?? '',
    Config?.Env ?? [],
    Config?.Entrypoint ?? [],
    Config?.Cmd ?? [],
    Object.keys(Config?.Volumes ?? {}).sort(),
    Config?.Healthcheck ?? null,
    Config?.StopSignal ?? '',
  ];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}
