import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { sessionSchema } from '../session/session.ts';
import { compareSession } from './compare.ts';
import { comparisonJson } from './comparison-json.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/sessions/${name}`, import.meta.url), 'utf8'));

interface Judged {
  readonly results: readonly { readonly warnings: readonly string[] }[];
}

/** All but the sentences, whose words may change. */
const figuresOf = ({ results, ...rest }: Judged) => ({
  ...rest,
  results: results.map(({ warnings, ...row }) => ({ ...row, warnings: warnings.length })),
});

const OLD = sessionSchema.parse(read('before-weights.json'));

test('a file without a method keeps the verdict and the figures that signed ranks gave it', () => {
  expect(OLD.rules.method).toBeUndefined();
  const again = JSON.parse(JSON.stringify(comparisonJson(compareSession(OLD)))) as Judged;
  expect(figuresOf(again)).toEqual(figuresOf(read('before-weights.comparison.json') as Judged));
});

test('weighted signs decide the same pairs where signed ranks could not', () => {
  const verdicts = (method: 1 | 2) =>
    compareSession({ ...OLD, rules: { ...OLD.rules, method } })
      .rows.filter(({ metric }) => metric === 'wall_time_s')
      .map(({ variant, verdict }) => [variant, verdict]);
  expect(verdicts(1)).toEqual([
    ['unchanged-noisy', 'inconclusive'],
    ['slower', 'inconclusive'],
    ['slowest', 'regressed'],
  ]);
  expect(verdicts(2)).toEqual([
    ['unchanged-noisy', 'unchanged'],
    ['slower', 'regressed'],
    ['slowest', 'regressed'],
  ]);
});

test('a file of a later method is refused: no rule here would give its verdict', () => {
  const later = { ...OLD, rules: { ...OLD.rules, method: 4 } };
  expect(sessionSchema.safeParse(later).success).toBe(false);
});
