import {
  BUILT_IN_METRICS,
  DEFAULT_LIMIT,
  defaultRule,
  isPattern,
  VALGRIND_INSTRUCTIONS,
  type MetricPattern,
  type MetricRule,
} from '../session/metric.ts';
import { nearest } from '../session/nearest.ts';
import { own } from '../session/record.ts';
import { COUNTING_TOOLS } from '../session/session.ts';
import { PROFILE_SETTINGS, type Profile } from '../statistics/looks.ts';
import type { Configuration } from './configuration.ts';
import { DEFAULTS } from './defaults.ts';
import type { Problem, YamlDocument } from './document.ts';
import type { Plan } from './plan.ts';
import { boundIn } from './bounds.ts';
import { parseFraction } from './quantities.ts';

/** How a configuration's metrics are judged. */

/** How each metric is judged: the built-in ones, and those that the configuration names. */
export function metricRules({ metrics = {}, workload }: Configuration, profile: Profile): MetricRule[] {
  const given = Object.keys(metrics).filter((name) => !isPattern(name));
  const names = new Set([...BUILT_IN_METRICS.map(({ name }) => name), ...given]);
  return [...names].map((name) => {
    const rule = defaultRule(name, true);
    const given = own(metrics, name) ?? {};
    const unit = given.unit ?? rule.unit;
    return {
      name,
      // Without a unit, the metric has that of its bound.
      unit: boundsOf(given, unit).unit,
      better: given.better ?? rule.better,
      // A metric is judged if the configuration names it, or asks for its count.
      gate:
        given.gate ??
        (Object.hasOwn(metrics, name) ||
          (name === VALGRIND_INSTRUCTIONS && isCounted(workload)) ||
          rule.gate),
      limit:
        fraction(given.limit) ??
        // The profile's limit applies to metrics without one.
        (rule.limit === DEFAULT_LIMIT ? PROFILE_SETTINGS[profile].limit : rule.limit),
      warn: fraction(given.warn),
      ...boundsOf(given, unit).bounds,
      kind: rule.kind,
      formula: given.formula,
    };
  });
}

const fraction = (given: string | number | undefined): number | undefined =>
  given === undefined ? undefined : parseFraction(String(given));

const isCounted = ({ instructions }: Configuration['workload']): boolean =>
  COUNTING_TOOLS.some((tool) => tool === instructions);

/**
 * A problem if the count is judged and never made: the configuration does not ask for valgrind, or there is no second
 * side to count.
 */
export function impossibleCounts(
  { metrics = {}, workload }: Configuration,
  { rules: { evidence, metrics: rules } }: Plan,
  document: YamlDocument,
): Problem[] {
  const judged = rules.some(({ name, gate }) => name === VALGRIND_INSTRUCTIONS && gate);
  if (!judged) return [];
  if (!isCounted(workload))
    return [
      {
        line: document.lineOf(['metrics', VALGRIND_INSTRUCTIONS]),
        place: `metrics.${VALGRIND_INSTRUCTIONS}`,
        found: `a judged metric with workload.instructions: ${workload.instructions ?? DEFAULTS.instructions}, which does not count it`,
        legal: `workload.instructions: ${COUNTING_TOOLS.join(' or ')}, or gate: false`,
      },
    ];
  if (evidence !== 'stored') return [];
  return [
    {
      line: document.lineOf(['workload', 'instructions']),
      place: 'workload.instructions',
      found: `${workload.instructions ?? ''} with evidence: stored, which runs no second side to compare the count with`,
      legal: `evidence: auto or paired, instructions: none, or gate: false for ${VALGRIND_INSTRUCTIONS}${Object.hasOwn(metrics, VALGRIND_INSTRUCTIONS) ? '' : ' under metrics'}`,
    },
  ];
}

