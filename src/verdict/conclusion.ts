import type { Verdict } from '../session/rules.ts';
import type { Comparison } from './comparison.ts';
import { exitStatus } from './exit-status.ts';

/** The verdicts without a decision: nobody knows whether the change is worse. */
export const UNDECIDED = [
  'inconclusive',
  'incomparable',
  'no_baseline',
] as const satisfies readonly Verdict[];

/** What fails a gate that has to decide: what the rules name, and what has no decision. */
export const decisive = (failOn: readonly Verdict[]): readonly Verdict[] => [
  ...new Set([...failOn, ...UNDECIDED]),
];

/**
 * What a required check says of a verdict: `failure` where the gate's exit status is not 0, `neutral` where a judged row
 * has no decision, else `success`. GitHub lets `neutral` pass a required check.
 */
export function conclusionOf(
  comparison: Comparison,
  failOn: readonly Verdict[],
): 'success' | 'failure' | 'neutral' {
  if (exitStatus(comparison, failOn) !== 0) return 'failure';
  const { verdict, rows, measuring } = comparison;
  const found = new Set([measuring?.refusedOver ?? verdict, ...rows.map((row) => row.verdict)]);
  return UNDECIDED.some((one) => found.has(one)) ? 'neutral' : 'success';
}
