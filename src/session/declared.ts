import { z } from 'zod';
import { BUILT_IN_METRICS, betterSchema, unitOfName, type MetricRule } from './metric.ts';
import { own } from './record.ts';
import type { Side } from './run.ts';
import { converted, isConvertible, unitFactor } from './units.ts';

/** What a workload, or the results file of a benchmark tool, declares about one of its metrics. */
export const declaredMetricSchema = z.object({
  /** The unit of all its values in the session. */
  unit: z.string().optional(),
  better: betterSchema.optional(),
  /** The benchmark's short name. Present if two benchmarks share it, because the metric's name is then longer. */
  short: z.string().optional(),
  /**
   * The benchmark's full name, which is unique: its name with file and class, in the form of a metric's name, and a
   * hash after `#` if this form loses characters.
   */
  full: z.string().optional(),
  /** Why its values cannot be compared: the runs disagree on the unit or the direction. */
  conflict: z.string().optional(),
});
export type DeclaredMetric = z.infer<typeof declaredMetricSchema>;
export type DeclaredMetrics = Readonly<Record<string, DeclaredMetric>>;

/** What one run reported: its values and its declarations. */
export interface ReportOfRun {
  readonly variant: string;
  readonly side: Side;
  readonly metrics: Readonly<Record<string, number>>;
  readonly declared: DeclaredMetrics;
}

/**
 * Converts the reports of a session's runs, in order, to the names and units of the first run that reported each
 * metric.
 */
export interface ReportTaker {
  /** @returns the run's metrics under the session's names, in the session's units */
  take(report: ReportOfRun): Record<string, number>;
  /** The declarations so far. */
  declared(): Record<string, DeclaredMetric>;
}

/** The declaration of a metric, and the run that made it first, such as `head of official`. */
interface Said {
  readonly by: string;
  readonly declared: DeclaredMetric;
}

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_METRICS.map(({ name }) => name));

/** @param rules of the configuration: values are converted into a unit given there */
export function reportTaker(rules: readonly Pick<MetricRule, 'name' | 'unit'>[]): ReportTaker {
  const units = new Map(rules.map(({ name, unit }) => [name, unit]));
  const said = new Map<string, Said>();
  const namer = sessionNames();
  return {
    declared: () =>
      Object.fromEntries(
        [...said].map(([name, { declared }]) => [name, declared] as const).filter(saysSomething),
      ),
    take: ({ variant, side, metrics, declared }) => {
      const by = `${side} of ${variant}`;
      const names = namer(
        Object.keys(metrics)
          .filter((name) => !BUILT_IN.has(name))
          .map((name) => ({ name, ...own(declared, name) })),
      );
      return Object.fromEntries(
        Object.entries(metrics).map(([reported, value]) => {
          const name = names.get(reported);
          if (name === undefined) return [reported, value];
          const configured = units.get(name) ?? unitOfName(name);
          const now = inConfiguredUnit(own(declared, reported) ?? {}, configured);
          const known = said.get(name);
          if (known === undefined) {
            const unit = targetOf(now.unit, configured);
            said.set(name, {
              by,
              declared: { ...named(name, reported, now), unit },
            });
            return [name, inUnit(value, now.unit, unit)];
          }
          const before = known.declared;
          const unit = before.unit ?? labelOf(now.unit);
          const conflict = before.conflict ?? conflictOf(known, now, by);
          said.set(name, {
            by: known.by,
            declared: {
              ...before,
              unit,
              conflict,
            },
          });
          return [name, conflict === undefined ? inUnit(value, now.unit, unit) : value];
        }),
      );
    },
  };
}

const saysSomething = ([, declared]: readonly [string, DeclaredMetric]) =>
  Object.values(declared).some((value) => value !== undefined);

/** A run's declaration of a metric, under the metric's name in the session. */
function named(
  name: string,
  reported: string,
  { better, short = reported, full }: DeclaredMetric,
): DeclaredMetric {
  return { better, short: short === name ? undefined : short, full };
}

/** A value without a unit has the unit of the configuration, or the one that the metric's name ends in. */
const inConfiguredUnit = (now: DeclaredMetric, configured: string): DeclaredMetric =>
  now.unit === undefined && isConvertible(configured) ? { ...now, unit: configured } : now;

/** The configuration's unit if values can be converted into it, else the first declared one. */
const targetOf = (unit: string | undefined, configured: string): string | undefined =>
  unit !== undefined && configured !== '' && unitFactor(unit, configured) !== undefined ? configured : unit;

const inUnit = (value: number, from: string | undefined, to: string | undefined): number => {
  const factor = from === undefined || to === undefined ? 1 : (unitFactor(from, to) ?? 1);
  return factor === 1 ? value : converted(value, factor);
};

/** A unit that a later run adds is only a label, unless it conflicts with an earlier one. */
const labelOf = (unit: string | undefined) => (unit === undefined || isConvertible(unit) ? undefined : unit);

function conflictOf(
  { declared: before, by: first }: Said,
  now: DeclaredMetric,
  by: string,
): string | undefined {
  const [betterBefore, betterNow] = [before.better ?? 'lower', now.better ?? 'lower'];
  if (betterBefore !== betterNow)
    return `the ${first} says that ${betterBefore} is better, and the ${by} that ${betterNow} is`;
  const words = (unit: string | undefined) => (unit === undefined ? 'without a unit' : `in ${unit}`);
  const refused = `the ${first} reports it ${words(before.unit)} and the ${by} ${words(now.unit)}, and one cannot be converted into the other`;
  if (before.unit !== undefined && now.unit !== undefined)
    return unitFactor(now.unit, before.unit) === undefined ? refused : undefined;
  const one = before.unit ?? now.unit;
  return one === undefined || !isConvertible(one) ? undefined : refused;
}

/**
 * Gives a session's benchmarks stable names. A benchmark, identified by its full name, keeps its first name even if
 * another benchmark with the same short name appears on only one side.
 */
function sessionNames(): (
  reported: readonly ({ readonly name: string } & Pick<DeclaredMetric, 'full'>)[],
) => ReadonlyMap<string, string> {
  /** Full name to the session's. */
  const names = new Map<string, string>();
  /** The session's name to its full names; more than one if a file was moved. */
  const owners = new Map<string, Set<string>>();
  return (reported) => {
    const here = new Set(reported.map(({ name, full = name }) => full));
    const used = new Set<string>();
    const found = new Map<string, string>();
    const give = (name: string, full: string, given: string) => {
      names.set(full, given);
      owners.set(given, (owners.get(given) ?? new Set()).add(full));
      used.add(given);
      found.set(name, given);
    };
    for (const { name, full = name } of reported) {
      const given = names.get(full);
      if (given !== undefined && !used.has(given)) give(name, full, given);
    }
    for (const { name, full = name } of reported) {
      if (found.has(name)) continue;
      const isTaken = (candidate: string) =>
        used.has(candidate) ||
        [...(owners.get(candidate) ?? [])].some((other) => other !== full && here.has(other));
      const readable = full.split('#')[0] ?? full;
      let given = isTaken(name) ? readable : name;
      for (let count = 2; isTaken(given); count++) given = `${readable.slice(0, 55)}_${count}`;
      give(name, full, given);
    }
    return found;
  };
}

/** Every name of a metric that a pattern may match: its own, the benchmark's short name and its full name. */
export function namesOf(name: string, declared: DeclaredMetrics): readonly string[] {
  const { short, full } = own(declared, name) ?? {};
  const readable = full?.split('#')[0];
  return [name, ...(short === undefined ? [] : [short]), ...(readable === undefined ? [] : [readable])];
}
