import { afterAll, describe, expect, jest, test } from '@jest/globals';
import { openBaselineBranch } from '../baseline/branch.ts';
import { summarise, summarySchema } from '../baseline/format.ts';
import { compareSession, compareTimings } from '../verdict/compare.ts';
import { nightlyHistory, noiseFile } from '../history/history.ts';
import { compareParts } from '../verdict/merge.ts';
import { assembleParts } from '../verdict/parts.ts';
import { rankNights } from '../ranking/ranked-nights.ts';
import { rankVariants } from '../ranking/rank.ts';
import { drawn } from '../session/session.test-support.ts';
import { PacegateError } from '../errors/errors.ts';
import { readResults } from '../measure/results/read.ts';
import { measuringChanges } from '../plan/measuring-changes.ts';
import { resolvePlan } from '../plan/resolve.ts';
import { renderFactsMarkdown, renderFactsTerminal } from '../report/facts-table.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderMeasurementMarkdown, renderMeasurementTerminal } from '../report/measurement.ts';
import { renderNightlyMarkdown, renderNightlyTerminal } from '../report/nightly.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { withTimelines } from '../report/openmetrics.test-support.ts';
import { renderRankingMarkdown, renderRankingTerminal } from '../report/ranking-report.ts';
import { renderTerminal } from '../report/terminal.ts';
import { metricRule } from '../session/metric.test-support.ts';
import { facts } from '../session/facts.test-support.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { parseTimings, renderTimings } from '../session/timings.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { evaluation } from '../pipeline/night-evaluation.ts';
import { jsonText } from '../report/json-text.ts';

/**
 * Names of properties that every object has, as metric, variant, benchmark, configuration and library. They pass
 * through every report and every file of the baseline branch. Each must contain the right figures, and no object may be
 * modified.
 */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

