import { shuffle } from 'simple-statistics';
import type { Side } from '../session/run.ts';
import { uniformSource } from '../statistics/random.ts';

/** One pair to run: the variant, the first side, and the hash seed of both runs. */
export interface ScheduledPair {
  readonly variant: string;
  readonly order: readonly Side[];
  readonly hashSeed: number;
}

/**
 * The order of a whole session from its seed, so that it can be replayed.
 *
 * Each block holds one pair of every variant, variants in random order. Which side runs first is random and
 * balanced: within each four blocks of a variant, either side is first twice, so that a penalty on the second
 * place cancels at every look and not only at the end.
 *
 * @param blocks how many blocks; block k of the result is block k + 1 of the session (0 is the warm-up)
 */
export function scheduleBlocks(
  variants: readonly string[],
  sides: readonly Side[],
  blocks: number,
  seed: number,
): readonly (readonly ScheduledPair[])[] {
  const random = uniformSource(seed);
  const first = new Map(variants.map((variant) => [variant, balancedFirst(blocks, random)]));
  return Array.from({ length: blocks }, (_, block) =>
    shuffle([...variants], random).map((variant) => ({
      variant,
      order: first.get(variant)?.[block] === true ? [...sides].reverse() : [...sides],
      // PYTHONHASHSEED's range; 0 would switch randomisation off.
      hashSeed: 1 + Math.floor(random() * 4_294_967_294),
    })),
  );
}

const CHUNK = 4;

function balancedFirst(blocks: number, random: () => number): boolean[] {
  const order: boolean[] = [];
  while (order.length < blocks) {
    const length = Math.min(CHUNK, blocks - order.length);
    // With an odd rest, chance decides which side is first once more.
    const flips = Math.floor(length / 2) + (length % 2 === 1 && random() < 0.5 ? 1 : 0);
    order.push(
      ...shuffle(
        Array.from({ length }, (_, index) => index < flips),
        random,
      ),
    );
  }
  return order;
}
