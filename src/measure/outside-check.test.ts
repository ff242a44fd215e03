import { describe, expect, test } from '@jest/globals';
import type { RunResult } from './engine.ts';
import { checkedFromOutside, MARGIN_SECONDS_OF_A_ROUND } from './outside-check.ts';

const run = (
  cpu: number,
  inside: RunResult['inside'] = { cgroup: true, besideSeconds: 0.06 },
): RunResult => ({
  outcome: 'ok',
  metrics: { cpu_time_s: cpu, wall_time_s: 1 },
  declared: {},
  noise: {},
  exitStatus: 0,
  message: undefined,
  inside,
});

describe('a run with the kernel’s count of its container', () => {
  test.each([
    ['agrees', run(1), 1, 1.06],
    ['was over before the last look', run(1), 1, 0.7],
    ['was never looked at', run(1), 1, undefined],
    ['has repetitions', run(0.1), 10, 1.07],
    ['counts processes, for an engine in between', run(1, { cgroup: false, besideSeconds: 0.06 }), 1, 2.5],
  ])('that %s is what it is', (_, result, repetitions, outside) => {
    expect(checkedFromOutside(result, repetitions, outside)).toBe(result);
  });

  test.each([
    ['an eighth of it', run(0.124), 1, 1.06],
    ['six sevenths of it', run(0.86 * 10), 1, 10.1],
    ['that all of it was the probe’s', run(0.1, { cgroup: true, besideSeconds: 9 }), 1, 9.1],
    ['a tenth of it, and that there is no cgroup', run(0.1, { cgroup: false, besideSeconds: 0 }), 1, 1],
  ])('and that says %s has failed', (_, result, repetitions, outside) => {
    const checked = checkedFromOutside(result, repetitions, outside);
    expect(checked).toMatchObject({ outcome: 'nonzero', metrics: {}, exitStatus: null });
    expect(checked.message).toMatch(
      /^the figures from inside and outside differ: .* [\d.]+ s .* [\d.]+ s\. /,
    );
  });

  test('of a server’s round has less room, for both counts are of the same time', () => {
    const round = run(0.1, { cgroup: true, besideSeconds: 0.003 });
    expect(checkedFromOutside(round, 1, 0.13, MARGIN_SECONDS_OF_A_ROUND)).toBe(round);
    expect(checkedFromOutside(round, 1, 0.15, MARGIN_SECONDS_OF_A_ROUND).outcome).toBe('nonzero');
    expect(checkedFromOutside(round, 1, 0.15)).toBe(round);
  });

  test('and that failed by itself keeps its own reason', () => {
    const failed: RunResult = { ...run(1), outcome: 'timeout', metrics: {}, message: 'it hung' };
    expect(checkedFromOutside(failed, 1, 100)).toBe(failed);
  });
});
