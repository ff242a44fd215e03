/**
 * What Pacegate itself costs, in four questions: a whole run against docker alone, the probe's clock against
 * hyperfine's, the action's start, and the timeline's sampling. Every number comes from interleaved pairs with what it is judged by.
 *
 *   node benchmarks/overhead.ts [run] [clock] [start] [memory] [sampling] [--pairs N] [--seed N] [--write]
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { newSeed } from '../src/measure/session-id.ts';
import { thisMachine } from '../src/measure/machine/machine.ts';
import { anonymousMemory } from './anonymous-memory.ts';
import { docker } from './docker.ts';
import type { Section, Setting } from './paired.ts';
import { probeClock } from './probe-clock.ts';
import { sampling } from './sampling.ts';
import { start } from './start.ts';
import { wholeRun } from './whole-run.ts';

const RESULTS = join(import.meta.dirname, 'RESULTS.md');

const QUESTIONS = new Map<string, (setting: Setting) => Promise<Section>>([
  ['run', wholeRun],
  ['clock', probeClock],
  ['start', start],
  ['memory', anonymousMemory],
  ['sampling', sampling],
]);

async function answer(names: readonly string[], setting: Setting): Promise<string> {
  const { cpuModel, cores, kernel, engine } = await thisMachine(
    `Docker ${await docker(['version', '--format', '{{.Server.Version}}'])}`,
  );
  const command = ['npm run benchmark --', ...names, `--pairs ${setting.pairs} --seed ${setting.seed}`];
  const parts = [
    '# What Pacegate itself costs',
    [
      `- Measured ${new Date().toISOString().slice(0, 10)} on ${cpuModel}, ${cores} cores, Linux ${kernel}, ${engine}, node ${process.version}.`,
      `- Again: \`${command.join(' ')}\``,
      '- Pairs are interleaved: the two runs of a pair follow each other, in a random and balanced order.',
      '- One side: `median (lower quartile to upper)`. Ratio and difference: the Hodges-Lehmann estimate over the pairs (a ratio’s from their logarithms) and its 95 % interval by the signed-rank test.',
      '- An aim is met or missed if the whole interval is on one side of it, and otherwise undecided.',
    ].join('\n'),
  ];
  for (const [name, question] of QUESTIONS) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.error(`${name}: ${setting.pairs} pairs of each comparison, seed ${setting.seed}`);
    const { title, body } = await question(setting);
    parts.push(`## ${title}`, ...body);
  }
  const markdown = parts.join('\n\n');
  return await format(markdown, { ...(await resolveConfig(RESULTS)), parser: 'markdown' });
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`--${option}: found ${text}; expected: a whole number from ${least}`);
  return value;
}

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(newSeed()) },
    write: { type: 'boolean', default: false },
  },
});
const unknown = names.filter((name) => !QUESTIONS.has(name));
if (unknown.length > 0)
  throw new Error(`found ${unknown.join(', ')}; expected: ${[...QUESTIONS.keys()].join(', ')}`);
if (values.write && names.length > 0) throw new Error('--write takes all questions: RESULTS.md is one run’s');

// The terminal and npm may both send it: once or twice, what was started is ended and removed.
const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());

try {
  const markdown = await answer(names, {
    // Fewer pairs have no 95 % interval.
    pairs: wholeNumber('pairs', values.pairs, 6),
    seed: wholeNumber('seed', values.seed, 0),
    signal: interrupt.signal,
  });
  console.log(markdown);
  if (values.write) await writeFile(RESULTS, markdown);
} catch (error) {
  if (!interrupt.signal.aborted) throw error;
  console.error('Cancelled; what was started is removed.');
  process.exitCode = 130;
}
