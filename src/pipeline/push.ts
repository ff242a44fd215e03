import type { Side } from '../session/run.ts';
import type { Ports, VariantSides } from './ports.ts';

/**
 * Pushes the images of one side and records their digests.
 *
 * A push failure is logged, and the image is still measured.
 */
export async function pushSide(
  variants: readonly VariantSides[],
  side: Side,
  commit: string,
  ports: Pick<Ports, 'images' | 'log'>,
): Promise<readonly VariantSides[]> {
  return await Promise.all(
    variants.map(async (variant) => {
      const runnable = variant.sides[side];
      // An image that was pulled by its digest is in the registry already.
      if (runnable?.image.engine !== 'container' || runnable.image.origin === 'pulled') return variant;
      try {
        const digest = await ports.images.push(runnable, commit);
        const named = { ...runnable, image: { ...runnable.image, digest } };
        return { ...variant, sides: { ...variant.sides, [side]: named } };
      } catch (error) {
        ports.log.warn(error instanceof Error ? error.message : String(error));
        return variant;
      }
    }),
  );
}
