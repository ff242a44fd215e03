import { createHash } from 'node:crypto';
import { METRIC_NAME } from '../../session/metric.ts';
import type { Benchmark } from './benchmark.ts';

/** METRIC_NAME allows as many. */
const LONGEST = 63;
const HASH = 8;
/** Of a longer name only the beginning and the end can be seen. */
const MAX_READ = 1000;

/**
 * A metric's name for each benchmark, in their order.
 *
 * A legal name stays as it is. Any other is made one (see `metricName`). Where two would be the same, the full name
 * is taken, and where that does not tell them apart either, a hash of the name or, for twins, their number.
 * The same benchmarks always have the same names, in whatever order the file has them, but for twins.
 */
export function metricNames(benchmarks: readonly Benchmark[]): readonly string[] {
  const isShared = sharedBy(benchmarks.map(({ name, fullName = name }) => [metricName(name), fullName]));
  const written = benchmarks.map(({ name, fullName = name }) =>
    isShared(metricName(name)) ? fullName : name,
  );
  const isStillShared = sharedBy(written.map((name) => [metricName(name), name]));
  return numbered(
    written.map((name) => {
      const metric = metricName(name);
      return metric !== name && isStillShared(metric) ? shortened(metric, name) : metric;
    }),
  );
}

/** The second and each later one of the same name has its number behind it. */
function numbered(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  const counts = new Map<string, number>();
  return names.map((name) => {
    let count = (counts.get(name) ?? 0) + 1;
    let distinct = name;
    for (; count > 1; count++) {
      distinct = metricName(`${name}_${count}`);
      if (!taken.has(distinct)) break;
    }
    counts.set(name, count);
    taken.add(distinct);
    return distinct;
  });
}

/**
 * A benchmark's name as a metric's: `test_sort[10-a b]` is `test_sort_10-a_b`, `2to3` is `bench_2to3`. What is too long
 * keeps its beginning and its end, with a hash of the whole.
 */
export function metricName(name: string): string {
  if (METRIC_NAME.test(name)) return name;
  const bounded = name.length <= MAX_READ ? name : name.slice(0, MAX_READ / 2) + name.slice(-MAX_READ / 2);
  const readable = bounded.replace(/[^A-Za-z0-9_./-]+/g, '_').replace(/(?<=.)_+$/, '');
  const begun = /^[A-Za-z]/.test(readable) ? readable : `bench_${readable.replace(/^_+/, '')}`;
  return METRIC_NAME.test(begun) && bounded === name ? begun : shortened(begun, name);
}

/**
 * What tells a benchmark from every other one, whatever else a file holds: its name as a metric's, and behind `#` a hash
 * of it where the metric's name is not all of it.
 */
export function fullNameOf(name: string): string {
  const metric = metricName(name);
  return metric === name ? name : `${metric}#${hashOf(name)}`;
}

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, HASH);

/** At most 63 characters of a name with 8 of the hash of what it stands for. */
function shortened(name: string, original: string): string {
  const hash = hashOf(original);
  const room = LONGEST - HASH - 1;
  if (name.length <= room) return `${name}-${hash}`;
  const half = Math.floor((room - 2) / 2);
  return `${name.slice(0, room - 2 - half)}..${name.slice(-half)}-${hash}`;
}

/** Says of a metric's name whether different benchmarks would have it. */
function sharedBy(
  pairs: readonly (readonly [metric: string, original: string])[],
): (metric: string) => boolean {
  const first = new Map<string, string>();
  const shared = new Set<string>();
  for (const [metric, original] of pairs) {
    const other = first.get(metric) ?? original;
    first.set(metric, other);
    if (other !== original) shared.add(metric);
  }
  return (metric) => shared.has(metric);
}
