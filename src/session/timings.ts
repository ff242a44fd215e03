import { parse } from 'csv-parse/sync';
import { ConfigurationError } from '../errors/errors.ts';
import { clipped, firstProblems } from '../errors/problem-list.ts';
import { METRIC_NAME } from './metric.ts';
import { OUTCOMES, SIDES, type Outcome, type Run, type Side } from './run.ts';
import type { Session } from './session.ts';

/** `timings.csv`: one row for each sample. */
export const TIMINGS_COLUMNS = [
  'session',
  'side',
  'variant',
  'block',
  'position',
  'metric',
  'value',
  'outcome',
] as const;

/** A run in a CSV: the samples that belong together. */
export interface TimedRun {
  readonly session: string;
  readonly side: Side;
  readonly variant: string;
  readonly block: number;
  readonly position: 0 | 1;
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Pacegate writes no larger files, and the whole file is held in memory. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_PROBLEMS = 20;

/** The measured runs of sessions as CSV; warm-up runs are no samples. Pure: the same sessions, the same bytes. */
export function renderTimings(...sessions: readonly Session[]): string {
  const lines = sessions.flatMap(({ id, runs }) =>
    lastAttempts(runs).flatMap((run) => {
      const start = [id, run.side, run.variant, run.block, run.position];
      return run.outcome === 'ok'
        ? Object.entries(run.metrics).map(([metric, value]) => [...start, metric, value, 'ok'])
        : [[...start, '', '', run.outcome]];
    }),
  );
  return [TIMINGS_COLUMNS, ...lines].map((fields) => `${fields.map(quoted).join(',')}\n`).join('');
}

const quoted = (field: string | number): string => {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** Variant -> metric -> the values of the runs, in their order. */
export function valuesByMetric(
  runs: Iterable<Pick<Run, 'variant' | 'metrics'>>,
): ReadonlyMap<string, ReadonlyMap<string, readonly number[]>> {
  const values = new Map<string, Map<string, number[]>>();
  for (const { variant, metrics } of runs) {
    const byMetric = values.get(variant) ?? new Map<string, number[]>();
    values.set(variant, byMetric);
    for (const [metric, value] of Object.entries(metrics)) {
      const known = byMetric.get(metric);
      if (known === undefined) byMetric.set(metric, [value]);
      else known.push(value);
    }
  }
  return values;
}

/** The last try counts of a pair that was repeated after a fault of the engine. */
export function lastAttempts(runs: readonly Run[]): readonly Run[] {
  const key = ({ side, variant, block }: Run) => JSON.stringify([side, variant, block]);
  const attempts = new Map<string, number>();
  for (const { variant, block, attempt } of runs) {
    const pair = JSON.stringify([variant, block]);
    attempts.set(pair, Math.max(attempts.get(pair) ?? 0, attempt));
  }
  const last = runs.filter(
    ({ variant, block, attempt }) => attempt === attempts.get(JSON.stringify([variant, block])),
  );
  return [...new Map(last.map((run) => [key(run), run])).values()];
}

/**
 * Reads a `timings.csv`.
 * @param file its name, for messages
 * @throws ConfigurationError with every line that is wrong (the first twenty), what was found and what is legal
 */
export function parseTimings(text: string, file: string): TimedRun[] {
  if (text.length > MAX_BYTES)
    throw new ConfigurationError(`${file} is larger than 64 MiB; a timings.csv of that size is not read.`);
  const problems: string[] = [];
  const complain = (line: number, found: string, legal: string) =>
    problems.push(`${file}:${line}: found ${found}; expected: ${legal}`);
  const runs = new Map<string, OpenRun>();
  for (const [index, { record, line }] of records(text, file).entries()) {
    if (index === 0) {
      if (record.join(',') !== TIMINGS_COLUMNS.join(','))
        complain(
          line,
          `the header ${JSON.stringify(record.join(',').slice(0, 120))}`,
          TIMINGS_COLUMNS.join(','),
        );
      if (problems.length > 0) break;
      continue;
    }
    readRow(record, (found, legal) => complain(line, found, legal), runs);
  }
  if (runs.size === 0 && problems.length === 0) complain(1, 'no sample', 'at least one row below the header');
  if (problems.length > 0) {
    throw new ConfigurationError(
      `The timings cannot be read; nothing was compared.\n  ${firstProblems(problems, MAX_PROBLEMS, 250).join('\n  ')}`,
    );
  }
  return [...runs.values()].map(({ metrics, ...run }) => ({ ...run, metrics: Object.fromEntries(metrics) }));
}

/** A run while its rows are read. */
type OpenRun = Omit<TimedRun, 'metrics'> & { readonly metrics: Map<string, number> };

interface Located {
  readonly record: readonly string[];
  readonly line: number;
}

function records(text: string, file: string): readonly Located[] {
  try {
    const parsed = parse(text, {
      info: true,
      relax_column_count: true,
      bom: true,
      skip_empty_lines: true,
    });
    // The types of csv-parse ignore that `info` changes the result.
    return (parsed as unknown as { record: string[]; info: { lines: number } }[]).map(({ record, info }) => ({
      record,
      line: info.lines,
    }));
  } catch (error) {
    throw new ConfigurationError(
      `${file} is not a CSV file: ${clipped(error instanceof Error ? error.message : String(error))}`,
      {
        cause: error,
      },
    );
  }
}

type Complain = (found: string, legal: string) => void;

/** The fields of a row, in the order of the columns. */
interface Fields {
  readonly session: string;
  readonly side: string;
  readonly variant: string;
  readonly block: string;
  readonly position: string;
  readonly metric: string;
  readonly value: string;
  readonly outcome: string;
}

/** A row whose fields are as they must be. */
interface Sample extends Omit<OpenRun, 'metrics'> {
  /** Undefined for a run that is not ok. */
  readonly metric: readonly [name: string, value: number] | undefined;
}

/** Adds one row's sample to its run, or collects the row's problems. */
function readRow(record: readonly string[], complain: Complain, runs: Map<string, OpenRun>): void {
  if (record.length !== TIMINGS_COLUMNS.length) {
    complain(`${record.length} fields`, `${TIMINGS_COLUMNS.length}: ${TIMINGS_COLUMNS.join(', ')}`);
    return;
  }
  const sample = sampleOf(fieldsOf(record), complain);
  if (sample !== undefined) addSample(sample, complain, runs);
}

function fieldsOf(record: readonly string[]): Fields {
  const [
    session = '',
    side = '',
    variant = '',
    block = '',
    position = '',
    metric = '',
    value = '',
    outcome = '',
  ] = record;
  return { session, side, variant, block, position, metric, value, outcome };
}

/** @returns undefined if a field is wrong */
function sampleOf(fields: Fields, complain: Complain): Sample | undefined {
  const { session, side, variant, block, position, metric, value, outcome } = fields;
  const wrong = checksOf(fields).filter(([fine]) => !fine);
  for (const [, found, legal] of wrong) complain(found, legal);
  if (wrong.length > 0 || !isOneOf(SIDES, side) || !isOneOf(OUTCOMES, outcome)) return undefined;
  return {
    session,
    side,
    variant,
    block: Number(block),
    position: position === '0' ? 0 : 1,
    outcome,
    metric: outcome === 'ok' ? [metric, Number(value)] : undefined,
  };
}

/** Whether a field is right, what was found otherwise, and what is expected. */
type Check = readonly [fine: boolean, found: string, legal: string];

const checksOf = (fields: Fields): readonly Check[] => [
  [fields.session !== '', 'an empty session', 'the session’s id'],
  [isOneOf(SIDES, fields.side), `the side ${quote(fields.side)}`, SIDES.join(', ')],
  [fields.variant !== '', 'an empty variant', 'the variant’s name'],
  [/^\d{1,9}$/.test(fields.block), `the block ${quote(fields.block)}`, 'a whole number from 0'],
  [/^[01]$/.test(fields.position), `the position ${quote(fields.position)}`, '0, 1'],
  [isOneOf(OUTCOMES, fields.outcome), `the outcome ${quote(fields.outcome)}`, OUTCOMES.join(', ')],
  ...valueChecks(fields),
];

function valueChecks({ metric, value, outcome }: Fields): readonly Check[] {
  if (outcome !== 'ok')
    return [
      [
        metric === '' && value === '',
        `a sample of a run that is ${quote(outcome)}`,
        'an empty metric and value where the outcome is not ok',
      ],
    ];
  return [
    [METRIC_NAME.test(metric), `the metric ${quote(metric)}`, 'a name of letters, digits, _, ., / and -'],
    [isDecimal(value), `the value ${quote(value)}`, 'a finite decimal number'],
    [
      !(isDecimal(value) && Number(value) < 0 && /_(s|bytes)$/.test(metric)),
      `${value} for ${metric}`,
      'a time or a size that is not negative',
    ],
  ];
}

function addSample({ metric, ...sample }: Sample, complain: Complain, runs: Map<string, OpenRun>): void {
  const { session, side, variant, block, position } = sample;
  const key = JSON.stringify([session, side, variant, block]);
  const run = runs.get(key);
  if (run === undefined) runs.set(key, { ...sample, metrics: new Map(metric === undefined ? [] : [metric]) });
  else if (metric === undefined || run.outcome !== 'ok')
    complain(`more rows for a run that is not ok (${side} ${variant} block ${block})`, ONE_ROW);
  else if (run.metrics.has(metric[0]))
    complain(`${metric[0]} of ${side} ${variant} block ${block} a second time`, ONE_ROW);
  else if (run.position !== position)
    complain(`position ${position} for a run at position ${run.position}`, 'one position for a run');
  else run.metrics.set(...metric);
}

const ONE_ROW = 'one row for each session, side, variant, block and metric';

const isDecimal = (text: string) =>
  /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
const isOneOf = <Value extends string>(legal: readonly Value[], text: string): text is Value =>
  legal.some((value) => value === text);
const quote = (text: string) => JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
