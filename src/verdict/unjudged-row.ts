import { median } from 'simple-statistics';
import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import type { Look, Method } from '../statistics/looks.ts';
import type { RowSeries, SingleTest } from '../statistics/sequential.ts';
import type { Row } from './comparison.ts';
import type { Pair } from '../evidence/pairs.ts';

/** A row before the family's correction, and what each kind of row is made with. */

/** A row before the family's correction: with the data of its test, or decided without a test. */
export type UnjudgedRow = Omit<
  Row,
  'verdict' | 'worse' | 'better' | 'detectable' | 'confirmation' | 'bound'
> & {
  readonly tested: Tested | undefined;
  readonly decided: Verdict | undefined;
  /** The absolute bound and the values that it is tested with; absent without one. */
  readonly bound?: BoundData;
  /** Variants and benchmarks that a change adds are in a family of their own. */
  readonly added: boolean;
};

/** The head's and the baseline's values that a bound is tested with. */
export interface BoundData {
  readonly kind: 'max' | 'min';
  /** In the row's unit. */
  readonly value: number;
  /** In the order of the blocks; one value if it is exact. */
  readonly head: readonly number[];
  readonly baseline: readonly number[];
  /** Undefined for exact values, which are compared without a test. */
  readonly looks: readonly Look[] | undefined;
  /** True if the pairs have no change in per cent, so that only the bound can judge the row. */
  readonly alone: boolean;
}

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
      /** The nights judge only if the machine stays the same, or if the configuration asks for it. */
      readonly advisory: boolean;
    };

/** A formula metric is missing if one of its metrics is missing, so the message shows the formula. */
export const withFormula = ({ name, formula }: MetricRule) =>
  formula === undefined ? name : `${name} (${formula})`;

export const summary = (values: readonly number[]) => ({
  median: values.length === 0 ? null : finiteMedian(values),
  n: values.length,
});

/** The mean of the two middle values, without an overflow. */
function finiteMedian(values: readonly number[]): number {
  const found = median([...values]);
  return Number.isFinite(found) ? found : 2 * median(values.map((value) => value / 2));
}
