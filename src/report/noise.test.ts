import { expect, test } from '@jest/globals';
import { twoSided } from '../session/session.test-support.ts';
import type { Noise } from '../session/run.ts';
import { noise } from './noise.ts';

const single = twoSided({ wall_time_s: [0.5, 0.5], cpu_time_s: [0.2, 0.2] });
const beside = (noiseOf: (index: number) => Noise) =>
  noise({ ...single, runs: single.runs.map((run, index) => ({ ...run, noise: noiseOf(index) })) });

test.each<[Noise, string]>([
  [{}, 'not watched'],
  [{ load_1m: 3 }, 'not watched'],
  [{ steal_s: 0 }, 'quiet'],
  [{ cpu_pressure_s: 0.02, steal_s: 0.001 }, 'quiet'],
])('runs of half a second beside %j: the machine was %s', (seen, text) => {
  expect(beside(() => seen)).toBe(text);
});

test('a busy machine is one line: what, how much, and in how many runs', () => {
  const disturbed = (index: number): Noise => ({
    steal_s: index < 9 ? 0.07 : 0,
    throttled_s: index === 0 ? 0.25 : 0,
    cpu_pressure_s: index < 3 ? 0.3 : 0.01,
    other_cpu_s: index < 12 ? 0.4 : 0.02,
    frequency_hz: index < 3 ? 3.08e9 : 3.5e9,
  });
  // Some runs take 1 % longer than others.
  expect(beside(disturbed)).toMatch(
    /^busy: 14 % steal in 9 of 24 runs, throttled 50 % of the time in 1 of 24 runs, other processes on 0\.8 processors in 12 of 24 runs, tasks waiting for a processor (59|60) % of the time in 3 of 24 runs, frequency 12 % down in 3 of 24 runs$/,
  );
});

test('a session without runs has met nothing, not even quiet', () => {
  expect(noise({ ...single, runs: [] })).toBe('nothing was run');
});
