import type { Comparison } from '../verdict/comparison.ts';
import { DESCRIBED_METRICS, unitOfName } from '../session/metric.ts';
import type { Run } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import type { Timeline } from '../session/timeline.ts';
import { lastAttempts } from '../session/timings.ts';
import { own } from '../session/record.ts';

/** The data to export: at least one session, and optional data about it. */
export interface Exported {
  readonly sessions: readonly Session[];
  /** Absent if nothing was judged. */
  readonly comparison?: Comparison | undefined;
  /** Timelines of other sessions, and of runs that do not count, are ignored. */
  readonly timelines?: readonly Timeline[];
}

/** A metric family. The format requires one declaration, followed by all samples. */
interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info';
  /** Empty, or the end of the name. */
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/**
 * A session as OpenMetrics text (version 1.0), with a time for every sample. `promtool tsdb create-blocks-from
 * openmetrics` makes blocks of it for Prometheus. Pure: the same session gives the same bytes.
 */
export function renderOpenMetrics(exported: Exported): string {
  const families = [
    sessionFamily(exported),
    outcomeFamily(exported),
    ...runFamilies(exported),
    ...timelineFamilies(exported),
    ...comparisonFamilies(exported),
  ].filter(({ samples }) => samples.length > 0);
  return `${families.map(familyText).join('')}# EOF\n`;
}

const SAMPLE_SUFFIX = { gauge: '', counter: '_total', info: '_info' } as const;

function familyText({ name, type, unit, help, samples }: Family): string {
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === '' ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
    ...samples.map(
      ({ labels, value, time }) =>
        `${name}${SAMPLE_SUFFIX[type]}{${labelsText(labels)}} ${value} ${time / 1000}`,
    ),
    '',
  ].join('\n');
}

const labelsText = (labels: Sample['labels']) =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');

/** Escapes characters that end a label or a line, and replaces half characters, because users choose the names. */
const escaped = (text: string) =>
  text
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n');

const sessionFamily = ({ sessions }: Exported): Family => ({
  name: 'pacegate_session',
  type: 'info',
  unit: '',
  help: 'A session: what was measured, for what, and on which machine.',
  samples: sessions.map(({ id, configuration, purpose, source, machine, started }) => ({
    labels: {
      session: id,
      configuration,
      purpose,
      repository: source.repository,
      event: source.event,
      baseline: source.baseline?.commit ?? '',
      head: source.head?.commit ?? '',
      cpu_model: machine.cpuModel,
      engine: machine.engine,
    },
    value: 1,
    time: Date.parse(started),
  })),
});

interface Place {
  readonly session: Session;
  readonly run: Run;
}

/** The runs without warm-ups. */
const placesOf = ({ sessions }: Exported): readonly Place[] =>
  sessions.flatMap((session) => lastAttempts(session.runs).map((run) => ({ session, run })));

const runLabels = (session: string, { variant, side, block, position }: Run | Timeline) => ({
  session,
  variant,
  side,
  block: String(block),
  position: String(position),
});

const outcomeFamily = (exported: Exported): Family => ({
  name: 'pacegate_run',
  type: 'info',
  unit: '',
  help: 'How a run ended: ok, or why it has no metrics.',
  samples: placesOf(exported).map(({ session, run }) => ({
    labels: { ...runLabels(session.id, run), outcome: run.outcome },
    value: 1,
    time: Date.parse(run.started),
  })),
});

/** Each built-in metric is a family. A workload's own metrics may have any name and unit, so they share one family. */
function runFamilies(exported: Exported): readonly Family[] {
  const places = placesOf(exported);
  const builtIn = DESCRIBED_METRICS.filter((metric) => metric.of === 'run');
  const known = new Set(builtIn.map(({ name }) => name));
  return [
    ...builtIn.map(({ name, what }) => ({
      name: `pacegate_run_${name.replace(/_s$/, '_seconds')}`,
      type: 'gauge' as const,
      unit: baseUnit(unitOfName(name)),
      help: `${plain(what)} For each repetition, at the time when the run started.`,
      samples: places.flatMap(({ session, run }) => {
        const value = own(run.metrics, name);
        return value === undefined
          ? []
          : [{ labels: runLabels(session.id, run), value, time: Date.parse(run.started) }];
      }),
    })),
    {
      name: 'pacegate_run_metric',
      type: 'gauge',
      unit: '',
      help: "Business metrics and formula metrics; the labels have the metric's name and unit.",
      samples: places.flatMap(({ session, run }) =>
        Object.entries(run.metrics)
          .filter(([metric]) => !known.has(metric))
          .map(([metric, value]) => ({
            labels: { ...runLabels(session.id, run), metric, unit: unitIn(session, metric) },
            value,
            time: Date.parse(run.started),
          })),
      ),
    },
  ];
}

