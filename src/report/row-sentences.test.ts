import { expect, test } from '@jest/globals';
import { twoSided } from '../session/session.test-support.ts';
import { compareSession } from '../verdict/compare.ts';
import { sentences } from './row-sentences.ts';

const STYLE = { name: (text: string) => text, text: (text: string) => text };

/** The sentence about one inconclusive row. */
function said(
  direction: 'lower' | 'higher',
  low: number,
  estimate: number,
  high: number,
): string | undefined {
  const comparison = compareSession(twoSided({ wall_time_s: [1, 1] }));
  const rows = comparison.rows.map((row) => ({
    ...row,
    ...{ verdict: 'inconclusive' as const, direction, change: { low, estimate, high } },
  }));
  return sentences({ ...comparison, rows }, STYLE)[0]?.text;
}

test('an inconclusive row whose whole interval is a loss is reported as probably worse', () => {
  expect(said('lower', 0.02, 0.12, 0.262)).toMatch(
    /^a wall time is probably slower \(\+2\.0 to \+26\.2 %\), not proven to be 3 %: most likely 12\.0 % higher \(\d+ pairs\)$/,
  );
  expect(said('higher', -0.2, -0.1, -0.01)).toBe(
    'a wall time is probably lower (−1.0 to −20.0 %), not proven to be 3 %: most likely 10.0 % lower (8 pairs)',
  );
});

test('one whose interval holds zero, or is a gain, is not', () => {
  for (const direction of ['lower', 'higher'] as const)
    expect(said(direction, -0.01, 0.05, 0.1)).not.toContain('probably');
  expect(said('lower', -0.2, -0.1, -0.01)).not.toContain('probably');
  expect(said('higher', 0.02, 0.12, 0.262)).not.toContain('probably');
  // The bound is printed as 0.0 %.
  expect(said('lower', 0.0004, 0.03, 0.06)).not.toContain('probably');
});
