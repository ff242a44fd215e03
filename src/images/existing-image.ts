import type { ImageVariant } from '../plan/plan.ts';
import { definitionHash } from './definition-hash.ts';
import type { ImageRequest } from './image-request.ts';
import { unavailable, type ObtainedImage } from './obtained-image.ts';
import { digestIn, obtainImage } from './store.ts';

/** One side of a variant of kind `image`: the engine has it, or it is pulled. */
export async function prepareExisting(
  variant: ImageVariant,
  { side }: ImageRequest,
  signal: AbortSignal,
): Promise<ObtainedImage> {
  const reference = side === 'baseline' ? (variant.baselineImage ?? variant.image) : variant.image;
  const found = await obtainImage(reference, signal);
  if (found.kind === 'unavailable')
    return unavailable(
      `${variant.name} (${side}): the image ${reference} is not on this machine and could not be pulled: ${found.reason}. Check the name, and that this machine may read its registry (\`docker login\`).`,
      found.fault,
    );
  const { facts } = found;
  return {
    kind: 'obtained',
    facts,
    origin: 'existing',
    digest: digestIn(facts, reference),
    definition: definitionHash({ variant, files: {} }),
  };
}