const baseUnit = (unit: string) => (unit === 's' ? 'seconds' : unit);

const unitIn = ({ rules, declaredMetrics }: Session, name: string) =>
  rules.metrics.find((metric) => metric.name === name)?.unit ??
  own(declaredMetrics, name)?.unit ??
  unitOfName(name);

/** Removes Markdown, because a help text is plain text on one line. */
const plain = (text: string) => text.replaceAll('`', '');

function timelineFamilies(exported: Exported): readonly Family[] {
  const key = (session: string, { variant, side, block, attempt }: Run | Timeline) =>
    JSON.stringify([session, variant, side, block, attempt]);
  const counting = new Set(placesOf(exported).map(({ session, run }) => key(session.id, run)));
  // A file that was assembled by hand may contain a run twice.
  const timelines = [
    ...new Map((exported.timelines ?? []).map((one) => [key(one.session, one), one])).entries(),
  ].flatMap(([name, one]) => (counting.has(name) ? [one] : []));
  const samplesOf = (figure: 1 | 2 | 3) =>
    timelines.flatMap((one) => {
      const start = Date.parse(one.started);
      let latest = -1;
      return one.samples.flatMap((sample) => {
        const value = sample[figure];
        const time = start + Math.round(sample[0] * 1000);
        if (value === null || time <= latest) return [];
        latest = time;
        return [{ labels: runLabels(one.session, one), value, time }];
      });
    });
  return [
    {
      name: 'pacegate_timeline_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'CPU time that a run had used by then, the probe included, seen from outside.',
      samples: samplesOf(1),
    },
    {
      name: 'pacegate_timeline_memory_bytes',
      type: 'gauge',
      unit: 'bytes',
      help: "Memory in use by a run at that time: its container's, page cache included; on the host the sum of resident sizes.",
      samples: samplesOf(2),
    },
    {
      name: 'pacegate_timeline_anonymous_memory_bytes',
      type: 'gauge',
      unit: 'bytes',
      help: 'The anonymous part of the memory in use by a run at that time.',
      samples: samplesOf(3),
    },
  ];
}

function comparisonFamilies({ sessions, comparison }: Exported): readonly Family[] {
  const [first] = sessions;
  if (comparison === undefined || first === undefined) return [];
  const time = Math.max(...sessions.map(({ ended }) => Date.parse(ended)));
  const row = ({ variant, metric }: Comparison['rows'][number]) => ({ session: first.id, variant, metric });
  const change = (figure: 'estimate' | 'low' | 'high', help: string): Family => ({
    name: `pacegate_change_${figure}_ratio`,
    type: 'gauge',
    unit: 'ratio',
    help,
    samples: comparison.rows.flatMap((one) => {
      const value = one.change[figure];
      return value === null ? [] : [{ labels: row(one), value, time }];
    }),
  });
  return [
    {
      name: 'pacegate_gate',
      type: 'info',
      unit: '',
      help: 'The verdict of the report: the worst verdict of the judged rows.',
      samples: [{ labels: { session: first.id, verdict: comparison.verdict }, value: 1, time }],
    },
    {
      name: 'pacegate_verdict',
      type: 'info',
      unit: '',
      help: 'The verdict on a metric of a variant, and what it rests on.',
      samples: comparison.rows.map((one) => ({
        labels: {
          ...row(one),
          unit: one.unit,
          verdict: one.verdict,
          evidence: one.evidence,
          gated: String(one.gated),
        },
        value: 1,
        time,
      })),
    },
    change('estimate', 'Head over baseline, less 1: 0.05 is 5 % more.'),
    change('low', 'The lower bound of the 95 % interval of the change.'),
    change('high', 'The upper bound of the 95 % interval of the change.'),
  ];
}
