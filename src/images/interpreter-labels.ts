import type { Image } from '../session/session.ts';
import type { ImageFacts } from './inspect.ts';
import { isDigestReference } from './names.ts';
import { atDigest, type Definition } from './interpreter-definition.ts';

/** What an image's labels say of its interpreter, its base and the processors that it was compiled for. */

/** Labels by which an image says what it stands on, to who pulls it by its digest later. */
export const LABELS = {
  /** `reference@digest` of the base image; a digest that no registry knows is the image's ID. */
  base: 'org.pacegate.base',
  definition: 'org.pacegate.definition',
  interpreter: 'org.pacegate.interpreter',
  /** Set by the Dockerfiles that compile for some processors alone. */
  cpuFlags: 'org.pacegate.cpu-flags',
} as const;

/** Inherited by every image that is built on it. */
export const labelsOf = ({ base }: Pick<Definition, 'base'>): Record<string, string> =>
  base === undefined ? {} : { [LABELS.base]: atDigest(base) };

/** Facts for a later session that pulls the image by its digest. */
export function applicationLabels(
  { hash, base }: Definition,
  interpreter: string | undefined,
): Readonly<Record<string, string>> {
  return {
    ...labelsOf({ base }),
    [LABELS.definition]: hash,
    ...(interpreter !== undefined && isDigestReference(interpreter)
      ? { [LABELS.interpreter]: interpreter }
      : {}),
  };
}

/** The flags that an image was compiled for; undefined without the label. */
export function flagsOf({ labels }: Pick<ImageFacts, 'labels'>): readonly string[] | undefined {
  const flags = labels[LABELS.cpuFlags]?.split(' ').filter((flag) => flag !== '');
  return flags === undefined || flags.length === 0 ? undefined : flags;
}

/** The base image from an image's label. */
export function baseIn({ labels }: Pick<ImageFacts, 'labels'>): Image['base'] {
  const [, reference, digest] = /^(.+)@(sha256:[0-9a-f]{64})$/.exec(labels[LABELS.base] ?? '') ?? [];
  return reference === undefined || digest === undefined ? undefined : { reference, digest };
}
