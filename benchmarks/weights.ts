/**
 * What the weights of pairs find that signed ranks do not, by the noise of a run: one row of a family of 21 with +5 %,
 * the profile `balanced`; and what up to 60 pairs find instead of 30.
 *
 * `node benchmarks/weights.ts` prints the table of docs/method.md; `--write` writes it there. It is the same each time:
 * the runs are drawn from a seed, and both rules judge the same runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { format, resolveConfig } from 'prettier';
import { METHODS, PROFILE_SETTINGS, looksFor, type Method } from '../src/statistics/looks.ts';
import { uniformSource } from '../src/statistics/random.ts';
import { judgeFamily } from '../src/statistics/sequential.ts';
import { normalSource } from './gate/simulation/normal.ts';

const PAGE = join(import.meta.dirname, '../docs/method.md');
const SEED = 5;
const DRAWS = 1500;
const EFFECT = Math.log(1.05);
/** Pairs of a draw; the versions before 3 took the first 30. */
const PAIRS = 60;
const capOf = (method: Method) => (method < 3 ? 30 : PAIRS);
const RULES = { alpha: 0.05, tests: 21 };
const { limit } = PROFILE_SETTINGS.balanced;

/** Draws the logarithm of one run's time. */
type Noise = (random: () => number, normal: () => number) => number;

const even =
  (size: number): Noise =>
  (_, normal) =>
    size * normal();

const slowed =
  (by: number): Noise =>
  (random, normal) =>
    0.02 * normal() + (random() < 0.1 ? Math.log(by) : 0);

/** A t-distributed number with three degrees of freedom, scaled to a standard deviation of 1. */
const studentT = (normal: () => number) => {
  const chi = normal() ** 2 + normal() ** 2 + normal() ** 2;
  return normal() / Math.sqrt(chi / 3) / Math.sqrt(3);
};

/** Name, the noise of the base, and that of the head where it differs. */
const NOISES: readonly (readonly [string, Noise, Noise?])[] = [
  ['normal, 5 %', even(0.05)],
  ['2 %, and 30 % slower in one run of ten', slowed(1.3)],
  ['2 %, and three times as slow in one run of ten', slowed(3)],
  ['exponential, 5 %', (random) => -0.05 * Math.log(1 - random())],
  ['Student’s t with three degrees of freedom, 5 %', (_, normal) => 0.05 * studentT(normal)],
  ['2 % in the base, 6 % in the head', even(0.02), even(0.06)],
];

function found(base: Noise, head: Noise): Readonly<Record<Method, number>> {
  const random = uniformSource(SEED);
  const normal = normalSource(random);
  const counts = { 1: 0, 2: 0, 3: 0 };
  for (let draw = 0; draw < DRAWS; draw++) {
    const pairs = Array.from({ length: PAIRS }, () => {
      const [b, h] = [base(random, normal), EFFECT + head(random, normal)];
      return { worse: h - b, level: (b + h) / 2 };
    });
    const worse = Float64Array.from(pairs, (pair) => pair.worse);
    const levels = Float64Array.from(pairs, (pair) => pair.level);
    for (const method of METHODS) {
      const [row] = judgeFamily([{ worse, levels, limit }], {
        ...RULES,
        looks: looksFor('balanced', capOf(method), method),
        method,
      });
      if (row?.decision === 'regressed') counts[method] += 1;
    }
  }
  return counts;
}

const share = (count: number) => `${((100 * count) / DRAWS).toFixed(1)} %`;

const table = () =>
  markdownTable([
    ['noise of a run', 'signed ranks', 'weights', 'up to 60 pairs'],
    ...NOISES.map(([name, base, head = base]) => {
      const counts = found(base, head);
      return [name, share(counts[1]), share(counts[2]), share(counts[3])];
    }),
  ]);

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } });
if (values.write) {
  const page = readFileSync(PAGE, 'utf8').replace(
    /(<!-- weights:begin -->\n)[^]*(<!-- weights:end -->)/,
    (_, begin: string, end: string) => `${begin}\n${table()}\n\n${end}`,
  );
  writeFileSync(PAGE, await format(page, { ...(await resolveConfig(PAGE)), filepath: PAGE }));
} else process.stdout.write(`${table()}\n`);