/** Allowed names of a metric. `__proto__` is not allowed, because names do not begin with an underscore. */
const NAMES = ['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'isPrototypeOf'];

/** The inherited properties of every object. */
const inherited = () =>
  [Object.prototype, Object, Array.prototype, Function.prototype].map((holder) =>
    Object.getOwnPropertyNames(holder).sort().join(' '),
  );
const before = inherited();

const LIMIT = 0.03;
/** Two variants. The first is slower by a fifth in the metric of its own name. */
function sessionOf(name: string): Session {
  const rule = metricRule(name, { unit: 's', limit: LIMIT });
  const made = drawn(
    {
      [name]: { [name]: { level: 1, change: 0.2, spread: 0.001 } },
      plain: { [name]: { level: 2, change: 0, spread: 0.001 } },
    },
    { blocks: 12, metrics: [rule] },
  );
  return {
    ...made,
    workload: { ...made.workload, repetitions: Object.fromEntries([[name, 1]]) },
    declaredMetrics: Object.fromEntries([[name, { unit: 's', better: 'lower' as const }]]),
  };
}

/** The session after writing and reading its file. */
const throughItsFile = (session: Session): Session => parseSession(jsonText(session), 'session.json');

describe.each(NAMES)('%s', (name) => {
  const session = throughItsFile(sessionOf(name));
  const comparison = compareSession(session);
  const row = comparison.rows.find(({ variant, metric }) => variant === name && metric === name);

  test('is judged, and is in the reports of a gate', () => {
    expect(row).toMatchObject({ verdict: 'regressed' });
    expect(row?.change.estimate).toBeCloseTo(0.2, 2);
    for (const text of [
      renderMarkdown(comparison, session, {}),
      renderTerminal(comparison, session, { colour: false }),
    ]) {
      expect(text).toContain(name);
      expect(text).toMatch(/\+(19\.\d|20\.\d|20)\s%/);
      expect(text).not.toContain('[native code]');
    }
  });

  test('is merged, timed and exported as it was measured', () => {
    const parts = compareParts(assembleParts([{ session, file: 'session.json' }]));
    expect(parts.rows).toEqual(comparison.rows);
    const timed = parseTimings(renderTimings(session), 'timings.csv');
    expect(timed).toHaveLength(session.runs.length);
    expect(timed.map(({ metrics }) => Object.entries(metrics))).toEqual(
      session.runs.map(({ metrics }) => Object.entries(metrics)),
    );
    const again = compareTimings(timed, { sameMachine: true });
    expect(again.rows.map(({ variant, metric }) => `${variant} ${metric}`)).toContain(`${name} ${name}`);
    const exported = renderOpenMetrics({
      sessions: [session],
      comparison,
      timelines: withTimelines(session),
    });
    expect(exported).toContain(`metric="${name}",unit="s"`);
    expect(exported).not.toContain('native code');
  });

  test('is ranked and described by itself', () => {
    const ranked = {
      ...session,
      sides: ['head'] as const,
      runs: session.runs.filter(({ side }) => side === 'head'),
    };
    const alone: Session = { ...ranked, sides: ['head'] };
    const ranking = rankVariants(alone, 'plain');
    expect(ranking.variants.map(({ variant }) => variant)).toContain(name);
    for (const text of [
      renderRankingMarkdown(ranking, alone),
      renderRankingTerminal(ranking, alone, { colour: false }),
      renderMeasurementMarkdown(alone),
      renderMeasurementTerminal(alone, { colour: false }),
    ]) {
      expect(text).toContain(name);
      expect(text).not.toContain('[native code]');
    }
    const asked = [
      {
        target: name,
        kind: 'host' as const,
        facts: facts({ libraries: { [name]: '1' }, brokenModules: { [name]: 'ImportError' } }),
      },
      { target: 'plain', kind: 'host' as const, facts: facts({ libraries: { zlib: '2' } }) },
    ];
    for (const text of [renderFactsMarkdown(asked), renderFactsTerminal(asked, 100)]) {
      expect(text).toContain(name);
      expect(text).not.toContain('[native code]');
    }
  });

  test('is a benchmark of each tool', () => {
    const own = JSON.stringify(Object.fromEntries([[name, 1.5]]));
    const hyperfine = JSON.stringify({ results: [{ command: name, median: 1.5 }] });
    const pytest = JSON.stringify({ machine_info: {}, benchmarks: [{ name, stats: { median: 1.5 } }] });
    const pyperf = JSON.stringify({ benchmarks: [{ metadata: { name }, runs: [{ values: [1.5] }] }] });
    const asv = JSON.stringify({ version: 2, result_columns: ['result'], results: { [name]: [[1.5]] } });
    for (const text of [own, hyperfine, pytest, pyperf, asv])
      expect(readResults(text)).toMatchObject({ values: Object.fromEntries([[name, 1.5]]) });
  });

  test('is a metric of a configuration, in formulas too, and a changed file', () => {
    const plan = resolvePlan({
      text: `version: 1
workload: { command: [python, bench.py], env: { ${name}: x } }
variants: { constructor: { interpreter: debian, contexts: { ${name}: 'docker-image://a' } }, plain: { interpreter: official, python: "3.13" } }
metrics: { ${name}: { limit: 4% }, derived: { formula: ${name} * 2, gate: false } }
`,
      file: 'pacegate.yml',
      root: '/',
      overrides: { name: 'constructor' },
    });
    expect(plan.rules.metrics.find((metric) => metric.name === name)?.limit).toBe(0.04);
    expect(plan.rules.metrics.find((metric) => metric.name === 'derived')?.formula).toBe(`${name} * 2`);
    expect(plan.variants.map((variant) => variant.name)).toEqual(['constructor', 'plain']);
    const files = Object.fromEntries([[name, 'sha256:1']]);
    expect(measuringChanges({ plan, files: {} }, { plan, files })).toEqual([
      { kind: 'files', edited: [], added: [], removed: [name] },
    ]);
    expect(measuringChanges({ plan, files }, { plan, files: {} })).toEqual([
      { kind: 'files', edited: [], added: [name], removed: [] },
    ]);
  });
});

test('all of them are on the baseline branch, in the night’s report, and in the squashed night', async () => {
  const repo = repository();
  repo.commit('one');
  const [first = ''] = NAMES;
  const sessions = NAMES.map((name) => throughItsFile(sessionOf(name)));
  const night: Session = {
    ...sessions[0]!,
    id: 'night-1',
    purpose: 'nightly',
    configuration: 'constructor',
    variants: [...NAMES, 'plain'],
    images: sessions.flatMap(({ images }, index) =>
      images.filter(({ variant }) => variant !== 'plain' || index === 0),
    ),
    // One metric with the same name for all variants, and one metric of each variant.
    runs: sessions.flatMap(({ runs }, index) =>
      runs
        .filter(({ variant }) => variant !== 'plain' || index === 0)
        .map((run) => ({ ...run, metrics: { ...run.metrics, [first]: Object.values(run.metrics)[0] ?? 0 } })),
    ),
    warmup: [],
  };
  const branch = openBaselineBranch({
    directory: repo.path,
    branch: 'stored',
    evaluation: evaluation(() => undefined),
  });
  await branch.append(night);
  const { sessions: stored, summaries, problems } = await branch.read('constructor');
  expect(problems).toEqual([]);
  expect(stored).toHaveLength(1);
  const show = (path: string) => JSON.parse(repo.git('show', `stored:${path}`)) as unknown;
  const noise = noiseFile({ sessions: stored, summaries }, 'constructor');
  expect(show('constructor/noise.json')).toEqual(JSON.parse(JSON.stringify(noise)));
  expect(noise.noise.map(({ variant, metric }) => `${variant} ${metric}`)).toContain(`toString ${first}`);
  expect(show('constructor/ranking.json')).toMatchObject({ configuration: 'constructor' });
  expect(show('index.json')).toMatchObject({
    sessions: [expect.stringMatching(/^constructor\/sessions\/.*\.json$/)],
  });
  expect(rankNights(stored)?.ranking.variants.map(({ variant }) => variant)).toEqual(
    expect.arrayContaining(NAMES),
  );
  const { medians } = summarySchema.parse(JSON.parse(JSON.stringify(summarise(night))));
  expect(Object.keys(medians).sort()).toEqual([...NAMES, 'plain'].sort());
  for (const name of NAMES)
    expect(new Map(Object.entries(new Map(Object.entries(medians)).get(name) ?? {})).get(name)).toEqual({
      median: expect.closeTo(1, 1),
      n: 12,
    });
  const newest = { ...night, history: nightlyHistory({ sessions: stored, summaries }) };
  const judged = compareSession(newest);
  for (const text of [
    renderNightlyMarkdown(newest, judged),
    renderNightlyTerminal(newest, judged, { colour: false }),
  ]) {
    for (const name of NAMES) expect(text).toContain(name);
    expect(text).not.toContain('[native code]');
  }
});

test('__proto__ is not a name, and is refused with a message', () => {
  const configuration = (metrics: string, variant: string) => () =>
    resolvePlan({
      text: `version: 1\nworkload: { command: [python] }\nvariants: { ${variant}: { interpreter: debian }, b: { interpreter: official, python: "3.13" } }\nmetrics: ${metrics}\n`,
      file: 'pacegate.yml',
      root: '/',
    });
  expect(configuration('{ __proto__: { gate: false } }', 'a')).toThrow(
    'pacegate.yml:4: __proto__: found a key that would be ignored; expected: another name',
  );
  expect(configuration('{ x: { gate: false } }', '"__proto__"')).toThrow(PacegateError);
  for (const text of [
    '{"__proto__": 1.5, "other": 1}',
    '{"version": 2, "result_columns": ["result"], "results": {"__proto__": [[1]], "time_x": [[1]]}}',
  ])
    expect(readResults(text)).toMatch('found the name __proto__, which no metric can have');
  // Formats with names as values rename it, like every invalid name.
  expect(readResults('{"results": [{"command": "__proto__", "median": 0.2}]}')).toMatchObject({
    values: { bench_proto: 0.2 },
  });
});

test('no object that others inherit from was written on', () => {
  expect(inherited()).toEqual(before);
});
