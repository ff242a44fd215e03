import { describe, expect, test } from '@jest/globals';
import { VERDICTS, type Verdict } from '../session/rules.ts';
import type { Comparison, Row } from './comparison.ts';
import { worst } from './comparison.ts';
import { conclusionOf, decisive } from './conclusion.ts';
import { exitStatus } from './exit-status.ts';

/** What a required check says of each verdict. */

/** The default of `fail-on`. */
const DEFAULT: readonly Verdict[] = ['regressed', 'over_limit'];

function comparison(...verdicts: readonly Verdict[]): Comparison {
  const rows = verdicts.map((verdict) => ({ verdict, gated: true }) as Row);
  return { verdict: worst(rows), family: { tests: rows.length, alpha: 0.05 }, rows, warnings: [] };
}

describe('the conclusion', () => {
  test.each<[Verdict, string, string]>([
    ['failed', 'failure', 'failure'],
    ['regressed', 'failure', 'failure'],
    ['over_limit', 'failure', 'failure'],
    ['no_data', 'failure', 'failure'],
    ['inconclusive', 'neutral', 'failure'],
    ['incomparable', 'neutral', 'failure'],
    ['no_baseline', 'neutral', 'failure'],
    ['accepted', 'success', 'success'],
    ['warning', 'success', 'success'],
    ['improved', 'success', 'success'],
    ['unchanged', 'success', 'success'],
  ])('of %s is %s, and %s where a decision is required', (verdict, plain, required) => {
    expect(conclusionOf(comparison(verdict, 'unchanged'), DEFAULT)).toBe(plain);
    expect(conclusionOf(comparison(verdict, 'unchanged'), decisive(DEFAULT))).toBe(required);
  });

  test.each(VERDICTS)('of %s is a failure where fail-on names it', (verdict) =>
    expect(conclusionOf(comparison('unchanged', verdict), [verdict])).toBe('failure'),
  );

  test('of a regression that does not fail the job is not a failure, and an inconclusive row makes it neutral', () => {
    expect(conclusionOf(comparison('regressed'), [])).toBe('success');
    expect(conclusionOf(comparison('regressed', 'inconclusive'), [])).toBe('neutral');
  });

  test('of a cancelled run, and of a run that the base refuses, is a failure', () => {
    expect(conclusionOf({ ...comparison('unchanged'), interrupted: true }, [])).toBe('failure');
    const refused = {
      ...comparison('unchanged'),
      verdict: 'failed' as const,
      measuring: { news: [], refusedOver: 'unchanged' as const },
    };
    expect(conclusionOf(refused, [])).toBe('failure');
  });

  test('is a failure exactly where the job fails', () => {
    for (const one of VERDICTS)
      for (const other of VERDICTS)
        for (const failOn of [[], ['regressed'], decisive(['regressed'])] as const)
          expect(conclusionOf(comparison(one, other), failOn) === 'failure').toBe(
            exitStatus(comparison(one, other), failOn) !== 0,
          );
  });
});
