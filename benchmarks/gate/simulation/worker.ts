/** One of the threads that simulate: a chunk comes in, its tally goes out. */
import { parentPort } from 'node:worker_threads';
import { simulateChunk, type Chunk } from './chunks.ts';

parentPort?.on('message', (chunk: Chunk) => parentPort?.postMessage(simulateChunk(chunk)));
