import type { DeclaredMetrics } from '../../session/declared.ts';
import { BUILT_IN_METRICS } from '../../session/metric.ts';
import { readAsv } from './asv.ts';
import type { Benchmark, Benchmarks } from './benchmark.ts';
import { readHyperfine } from './hyperfine.ts';
import { tooMany } from './limits.ts';
import { readList } from './list.ts';
import { fullNameOf, metricName, metricNames } from './names.ts';
import { readOwn } from './own.ts';
import { readPyperf } from './pyperf.ts';
import { readPytestBenchmark } from './pytest-benchmark.ts';
import { parseJson } from '../../session/json.ts';

/** The metrics that a workload reports. */
export interface Reported {
  /** Metric to value, in the metric's unit. */
  readonly values: Readonly<Record<string, number>>;
  /** What the file says of a metric's unit, direction and names; nothing where there is nothing to say. */
  readonly declared: DeclaredMetrics;
}

/** A name in a file may be as long as the file. */
const MAX_PLACE = 300;
const MAX_COMPLAINT = 800;

const PREFIX = 'the workload wrote metrics that cannot be read (PACEGATE_METRICS, ';

/**
 * Reads the file that the workload wrote to PACEGATE_METRICS, whatever tool wrote it: Pacegate's own JSON, that of
 * pyperf, pytest-benchmark, hyperfine or asv, or a plain list. The content tells them apart, never the name.
 *
 * @returns a sentence, with the place in the file, where it cannot be read
 */
export function readResults(text: string): Reported | string {
  const benchmarks = readBenchmarks(withoutMark(text));
  if (typeof benchmarks === 'string') return sentence(benchmarks);
  const more = tooMany(benchmarks.length);
  if (more !== undefined) return sentence(`the file: ${more}`);
  const names = metricNames(benchmarks);
  const reserved = names.find((name) => BUILT_IN_METRICS.some((metric) => metric.name === name));
  if (reserved !== undefined)
    return `the workload wrote the metric ${reserved} (PACEGATE_METRICS), which Pacegate measures itself: give it another name`;
  const named = benchmarks.map((benchmark, index) => ({ ...benchmark, metric: names[index] ?? '' }));
  return {
    values: Object.fromEntries(named.map(({ metric, value }) => [metric, value])),
    declared: Object.fromEntries(
      named
        .map((benchmark) => [benchmark.metric, declaredOf(benchmark)] as const)
        .filter(([, declared]) => Object.keys(declared).length > 0),
    ),
  };
}

function declaredOf({ metric, name, fullName: whole = name, unit, better }: Benchmark & { metric: string }) {
  const [short, full] = [metricName(name), fullNameOf(whole)];
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(better === undefined ? {} : { better }),
    ...(short === metric ? {} : { short }),
    ...(full === metric ? {} : { full }),
  };
}

/** Place and complaint, as `line 3: must be …`, in a sentence that says what it is about. */
function sentence(complaint: string): string {
  const end = complaint.indexOf(': ');
  return `${PREFIX}${complaint.slice(0, Math.min(end, MAX_PLACE))})${complaint.slice(end, end + MAX_COMPLAINT)}`;
}

/** Windows' editors and PowerShell put a byte order mark before a text, which JSON does not know. */
const withoutMark = (text: string) => text.replace(/^\uFEFF/, '');

function readBenchmarks(text: string): Benchmarks {
  const document = parseResults(text);
  if (document === undefined) return isJsonish(text) ? readOwn(undefined, text) : readList(text);
  if (isRecord(document)) {
    const { benchmarks, results } = document;
    // This key is the prototype of a plain object, which a schema ignores silently.
    if ([document, results].some((table) => isRecord(table) && Object.hasOwn(table, '__proto__')))
      return 'the file: found the name __proto__, which no metric can have. Give it another name';
    if ('result_columns' in document || isEarlierAsv(document)) return readAsv(document);
    if (Array.isArray(results)) return readHyperfine(document);
    if (Array.isArray(benchmarks))
      return 'machine_info' in document || benchmarks.some((entry) => isRecord(entry) && 'stats' in entry)
        ? readPytestBenchmark(document)
        : readPyperf(document);
  }
  return readOwn(document, text);
}

/** Before version 2 asv wrote results by name, and no columns. */
const isEarlierAsv = ({ results, version, ...rest }: Record<string, unknown>) =>
  isRecord(results) && typeof version === 'number' && ('commit_hash' in rest || 'env_name' in rest);

/** The first characters of JSON, with which a list cannot begin. */
const isJsonish = (text: string) => text.trim() === '' || /^\s*[[{"]/.test(text);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * JSON, or Python's: json.dump writes NaN and Infinity, which JSON does not have (asv's skipped benchmarks are such).
 * They become those words in quotes: a reader that wants a number refuses them at their place.
 * @returns undefined for what is neither
 */
function parseResults(text: string): unknown {
  return (
    parseJson(text) ??
    parseJson(text.replace(PYTHON_NUMBERS, (found) => (found.startsWith('"') ? found : `"${found}"`)))
  );
}

/** A string (or what is left after a quote, so that no text is looked at twice), or one of Python's own numbers. */
const PYTHON_NUMBERS = /"(?:[^"\\]|\\.)*"?|-?\b(?:NaN|Infinity)\b/g;
