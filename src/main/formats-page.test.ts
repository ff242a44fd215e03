import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import type { z } from 'zod';
import { README, summariesSchema, summarySchema, type Summary } from '../baseline/format.ts';
import { compareSession } from '../verdict/compare.ts';
import { comparisonJson } from '../verdict/comparison-json.ts';
import { twoSided } from '../session/session.test-support.ts';
import { expectGenerated } from '../github/generated.test-support.ts';
import { NOISE_FORMAT, noiseFileSchema, type NoiseFile } from '../session/history.ts';
import { MERGED_FORMAT, MERGED_VERSION } from '../session/merged.ts';
import { RANKING_FORMAT } from '../session/ranking.ts';
import { noiseSchema, OUTCOMES, runSchema, type Noise, type Run } from '../session/run.ts';
import { SESSION_FORMAT, SESSION_VERSION, sessionSchema, type Session } from '../session/session.ts';
import { timelineSchema, type Timeline } from '../session/timeline.ts';
import { parseTimings, TIMINGS_COLUMNS } from '../session/timings.ts';

/**
 * docs/formats.md: the tables of keys are generated here, and the compiler requires a description for each key of a
 * schema. The schemas parse the examples. UPDATE_GOLDEN=1 writes the tables.
 */

const PAGE = 'docs/formats.md';

type Words<Value> = Readonly<Record<keyof Value & string, string>>;

const SESSION: Words<Session> = {
  format: '`pacegate-session`.',
  version: 'Version of the format.',
  id: 'Identifier of the session.',
  purpose: '`gate`, `confirmation`, `measurement`, `ranking`, `nightly` or `anchor`.',
  ranking: 'What `rank` was asked for: the reference and the metric that counts tasks.',
  shard: 'Index and number of the shard, the size of the whole family, and all variants of the plan.',
  configuration: 'Name of the configuration.',
  started: 'Start, in UTC.',
  ended: 'End, in UTC.',
  tool: 'Version of Pacegate.',
  source: 'Repository, event, and the commit of each side.',
  machine:
    'CPU model, architecture, cores, memory, hash of the CPU flags, kernel, engine, image of the runner. The first four decide whether stored evidence applies.',
  workload: 'Command, server, hash, hash of each file, repetitions of each variant, time limit.',
  measuring: 'What the change removes or edits of what measures it, and the trials of both versions.',
  skipped:
    'Number of files and patterns of `rules.paths-ignore`, where the change touches such files only and nothing was measured.',
  accepted: "What the base's `pacegate-accepted.yml` accepts although it is worse.",
  variants: "Names of the variants, in the plan's order.",
  sides: '`baseline`, `head`, or one of them.',
  rules: 'Alpha, profile, blocks, evidence, `fail-on`, and the rule of each metric and pattern.',
  seed: 'Seed of the order of runs and of every random draw.',
  images:
    'For each variant and side: image ID, digest, size, layers, build cost, interpreter, facts, valgrind counts.',
  warmup: 'Runs before the first block. They are not judged.',
  runs: 'Measured runs.',
  failures: 'What kept a variant or a side from being measured: stage and message.',
  trials: 'Runs that are no samples: they show whether a side works, and with whose measuring code.',
  measuringCode: "How the head's measuring code differs from the baseline's own.",
  interrupted: '`true` if the session was cancelled.',
  nights: 'Stored sessions that were known when this one was judged, with medians and noise.',
  history: "What the baseline branch's sessions say together, for the report.",
  declaredMetrics: 'Unit, direction and names that the workload reported with its metrics.',
  explanations: 'Profiles of what regressed.',
  notes: 'Sentences for the report.',
  budget: 'Seconds allowed and spent, and the blocks that were left out.',
};

