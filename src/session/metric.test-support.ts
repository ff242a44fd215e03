import { unitOfName, type MetricRule } from './metric.ts';

/** A rule for tests: judged over pairs, the unit that the name ends in, lower is better, a limit of 3 %. */
export const metricRule = (name: string, change: Partial<Omit<MetricRule, 'name'>> = {}): MetricRule => ({
  name,
  unit: unitOfName(name),
  better: 'lower',
  gate: true,
  limit: 0.03,
  kind: 'paired',
  ...change,
});
