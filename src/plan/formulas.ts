import { namesIn, parseFormula } from '../session/formula.ts';
import { DESCRIBED_METRICS, isPattern } from '../session/metric.ts';
import type { Configuration } from './configuration.ts';
import type { Problem, YamlDocument } from './document.ts';

/**
 * Problems of formula metrics that can never have a value: the name belongs to a measured metric, the formula uses a
 * metric of an image, or formulas form a circle. Whether the workload reports a name is known only after a run.
 */
export function wrongFormulas({ metrics = {} }: Configuration, document: YamlDocument): readonly Problem[] {
  const namesOf = new Map(
    Object.entries(metrics).flatMap(([name, given]) => {
      const formula = given?.formula === undefined ? undefined : parseFormula(given.formula);
      return formula === undefined ? [] : [[name, namesIn(formula)] as const];
    }),
  );
  return [...namesOf].flatMap(([name, names]) => {
    const problem = (found: string, legal: string): Problem => ({
      line: document.lineOf(['metrics', name, 'formula']),
      place: `metrics.${name}.formula`,
      found,
      legal,
    });
    const circle = circleFrom(name, namesOf);
    const foreign = names.filter((own) =>
      DESCRIBED_METRICS.some((metric) => metric.name === own && metric.of !== 'run'),
    );
    return [
      ...(DESCRIBED_METRICS.some((metric) => metric.name === name)
        ? [problem(`a formula for ${name}, which is measured`, 'a formula under a name of its own')]
        : []),
      ...(isPattern(name)
        ? [problem('a formula for every metric that matches', 'a formula under a name of its own')]
        : []),
      ...(names.length === 0
        ? [problem('no metric', 'at least one metric, such as cpu_time_s / tasks')]
        : []),
      ...foreign.map((own) =>
        problem(
          `${own}, which is not a metric of a run`,
          "metrics of the run: the workload's own and measured ones",
        ),
      ),
      ...(circle === undefined
        ? []
        : [problem(`a circle: ${circle.join(' -> ')}`, 'formulas that do not use themselves')]),
    ];
  });
}

/** The way from a formula back to itself, or undefined. */
function circleFrom(
  start: string,
  namesOf: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const seen = new Set<string>();
  const from = (way: readonly string[]): readonly string[] | undefined => {
    for (const name of namesOf.get(way.at(-1) ?? '') ?? []) {
      if (name === start) return [...way, name];
      if (seen.has(name)) continue;
      seen.add(name);
      const found = from([...way, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return from([start]);
}
