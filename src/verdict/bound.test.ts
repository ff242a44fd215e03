import { describe, expect, test } from '@jest/globals';
import { image, session, twoSided } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';
import type { MetricRule } from '../session/metric.ts';
import { compareSession } from './compare.ts';
import { comparisonJson } from './comparison-json.ts';
import { exitStatus } from './exit-status.ts';

/** Twelve pairs whose values rise by 1.1 % from the first to the last. */
const judged = (values: readonly [number, number], rule: Partial<MetricRule>) =>
  compareSession(twoSided({ wall_time_s: values }, [metricRule('wall_time_s', { unit: 's', ...rule })]));

describe('an absolute bound', () => {
  test('that the head exceeds and the base does not is over_limit, whatever the change', () => {
    const comparison = judged([0.28, 0.286], { max: 0.282, limit: 0.05 });
    expect(comparison.verdict).toBe('over_limit');
    expect(comparison.rows[0]?.bound).toEqual({
      ...{ kind: 'max', value: 0.282, beyond: true, baselineBeyond: false, runsBeyond: 12, runs: 12 },
    });
    expect(exitStatus(comparison, ['regressed', 'over_limit'])).toBe(1);
    expect(exitStatus(comparison, [])).toBe(0);
    expect(JSON.stringify(comparisonJson(comparison))).toContain('"bound":{"kind":"max","value":0.282');
  });

  test('that both exceed is reported, and only the change against the base is judged', () => {
    const comparison = judged([0.32, 0.321], { max: 0.3 });
    expect(comparison.verdict).toBe('unchanged');
    expect(comparison.rows[0]?.warnings).toContain(
      'the base is above its max already, so this change is not held to it',
    );
    expect(judged([0.32, 0.36], { max: 0.3 }).verdict).toBe('regressed');
  });

  test('that the head keeps changes nothing', () =>
    expect(judged([0.28, 0.281], { max: 0.3 }).verdict).toBe('unchanged'));

  test('that half of the runs exceed is not shown to be exceeded', () =>
    expect(judged([0.28, 0.28], { max: 0.2825 }).verdict).toBe('unchanged'));

  test('does not hide a regression', () =>
    expect(judged([0.28, 0.33], { max: 0.3 }).rows[0]).toMatchObject({
      ...{ verdict: 'regressed', bound: { beyond: true } },
    }));

  test('is a least value where higher is better', () => {
    expect(judged([105, 99], { unit: 'tasks/s', better: 'higher', min: 103, limit: 0.1 }).verdict).toBe(
      'over_limit',
    );
    expect(judged([105, 104], { unit: 'tasks/s', better: 'higher', min: 103, limit: 0.1 }).verdict).toBe(
      'unchanged',
    );
  });

  test('judges counts that are often 0, which have no change in per cent', () => {
    const errors = (head: number) =>
      compareSession(twoSided({ errors: [0, head] }, [metricRule('errors', { unit: '', max: 2 })])).verdict;
    expect([errors(0), errors(5)]).toEqual(['unchanged', 'over_limit']);
  });

  test('of an image is compared exactly', () => {
    const sized = (head: number) => ({
      ...session([metricRule('image_size_bytes', { unit: 'bytes', kind: 'exact', limit: 0.5, max: 200 })]),
      images: [
        { ...image('a', 'baseline', 'b'), sizeBytes: 190 },
        { ...image('a', 'head', 'h'), sizeBytes: head },
      ],
    });
    expect(compareSession(sized(200)).verdict).toBe('unchanged');
    expect(compareSession(sized(201)).verdict).toBe('over_limit');
  });

  test('in another kind of unit than the values is no_data, and the message names both', () => {
    const observed = twoSided({ latency: [1, 1] }, [metricRule('latency', { unit: 'ms', max: 300 })]);
    const { rows } = compareSession({ ...observed, declaredMetrics: { latency: { unit: 'requests' } } });
    expect(rows[0]).toMatchObject({ verdict: 'no_data' });
    expect(rows[0]?.warnings.join()).toContain('its max is in ms, and the workload reports it in requests');
  });
});
