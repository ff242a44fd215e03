import { createHash } from 'node:crypto';
import { uniformSource } from '../../../src/statistics/random.ts';
import { cellsNamed } from './cells.ts';
import { emptyTally, type Tally } from './tally.ts';

/** A part of a cell that one worker does at a time. It draws its own random numbers, so who does it does not matter. */
export interface Chunk {
  readonly cell: string;
  readonly seed: number;
  /** Index of the first pull request of the chunk among those of its cell. */
  readonly first: number;
  readonly pullRequests: number;
}

/** Small enough that two workers end together, large enough that handing them out costs nothing. */
const CHUNK = 50;

export const chunksOf = (cell: string, seed: number, pullRequests: number): readonly Chunk[] =>
  Array.from({ length: Math.ceil(pullRequests / CHUNK) }, (_, index) => ({
    cell,
    seed,
    first: index * CHUNK,
    pullRequests: Math.min(CHUNK, pullRequests - index * CHUNK),
  }));

export function simulateChunk({ cell: name, seed, first, pullRequests }: Chunk): Tally {
  const [cell] = cellsNamed(name);
  const random = uniformSource(seedOf(name, seed, first));
  const tally = emptyTally();
  for (let index = first; index < first + pullRequests; index++) cell?.simulate(index, random, tally);
  return tally;
}

/** 32 bits of a hash: neighbouring chunks and cells of like names have nothing in common. */
const seedOf = (...parts: readonly (string | number)[]) =>
  createHash('sha256').update(parts.join('/')).digest().readInt32LE();
