import type { Runnable } from '../measure/engine.ts';
import { commonLevel, missingFlags } from '../session/cpu.ts';
import type { ImageStore } from '../session/session.ts';
import { EMULATED, isForeign } from '../dockerfile/emulation.ts';
import type { EngineVersions } from './engine-check.ts';
import type { ImageRequest } from './image-request.ts';
import type { ImageFacts } from './inspect.ts';
import { processorFlags } from './interpreter-definition.ts';
import { baseIn, flagsOf } from './interpreter-labels.ts';
import type { Obtained } from './obtained-image.ts';

/** Properties of a whole image, from the engine. */
export interface Kept {
  /** Undefined if the engine does not report it. */
  readonly store: ImageStore | undefined;
  /** Sizes of the layers that are not empty; undefined if they could not be read. */
  readonly layers: readonly number[] | undefined;
}

/** The image as the measurement needs it. */
export function toRunnable(request: ImageRequest, obtained: Obtained, { store, layers }: Kept): Runnable {
  const { variant, side, filesFrom } = request;
  const { facts, origin, digest, definition, interpreter, seconds } = obtained;
  const base = baseIn(facts);
  const needed = flagsOf(facts);
  return {
    image: {
      variant: variant.name,
      side,
      engine: 'container',
      identity: facts.identity,
      digest,
      id: facts.id,
      definitionHash: definition,
      store,
      ...sizeOf(facts, { store, layers }),
      layers: [...facts.layers],
      origin,
      buildSeconds: seconds,
      layerSizes: layers && [...layers],
      base,
      interpreter,
      cpuFlags: needed && [...needed],
      entrypoint: facts.entrypoint.length === 0 ? undefined : [...facts.entrypoint],
    },
    // Every interpreter of `variants/` promises `python` in the PATH.
    python: variant.kind === 'image' || variant.kind === 'bake' ? variant.python : 'python',
    flags: variant.flags,
    env: variant.env,
    workingDirectory: facts.workingDirectory,
    filesFrom,
  };
}

/**
 * The sum of the layers. The classic store reports the same sum. The containerd store reports the packed size, or both
 * sizes together, depending on its version, so its figure is not used.
 */
export const sizeOf = (
  { sizeBytes }: Pick<ImageFacts, 'sizeBytes'>,
  { store, layers }: Kept,
): { readonly sizeBytes?: number } =>
  layers !== undefined
    ? { sizeBytes: layers.reduce((sum, bytes) => sum + bytes, 0) }
    : store === 'containerd'
      ? {}
      : { sizeBytes };

/** Why an image must not run on this machine; undefined if it may. */
export async function refusal(
  subject: string,
  facts: ImageFacts,
  { architecture }: Pick<EngineVersions, 'architecture'>,
): Promise<string | undefined> {
  if (isForeign(facts.architecture, architecture))
    return `${subject}: this image is for linux/${facts.architecture}, and this machine is linux/${architecture ?? ''}. ${EMULATED}, so it was not started. Measure it on a machine with that processor (on GitHub \`ubuntu-24.04-arm\` is one for arm64), or remove the setting that chose the platform: \`--platform\`, \`platforms\`, DOCKER_DEFAULT_PLATFORM.`;
  const needed = flagsOf(facts);
  if (needed === undefined) return undefined;
  const missing = missingFlags(needed, await processorFlags());
  return missing.length === 0
    ? undefined
    : `${subject}: this image was compiled for a processor with ${missing.join(', ')}, which this machine's processor lacks. Its first such instruction would end it (SIGILL, illegal instruction), so it was not started. Run it where it was built for, build it here (no registry or cache holds one for this processor), or use pyenv-optimized with march: ${commonLevel(facts.architecture)}, which more processors can run.`;
}