const RUN: Words<Run> = {
  side: '`baseline` or `head`.',
  variant: 'Name of the variant.',
  block: 'Block, from 1; 0 is the warm-up.',
  position: '0 ran first in its pair, 1 second.',
  attempt: '0 for the first try, 1 to 3 for a pair that was repeated because the engine failed.',
  started: 'Start, in UTC.',
  outcome: `${OUTCOMES.map((outcome) => `\`${outcome}\``).join(', ')}.`,
  metrics: "Metric to value, in the metric's unit, for one repetition. Empty if the outcome is not `ok`.",
  noise: 'What the machine did during the run.',
  exitStatus: 'Exit status of the workload; `null` if it has none.',
  message: 'What happened and the last lines of output, if the outcome is not `ok`.',
};

const NOISE: Words<Noise> = {
  steal_s: 'Time that the hypervisor took, summed over processors.',
  load_1m: 'Load average of one minute as the run started.',
  throttled_s: "Time that the run's cgroup was throttled.",
  cpu_pressure_s: 'Time in which some task of the machine waited for a processor (PSI).',
  other_cpu_s: 'CPU time of everything else on the machine.',
  frequency_hz: "Frequency of the run's fastest processor as it ended.",
  sampling_s: 'Longest gap between two samples of anonymous memory.',
};

const TIMELINE: Words<Timeline> = {
  session: 'Identifier of the session.',
  variant: 'Name of the variant.',
  side: '`baseline` or `head`.',
  block: 'Block, from 1.',
  position: '0 or 1.',
  attempt: '0 to 3.',
  started: "Start of the run: the zero of the samples' times.",
  interval_s: 'Time between two samples that was aimed at.',
  source:
    "`cgroup`: the container's, with the probe and the page cache. `processes`: the process tree on the host.",
  samples: 'Lists of seconds since the start, CPU seconds so far, bytes in use, anonymous bytes (or `null`).',
  note: 'Why there are no samples.',
};

const SUMMARY: Words<Summary> = {
  id: 'Identifier of the session.',
  started: 'Start, in UTC.',
  commit: 'Commit of the baseline side.',
  cpuModel: 'CPU model.',
  cores: 'Number of cores.',
  medians: 'Variant to metric to median and number of runs.',
  outcome: 'Whether the night raised `regressed` or `improved` against itself.',
};

const NOISE_FILE: Words<NoiseFile> = {
  format: '`pacegate-noise`.',
  version: 'Version of the format.',
  configuration: 'Name of the configuration.',
  newest: 'The newest night: session, start, commit, CPU model, cores.',
  alarms: 'Nights, and how many raised a false alarm, with exact 95 % intervals.',
  noise: 'For each row: noise of a pair, spread between nights, smallest loss found with 80 % power.',
  shifts: "Where the level of a row's medians changed.",
  anchor: 'The weekly comparisons with the anchor, and the rows that creep.',
};

/** A table of the keys of a schema, in its order. */
function keys(schema: z.ZodObject, words: Readonly<Record<string, string>>): string {
  const rows = Object.entries(schema.shape).map(([key, value]) => [
    `\`${key}\``,
    (value as z.ZodType).safeParse(undefined).success ? '' : 'yes',
    words[key] ?? '',
  ]);
  return markdownTable([['key', 'required', 'content'], ...rows]);
}

test.each([
  ['session', keys(sessionSchema, SESSION)],
  ['run', keys(runSchema, RUN)],
  ['run-noise', keys(noiseSchema, NOISE)],
  ['timeline', keys(timelineSchema, TIMELINE)],
  ['summary', keys(summarySchema, SUMMARY)],
  ['noise', keys(noiseFileSchema, NOISE_FILE)],
])('docs/formats.md has the keys of the schema: %s', (mark, table) => expectGenerated(PAGE, mark, table));

const page = readFileSync(PAGE, 'utf8');

test('docs/formats.md has the formats and versions that the code writes', () => {
  for (const [format, version] of [
    [SESSION_FORMAT, SESSION_VERSION],
    [MERGED_FORMAT, MERGED_VERSION],
    ['pacegate-runs', 1],
    [NOISE_FORMAT, noiseFileSchema.shape.version.value],
    [RANKING_FORMAT, 1],
    [summariesSchema.shape.format.value, summariesSchema.shape.version.value],
    ['pacegate-index', 1],
  ] as const)
    expect(page).toContain(`\`${format}\` ${version}`);
});

/** The fenced examples below a heading. */
const examples = (heading: string, language: string) => {
  const [, rest = ''] = page.split(`\n## ${heading}\n`);
  const [section = ''] = rest.split(/\n## /);
  return [...section.matchAll(/```(\w+)\n([^]*?)```/g)].flatMap(([, found, text = '']) =>
    found === language ? [text] : [],
  );
};

test('the example of timings.csv is read', () => {
  const [text = ''] = examples('timings.csv', 'csv');
  expect(text.split('\n')[0]).toBe(TIMINGS_COLUMNS.join(','));
  expect(parseTimings(text, 'timings.csv')).toHaveLength(3);
});

test('the example of a run is one', () => {
  const [text = ''] = examples('runs.jsonl', 'json');
  const { warmup, ...run } = JSON.parse(text) as Record<string, unknown>;
  expect(warmup).toBe(false);
  expect(runSchema.parse(run)).toEqual(run);
});

test('the example of a timeline is one', () => {
  const [text = ''] = examples('timeline.jsonl', 'json');
  expect(timelineSchema.parse(JSON.parse(text))).toEqual(JSON.parse(text));
});

test('the example of comparison.json has the keys that are written', () => {
  const [text = ''] = examples('comparison.json', 'json');
  const example = JSON.parse(text) as { results: readonly object[] };
  const written = comparisonJson(compareSession(twoSided({ wall_time_s: [1, 1.1] }))) as typeof example;
  expect(Object.keys(example)).toEqual(Object.keys(written));
  expect(Object.keys(example.results[0] ?? {})).toEqual(Object.keys(written.results[0] ?? {}));
});

test('docs/formats.md has the families of openmetrics.txt', () => {
  const golden = readFileSync('fixtures/reports/openmetrics.txt', 'utf8');
  const families = [...golden.matchAll(/^# TYPE (\w+)/gm)].map(([, family = '']) => family);
  for (const family of families.filter((name) => !name.startsWith('pacegate_timeline_')))
    expect(page).toContain(`\`${family}\``);
});

test("docs/formats.md has the branch's files", () => {
  for (const [, file = ''] of README.matchAll(/- `(?:<configuration>\/)?([^`]+)`:/g))
    expect(page).toContain(file);
});
