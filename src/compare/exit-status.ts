import type { Verdict } from '../session/rules.ts';
import type { Comparison } from './comparison.ts';

/**
 * 3 where something could not be measured or the measurement was cancelled, else 1 where a verdict is named in `failOn`, else 0.
 * Every judged row counts, not the worst alone: a failed variant does not hide a regressed one.
 */
export function exitStatus(
  { rows, verdict, interrupted }: Comparison,
  failOn: readonly Verdict[],
): 0 | 1 | 3 {
  const found = new Set([verdict, ...rows.map((row) => row.verdict)]);
  if (interrupted === true || found.has('failed') || found.has('no_data')) return 3;
  return failOn.some((named) => found.has(named)) ? 1 : 0;
}
