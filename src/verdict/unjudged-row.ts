import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import type { Look, Method } from '../statistics/looks.ts';
import type { RowSeries, SingleTest } from '../statistics/sequential.ts';
import type { Row } from './comparison.ts';
import type { Pair } from '../evidence/pairs.ts';

/** A row before the family's correction, and what each kind of row is made with. */

/** A row before the family's correction: with what it is tested by, or settled from outside the test. */
export type UnjudgedRow = Omit<Row, 'verdict' | 'worse' | 'better' | 'detectable' | 'confirmation'> & {
  readonly tested: Tested | undefined;
  readonly settled: Verdict | undefined;
  /** What a change adds, a variant or a benchmark, is in a family of its own. */
  readonly added: boolean;
};

export type Tested =
  | {
      readonly kind: 'paired';
      readonly pairs: readonly Pair[];
      readonly ratios: Float64Array;
      readonly series: RowSeries;
      readonly looks: readonly Look[];
      readonly method: Method;
    }
  | {
      readonly kind: 'stored';
      readonly single: SingleTest;
      /** Stored sessions judge only where the machine stays the same, or where they were asked to. */
      readonly advisory: boolean;
    };

/** A hybrid that no run has is one of whose parts no run has: the reader needs to see which these are. */
export const withFormula = ({ name, formula }: MetricRule) =>
  formula === undefined ? name : `${name} (${formula})`;

export const summary = (values: readonly number[]) => ({
  median: values.length === 0 ? null : finiteMedian(values),
  n: values.length,
});

/** The mean of the two in the middle is finite where they are, however large. */
function finiteMedian(values: readonly number[]): number {
  const found = median([...values]);
  return Number.isFinite(found) ? found : 2 * median(values.map((value) => value / 2));
}
