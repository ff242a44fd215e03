/**
 * Compares what the probe measures of several processes with independent measurements: the engine's statistics and the
 * kernel's account of each process from outside of a container, and time(1) on the host.
 *
 * `node benchmarks/agreement.ts --times 12 --write` measures and writes benchmarks/AGREEMENT.md. Needs a Docker engine
 * with the official image, and GNU time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import {
  measureFromOutside,
  measureWithTime,
  type Pair,
} from '../src/measure/engines/outside.test-support.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '12' }, write: { type: 'boolean', default: false } },
});
const times = Number(values.times);
const MEASURE = join(import.meta.dirname, '..', 'src', 'measure');
const programs = { probe: join(MEASURE, 'probe.py'), facts: join(MEASURE, 'facts.py') };

const found = new Map<string, Pair[]>();
const load = (loadavg()[0] ?? 0).toFixed(1);
for (let round = 1; round <= times; round += 1) {
  const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'pacegate-agreement-')));
  const [inside = '', host = ''] = folders;
  const options = {
    ...programs,
    sessionId: `agreement-${process.pid}-${round}`,
    owner: ownerOfThisProcess(),
  };
  const container = await measureFromOutside(inside, options, 'python:3.13-slim-trixie');
  const timed = await measureWithTime(host, programs.probe, 'python3');
  const pairs: Readonly<Record<string, Pair>> = {
    'container: CPU time, by the engine (s)': container.cpuSeconds,
    'container: max RSS, by the kernel’s VmHWM (bytes)': container.maxRssBytes,
    'container: anonymous memory, by the engine (bytes)': container.anonymousBytes,
    'host: CPU time, by time(1) (s)': timed.cpuSeconds,
    'host: max RSS, by time(1) (bytes)': timed.maxRssBytes,
  };
  for (const [name, pair] of Object.entries(pairs)) found.set(name, [...(found.get(name) ?? []), pair]);
  for (const folder of folders) rmSync(folder, { recursive: true });
  process.stderr.write(`${round}/${times}\n`);
}

const percent = (fraction: number) => {
  const text = Math.abs(fraction * 100).toFixed(2);
  return `${text === '0.00' ? '±' : fraction < 0 ? '−' : '+'}${text} %`;
};
const value = (number: number) => (number > 1000 ? String(Math.round(number)) : number.toFixed(3));
const table = markdownTable([
  [
    'figure, and who else measured it',
    'probe, median',
    'the other, median',
    'difference: median',
    'smallest',
    'largest',
  ],
  ...[...found].map(([name, pairs]) => {
    const differences = pairs.map(({ probe, outside }) => probe / outside - 1);
    return [
      name,
      value(median(pairs.map(({ probe }) => probe))),
      value(median(pairs.map(({ outside }) => outside))),
      percent(median(differences)),
      percent(Math.min(...differences)),
      percent(Math.max(...differences)),
    ];
  }),
]);
const text = `# The probe's figures compared with other tools

${new Date().toISOString().slice(0, 10)}; ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, kernel ${release()}, one-minute load ${load}.
\`node benchmarks/agreement.ts --times ${times} --write\` measures again: ${times} runs of several processes with threads, in a
container with an orphan among them. \`src/measure/engines/container.itg.test.ts\` and \`src/measure/probe/probe.test.ts\` check that they agree.

${table}
`;
process.stdout.write(text);
if (values.write) writeFileSync(join(import.meta.dirname, 'AGREEMENT.md'), text);