/** In the order of the file: the first one that matches applies. */
export const metricPatterns = ({ metrics = {} }: Configuration, profile: Profile): MetricPattern[] =>
  Object.entries(metrics)
    .filter(([name]) => isPattern(name))
    .map(([pattern, given]) => ({
      pattern,
      unit: boundsOf(given ?? {}, given?.unit ?? '').unit || undefined,
      better: given?.better,
      gate: given?.gate ?? true,
      limit: fraction(given?.limit) ?? PROFILE_SETTINGS[profile].limit,
      warn: fraction(given?.warn),
      ...boundsOf(given ?? {}, given?.unit ?? '').bounds,
    }));

type GivenMetric = NonNullable<NonNullable<Configuration['metrics']>[string]>;

/** The bounds of a metric in its unit. One that cannot be read is left out: `wrongBounds` reports it. */
function boundsOf(given: Pick<GivenMetric, 'max' | 'min'>, unit: string) {
  const read = BOUNDS.flatMap((kind) => {
    const text = given[kind];
    const bound = text === undefined ? undefined : boundIn(text, unit);
    return bound === undefined || typeof bound === 'string' ? [] : [{ kind, ...bound }];
  });
  const bounds: { readonly max?: number; readonly min?: number } = Object.fromEntries(
    read.map(({ kind, value }) => [kind, value]),
  );
  return { unit: read[0]?.unit ?? unit, bounds };
}

const BOUNDS = ['max', 'min'] as const;

/** Reports bounds that cannot be read in the metric's unit, and those on the side that is better. */
export function wrongBounds({ metrics = {} }: Configuration, document: YamlDocument): Problem[] {
  return Object.entries(metrics).flatMap(([name, given]) => {
    const rule = isPattern(name) ? undefined : defaultRule(name, true);
    const better = given?.better ?? rule?.better ?? 'lower';
    return BOUNDS.flatMap((kind) => {
      const text = given?.[kind];
      if (text === undefined) return [];
      const place = { line: document.lineOf(['metrics', name, kind]), place: `metrics.${name}.${kind}` };
      if ((kind === 'max') !== (better === 'lower'))
        return [
          {
            ...place,
            found: `${text}, and ${better} is better`,
            legal: kind === 'max' ? 'min, or better: lower' : 'max, or better: higher',
          },
        ];
      const bound = boundIn(text, given?.unit ?? rule?.unit ?? '');
      return typeof bound === 'string' ? [{ ...place, found: JSON.stringify(text), legal: bound }] : [];
    });
  });
}

/** Reports a `warn` that is not below its `limit`: between the two no loss is left. */
export function wrongWarnings(
  { rules: { metrics, patterns = [] } }: Plan,
  document: YamlDocument,
): Problem[] {
  const ruled = [
    ...metrics.map(({ name, limit, warn }) => ({ name, limit, warn })),
    ...patterns.map(({ pattern, limit, warn }) => ({ name: pattern, limit, warn })),
  ];
  return ruled.flatMap(({ name, limit, warn }) =>
    warn === undefined || warn < limit
      ? []
      : [
          {
            line: document.lineOf(['metrics', name, 'warn']),
            place: `metrics.${name}.warn`,
            found: `${percent(warn)}, and the limit of the metric is ${percent(limit)}`,
            legal: `a percentage below ${percent(limit)}, or a larger limit`,
          },
        ],
  );
}

const percent = (fraction: number) => `${Number((fraction * 100).toPrecision(6))} %`;

/**
 * Warns of names under `metrics` that are not measured and similar to one that is, such as `walltime`. The workload may
 * report such a metric, so this is no error.
 */
export function doubtfulMetrics({ rules: { metrics } }: Pick<Plan, 'rules'>): string[] {
  const known = BUILT_IN_METRICS.map(({ name }) => name);
  return metrics.flatMap(({ name, gate, formula }) => {
    if (!gate || formula !== undefined || known.includes(name)) return [];
    const meant = nearest(name, known);
    return meant === undefined
      ? []
      : [
          `Nothing that Pacegate measures is called ${name} (metrics): did you mean ${meant}? It is judged only if the workload reports it.`,
        ];
  });
}
