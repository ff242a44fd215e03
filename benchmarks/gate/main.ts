/**
 * How often the gate is right, on simulated pull requests and on recorded sessions.
 *
 *   node benchmarks/gate/main.ts [--seed N] [--cells a,b] [--pull-requests N] [--workers N] [--write]
 *
 * Finished cells are kept in .progress/ until code that they depend on changes. Exit status 1: a target is not met.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { thisMachine } from '../../src/measure/machine/machine.ts';
import { readRecordings } from './recorded/recordings.ts';
import { answers } from './report/held-to.ts';
import { report, type Speed } from './report/report.ts';
import { cellsNamed, type Cell } from './simulation/cells.ts';
import { chunksOf } from './simulation/chunks.ts';
import { finishedCells } from './simulation/finished.ts';
import { openPool } from './simulation/pool.ts';
import type { Tally } from './simulation/tally.ts';
import { decidedPerSecond } from './speed.ts';

const REPORT = join(import.meta.dirname, 'REPORT.md');
const RECORDINGS = join(import.meta.dirname, '../../fixtures/recordings');

interface Setting {
  readonly seed: number;
  readonly pullRequests: number;
  readonly workers: number;
}

async function simulate(cells: readonly Cell[], setting: Setting): Promise<ReadonlyMap<string, Tally>> {
  const { seed, pullRequests, workers } = setting;
  const finished = finishedCells(seed, pullRequests);
  const pool = openPool(workers);
  const tallies = new Map<string, Tally>();
  try {
    for (const [index, { name, times = 1 }] of cells.entries()) {
      const label = `${index + 1}/${cells.length} ${name}`;
      const kept = finished.read(name);
      if (kept !== undefined) {
        progress(`${label}: kept\n`);
        tallies.set(name, kept);
        continue;
      }
      const started = performance.now();
      const chunks = chunksOf(name, seed, pullRequests * times);
      const tally = await pool.run(chunks, (done) => {
        if (process.stderr.isTTY) progress(`${label}: ${Math.round((100 * done) / chunks.length)} %`);
      });
      progress(`${label}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
      finished.keep(name, tally);
      tallies.set(name, tally);
    }
  } finally {
    await pool.close();
  }
  return tallies;
}

/** A line that the next one overwrites, on a terminal. */
const progress = (text: string) => process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${text}` : text);

/** Only quiet rows are decided at the first looks; rows of this spread reach the cap and stay undecided. */
const speed = (seed: number): readonly Speed[] => [
  { says: 'decided early: nothing changed, noise 2 %', perSecond: decidedPerSecond(0.02 * Math.SQRT2, seed) },
  {
    says: 'never decided: nothing changed, noise 12 %',
    perSecond: decidedPerSecond(0.12 * Math.SQRT2, seed),
  },
];

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${option}: found ${text}; expected: a whole number from ${least}`);
  return value;
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '20261124' },
    cells: { type: 'string', default: 'all' },
    'pull-requests': { type: 'string', default: '2500' },
    workers: { type: 'string', default: String(availableParallelism()) },
    recordings: { type: 'string', default: RECORDINGS },
    write: { type: 'boolean', default: false },
  },
});
const setting: Setting = {
  seed: wholeNumber('seed', values.seed, 0),
  pullRequests: wholeNumber('pull-requests', values['pull-requests'], 2),
  workers: wholeNumber('workers', values.workers, 1),
};
if (values.write && values.cells !== 'all')
  throw new Error('--write takes all cells: REPORT.md is one run’s');

const started = performance.now();
const tallies = await simulate(cellsNamed(values.cells), setting);
const { cpuModel, cores, kernel } = await thisMachine('none');
const markdown = await format(
  report(tallies, readRecordings(values.recordings), {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpuModel}, ${cores} cores, Linux ${kernel}, node ${process.version}`,
    command: `npm run bench:gate -- --seed ${setting.seed} --pull-requests ${setting.pullRequests}`,
    ...setting,
    speed: speed(setting.seed),
    seconds: (performance.now() - started) / 1000,
  }),
  { ...(await resolveConfig(REPORT)), parser: 'markdown' },
);
console.log(markdown);
if (values.write) await writeFile(REPORT, markdown);
const unmet = answers(tallies).filter(([, answer]) => answer !== 'met');
for (const [{ what }, answer] of unmet) progress(`${answer}: ${what}\n`);
if (unmet.length > 0) process.exitCode = 1;
