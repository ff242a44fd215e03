import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tally } from './tally.ts';

const TOP = join(import.meta.dirname, '../../..');

/** What a cell's figures depend on. The report's words and targets are not among it. */
const SOURCES = [
  'src/statistics/*.ts',
  'src/measure/schedule.ts',
  'src/{evidence,verdict,planning}/*.ts',
  'src/session/metric.ts',
  'src/plan/defaults.ts',
  'benchmarks/gate/simulation/*.ts',
  'benchmarks/gate/peers/*.ts',
];

/** Cells that are done, kept until the code that made them changes: a run that was ended goes on where it was. */
export interface FinishedCells {
  readonly read: (cell: string) => Tally | undefined;
  readonly keep: (cell: string, tally: Tally) => void;
}

export function finishedCells(seed: number, pullRequests: number): FinishedCells {
  const hash = createHash('sha256');
  for (const path of globSync(SOURCES, { cwd: TOP }).sort())
    if (!path.endsWith('.test.ts')) hash.update(`${path}\0`).update(readFileSync(join(TOP, path)));
  const key = hash.update(`${seed}/${pullRequests}`).digest('hex').slice(0, 16);
  const folder = join(import.meta.dirname, '../.progress', key);
  const path = (cell: string) => join(folder, `${cell}.json`);
  return {
    read: (cell) => {
      try {
        return JSON.parse(readFileSync(path(cell), 'utf8')) as Tally;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    keep: (cell, tally) => {
      mkdirSync(folder, { recursive: true });
      // Renamed when whole: a run that is ended while it writes must not leave half a cell.
      writeFileSync(`${path(cell)}.part`, JSON.stringify(tally));
      renameSync(`${path(cell)}.part`, path(cell));
    },
  };
}
