import type { Verdict } from '../session/rules.ts';
import type { Comparison } from './comparison.ts';

/**
 * 3 if something could not be measured or the measurement was cancelled; else 1 if the rule `changed-measurement` fails
 * the gate or `failOn` names a verdict; else 0. Every judged row counts, not only the worst: a failed variant does not
 * hide a regressed one.
 */
export function exitStatus(
  { rows, verdict, interrupted, measuring }: Comparison,
  failOn: readonly Verdict[],
): 0 | 1 | 3 {
  // With this rule the verdict `failed` is a decision of the gate, not a failure to measure.
  const refusedOver = measuring?.refusedOver;
  const found = new Set([refusedOver ?? verdict, ...rows.map((row) => row.verdict)]);
  if (interrupted === true || found.has('failed') || found.has('no_data')) return 3;
  if (refusedOver !== undefined) return 1;
  return failOn.some((named) => found.has(named)) ? 1 : 0;
}
