import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { mersenne } from 'pure-rand/generator/mersenne';

/**
 * Uniform numbers in [0, 1) from a seed. A Mersenne twister, because it mixes its seed: smaller generators begin with
 * similar numbers for neighbouring seeds.
 */
export function uniformSource(seed: number): () => number {
  const generator = mersenne(seed);
  return () => uniformFloat64(generator);
}
