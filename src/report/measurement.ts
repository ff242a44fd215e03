import { markdownTable } from 'markdown-table';
import { createColors } from 'picocolors';
import { median, quantile } from 'simple-statistics';
import type { Session } from '../session/session.ts';
import { lastAttempts } from '../session/timings.ts';
import { aligned } from './aligned.ts';
import { environmentDetail, failureDetails, imageDetails, noteDetails } from './details.ts';
import { noise } from './noise.ts';
import { clip, code, oneLine, printable, sentence } from './escape.ts';
import { folded } from './markdown.ts';
import { minutesDetail } from './method.ts';
import { count, metricWords, quantity } from './verdict-wording.ts';
import { own } from '../session/record.ts';

/** One metric of one variant in a session with one side. Values are in the metric's unit. */
export interface Measurement {
  readonly variant: string;
  readonly metric: string;
  readonly unit: string;
  readonly n: number;
  readonly median: number;
  /** The first and third quartile of the runs. */
  readonly quartiles: readonly [number, number];
}

/** The measurements of a session with one side, in the plan's order; metrics without a rule come last. */
export function measurementsOf(session: Session): readonly Measurement[] {
  const ok = lastAttempts(session.runs).filter(({ outcome }) => outcome === 'ok');
  const ruled = session.rules.metrics.map(({ name }) => name);
  const met = new Set(ok.flatMap(({ metrics }) => Object.keys(metrics)));
  const names = [
    ...ruled.filter((name) => met.has(name)),
    ...[...met].filter((name) => !ruled.includes(name)),
  ];
  return session.variants.flatMap((variant) =>
    names.flatMap((metric) => {
      const values = ok.flatMap((run) => {
        const value = run.variant === variant ? own(run.metrics, metric) : undefined;
        return value === undefined ? [] : [value];
      });
      if (values.length === 0) return [];
      return [
        {
          variant,
          metric,
          unit: unitOf(session, metric),
          n: values.length,
          median: median(values),
          quartiles: [quantile(values, 0.25), quantile(values, 0.75)] as const,
        },
      ];
    }),
  );
}

const unitOf = ({ rules, declaredMetrics }: Session, metric: string) =>
  (rules.metrics.find(({ name }) => name === metric)?.unit ?? '') ||
  (own(declaredMetrics, metric)?.unit ?? '');

const HEADER = ['variant', 'metric', 'median', 'middle half of the runs', 'runs'];

function cells({ variant, metric, unit, n, median: middle, quartiles: [low, high] }: Measurement) {
  return [
    variant,
    metricWords(metric),
    quantity(middle, unit),
    `${quantity(low, unit)} … ${quantity(high, unit)}`,
    String(n),
  ] as const;
}

/** A one-line summary. */
export function measurementHeadline(session: Session, name: (text: string) => string): string {
  const failed = [...new Set(session.failures.map(({ variant }) => variant))];
  const measured = session.variants.filter(
    (name) =>
      !failed.includes(name) &&
      session.runs.some(({ variant, outcome }) => variant === name && outcome === 'ok'),
  );
  if (measured.length === 0 && failed.length === 0)
    return `nothing was measured: ${
      session.interrupted === true ? 'the measurement was cancelled' : 'the budget left no time for a run'
    }`;
  return [
    ...(failed.length === 0 ? [] : [`${failed.map(name).join(', ')} could not be measured`]),
    `${measured.length === session.variants.length ? '' : 'only '}${count(measured.length, 'variant')} measured in ${count(session.runs.length, 'run')}`,
  ].join('; ');
}

/** A session with one side as Markdown: medians and spread, without a verdict. */
export function renderMeasurementMarkdown(session: Session, remarks: readonly string[] = []): string {
  const rows = measurementsOf(session).map((row) => {
    const [variant, metric, ...figures] = cells(row);
    return [code(variant), sentence(metric), ...figures.map(sentence)];
  });
  const details = [
    ...failureDetails(session),
    minutesDetail(session),
    environmentDetail(session),
    ...imageDetails(session),
    ...noteDetails(session),
  ];
  return `${[
    `### ${session.failures.length > 0 || session.runs.length === 0 ? '❌' : '📏'} Pacegate: ${measurementHeadline(session, code)}`,
    ...remarks.map(sentence),
    ...(rows.length === 0
      ? []
      : [markdownTable([HEADER, ...rows], { align: ['l', 'l', 'r', 'r', 'r'], alignDelimiters: false })]),
    ...details.map(folded),
  ].join('\n\n')}\n`;
}

/** The same for a terminal, with the headline last. */
export function renderMeasurementTerminal(
  session: Session,
  { colour, remarks = [] }: { readonly colour: boolean; readonly remarks?: readonly string[] },
): string {
  const { bold, dim, red } = createColors(colour);
  const rows = [
    HEADER,
    ...measurementsOf(session).map((row) => cells(row).map((cell) => clip(oneLine(cell), 40))),
  ];
  const lines = aligned(rows, (column) => (column < 2 ? 'left' : 'right'));
  return [
    ...(lines.length > 1 ? [dim(lines[0] ?? ''), ...lines.slice(1), ''] : []),
    ...session.failures.flatMap(({ message }) => printable(message).split('\n').slice(0, 20)).map(red),
    dim(`machine ${noise(session)}`),
    ...remarks.map((remark) => dim(oneLine(remark))),
    bold(`Pacegate: ${measurementHeadline(session, oneLine)}`),
    '',
  ].join('\n');
}
