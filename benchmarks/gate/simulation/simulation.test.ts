import { afterAll, describe, expect, test } from '@jest/globals';
import { chunksOf, simulateChunk } from './chunks.ts';
import { interleavedSession, logRatios, rowsOf, STANDARD } from './machine.ts';
import { normalSource } from './normal.ts';
import { openPool } from './pool.ts';
import { merge } from './tally.ts';
import { uniformSource } from '../../../src/statistics/random.ts';

const SEED = 7;

describe('a cell', () => {
  const pool = openPool(2);
  afterAll(() => pool.close());

  test('does not depend on the number of processes', async () => {
    // Two chunks, so that two workers have one each.
    const chunks = chunksOf('plus5-cv3', SEED, 60);
    const here = merge(chunks.map(simulateChunk));
    expect(here.counts['planted regressed']?.tries).toBe(60);
    expect(await pool.run(chunks)).toEqual(here);
  });

  test('is another one with another seed', () => {
    const [one, other] = [SEED, SEED + 1].map((seed) => merge(chunksOf('null', seed, 3).map(simulateChunk)));
    expect(one).not.toEqual(other);
  });
});

describe('the simulated machine', () => {
  const spread = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);

  test('draws normal numbers', () => {
    const normal = normalSource(uniformSource(SEED));
    const values = Array.from({ length: 20_000 }, normal);
    expect(spread(values)).toBeCloseTo(1, 1);
    // 95 % of them.
    expect(values.filter((value) => Math.abs(value) < 1.96).length / values.length).toBeCloseTo(0.95, 2);
  });

  test('has the noise, the change and the penalty that it is given', () => {
    const machine = {
      ...STANDARD,
      autoregressive: { share: 0, correlation: 0 },
      outliers: { share: 0, by: 0 },
      secondPenalty: 0.02,
    };
    const effects = new Float64Array(rowsOf(machine));
    effects[1] = 0.1;
    const session = interleavedSession(machine, effects, 4000, uniformSource(SEED));
    const ratios = logRatios(session);
    const centre = (row: number) => [...(ratios[row] ?? [])].reduce((sum, value) => sum + value, 0) / 4000;
    // Balanced order: the penalty adds to the spread and not to the centre.
    expect(centre(0)).toBeCloseTo(0, 2);
    expect(centre(1)).toBeCloseTo(0.1, 2);
    expect(spread([...(ratios[0] ?? [])])).toBeCloseTo(Math.hypot(0.02 * Math.SQRT2, Math.log(1.02)), 3);
  });
});
