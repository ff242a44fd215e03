import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Chunk } from './chunks.ts';
import { merge, type Tally } from './tally.ts';

/** Threads that simulate; close it when done. */
export interface Pool {
  /**
   * Simulates the chunks of one cell, as many at a time as there are workers.
   * @param done told after each chunk how many are done
   * @returns the same whatever the number of workers: the tallies are merged in the order of the chunks
   */
  readonly run: (chunks: readonly Chunk[], done?: (chunks: number) => void) => Promise<Tally>;
  readonly close: () => Promise<void>;
}

export function openPool(size: number): Pool {
  const workers = Array.from({ length: size }, () => new Worker(new URL('./worker.ts', import.meta.url)));
  return {
    run: async (chunks, done) => {
      const tallies: Tally[] = [];
      let [next, finished] = [0, 0];
      const work = async (worker: Worker) => {
        for (let index = next++; index < chunks.length; index = next++) {
          worker.postMessage(chunks[index]);
          // A worker that throws emits 'error', which rejects.
          const [tally] = (await once(worker, 'message')) as [Tally];
          tallies[index] = tally;
          done?.(++finished);
        }
      };
      await Promise.all(workers.map(work));
      return merge(tallies);
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
