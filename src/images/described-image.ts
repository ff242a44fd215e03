import type { AskedImage } from '../session/facts.ts';
import { imageStore } from './engine-check.ts';
import type { ImageFacts } from './inspect.ts';
import { sizeOf } from './runnable.ts';
import { layerSizes, noLayers } from './sizes.ts';

/** What an image is made of: its layers with their sizes, and the base that its labels name. */
export async function describeImage(image: ImageFacts, signal: AbortSignal): Promise<AskedImage> {
  const { id, digests, layers, labels } = image;
  const store = await imageStore();
  const sizes = await layerSizes(id, store, noLayers(), signal);
  const [digest] = digests;
  const [reference, baseDigest] = ['name', 'digest'].map(
    (key) => labels[`org.opencontainers.image.base.${key}`],
  );
  return {
    id,
    digest,
    ...sizeOf(image, { store, layers: sizes }),
    // The sizes have no digests. Where as many layers hold something as there are, they are the same, in order.
    layers: (sizes ?? []).map((bytes, index) => {
      const own = sizes?.length === layers.length ? layers[index] : undefined;
      return { digest: own, bytes };
    }),
    base: reference === undefined || baseDigest === undefined ? undefined : { reference, digest: baseDigest },
  };
}
