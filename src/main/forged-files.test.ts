import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { openBaselineBranch } from '../baseline/branch.ts';
import { sessionText } from '../session/write.ts';
import { compareSession, compareTimings } from '../verdict/compare.ts';
import { gateHistory, nightlyHistory, noiseFile } from '../history/history.ts';
import { comparisonJson } from '../verdict/comparison-json.ts';
import { rankNights, rankingFile } from '../ranking/ranked-nights.ts';
import { drawn, nightAgainstItself } from '../session/session.test-support.ts';
import { PacegateError } from '../errors/errors.ts';
import { sessionOfJournal } from '../session/journal.ts';
import { readDumps } from '../measure/profile/dumps.ts';
import { readStacks } from '../measure/profile/stacks.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderNightlyMarkdown } from '../report/nightly.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { withTimelines } from '../report/openmetrics.test-support.ts';
import { noiseFileSchema } from '../session/history.ts';
import { readTimelines } from '../session/timeline.ts';
import { parseTimings, renderTimings } from '../session/timings.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import {
  drawFrom,
  forgedJson,
  forgedJsonLine,
  forgedLines,
  forgedRow,
  notFinite,
  type Draw,
} from './forged.test-support.ts';
import { evaluation } from '../pipeline/night-evaluation.ts';
import { comparedFiles } from './compose.ts';
import { compareFiles } from '../pipeline/compare-files.ts';

/**
 * Forged or damaged versions of every other file from an artifact or the baseline branch. Each is rejected with a
 * message, or only its measurements are used and everything else is computed again. forged-sessions.test.ts covers the
 * sessions themselves.
 */

jest.setTimeout(600_000);
const SECONDS = 2;
const MEBIBYTES = 300;

const folder = mkdtempSync(join(tmpdir(), 'pacegate-forged-'));
const rssBefore = process.resourceUsage().maxRSS;
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeTemporaryFolders();
});

const honest = drawn(
  {
    a: { wall_time_s: { level: 1, change: 0.05, spread: 0.01 }, own: { level: 3, change: 0, spread: 0.02 } },
    b: { wall_time_s: { level: 2, change: 0, spread: 0.01 } },
  },
  { blocks: 12 },
);

/** Reads many forged files: none may crash the program, take too long, or give an endless message. */
async function each(
  count: number,
  forge: (draw: Draw) => string,
  read: (text: string) => unknown,
  seconds = SECONDS,
): Promise<{ readonly refused: number; readonly answered: number }> {
  let [refused, answered] = [0, 0];
  for (let seed = 1; seed <= count; seed++) {
    const text = forge(drawFrom(seed));
    const before = process.cpuUsage();
    try {
      const found = notFinite(await read(text));
      expect([seed, found]).toEqual([seed, undefined]);
      answered++;
    } catch (error) {
      if (!(error instanceof PacegateError)) throw new Error(`seed ${seed}`, { cause: error });
      expect(error.message.length).toBeLessThan(6000);
      refused++;
    }
    const { user, system } = process.cpuUsage(before);
    expect([seed, (user + system) / 1e6 < seconds]).toEqual([seed, true]);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  return { refused, answered };
}

/** Both results must occur: a generator that makes only rejected or only harmless files would test nothing. */
const both = { refused: expect.any(Number), answered: expect.any(Number) };

test('60 forged timings.csv', async () => {
  const found = await each(
    60,
    (draw) => forgedLines(renderTimings(honest), draw, forgedRow),
    (text) => {
      const comparison = compareTimings(parseTimings(text, 'timings.csv'), { sameMachine: true });
      renderMarkdown(comparison, undefined, {});
      return comparison;
    },
  );
  expect(found).toEqual(both);
  expect(found.refused).toBeGreaterThan(5);
});

test('50 forged runs.jsonl', async () => {
  const { runs, warmup, ...head } = honest;
  const journal = [
    { format: 'pacegate-runs', version: 1, session: { ...head, runs: [], warmup: [] } },
    ...warmup.map((run) => ({ warmup: true, ...run })),
    { repetitions: { a: 1, b: 1 }, declaredMetrics: {} },
    ...runs.map((run) => ({ warmup: false, ...run })),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
  const found = await each(
    50,
    (draw) => forgedLines(journal, draw, forgedJsonLine),
    (text) => {
      const session = sessionOfJournal(text, 'runs.jsonl');
      const comparison = compareSession(session);
      renderMarkdown(comparison, session, {});
      return comparison;
    },
  );
  expect(sessionOfJournal(journal, 'runs.jsonl').runs).toHaveLength(runs.length);
  expect(found).toEqual(both);
});

test('30 forged timeline.jsonl', async () => {
  const lines = withTimelines(honest).map((line) => JSON.stringify(line));
  const comparison = compareSession(honest);
  await each(
    30,
    (draw) => forgedLines(`${lines.join('\n')}\n`, draw, forgedJsonLine),
    (text) => {
      const timelines = readTimelines(text, 'timeline.jsonl');
      renderOpenMetrics({ sessions: [honest], comparison, timelines });
      return timelines;
    },
  );
});

test('60 forged profiles', async () => {
  const dump = {
    threads: 1,
    shared: false,
    own: 3.5,
    functions: [
      ['app.py', 'work', 3, 10, 1, 3],
      ['', '<built-in method builtins.sum>', 0, 20, 2, 2],
    ],
    calls: [[0, 1, 20, 2, 2]],
  };
  const stacks = 'main (app.py:1);work (app.py:3) 120\nmain (app.py:1);rest (app.py:9) 30\n';
  await each(
    40,
    (draw) => forgedJson(dump, draw),
    (text) => readDumps([text, JSON.stringify(dump)], 0, 'time'),
  );
  await each(
    20,
    (draw) =>
      forgedLines(stacks, draw, (line, { below }) => line.slice(0, below(line.length)) + '1e999;\u0000'),
    (text) => readStacks(text, 'time'),
  );
});

test('10 forged comparison.json next to a session are not read', async () => {
  const files = join(folder, 'artifact');
  mkdirSync(files);
  writeFileSync(join(files, 'session.json'), JSON.stringify(honest));
  const own = await compareFiles(
    { files: [files], baseline: [], head: [], sameMachine: false, rules: undefined },
    comparedFiles,
  );
  const comparison = comparisonJson(own.comparison);
  await each(
    10,
    (draw) => forgedJson(comparison, draw),
    async (text) => {
      writeFileSync(join(files, 'comparison.json'), text);
      const read = await compareFiles(
        { files: [files], baseline: [], head: [], sameMachine: false, rules: undefined },
        comparedFiles,
      );
      expect(read.comparison).toEqual(own.comparison);
      return read.comparison;
    },
  );
});

const nights = Array.from({ length: 17 }, (_, day) => nightAgainstItself(day, { noise: 0.01 }));
const anchors = Array.from({ length: 4 }, (_, week) =>
  nightAgainstItself(20 + week, { noise: 0.01 }, { purpose: 'anchor' }),
);

/** The unmodified files of a branch. A summary is of a night that is no longer there. */
function branchFiles(): Readonly<Record<string, unknown>> {
  const ranked = rankNights(nights.slice(0, 2));
  return {
    ...Object.fromEntries(nights.slice(0, 16).map((night, n) => [`sessions/2026010${n}T030000.json`, night])),
    ...Object.fromEntries(anchors.map((night, n) => [`anchors/2026020${n}T030000.json`, night])),
    'summaries.json': {
      format: 'pacegate-summaries',
      version: 1,
      summaries: [
        {
          id: 'old',
          started: '2025-01-01T00:00:00Z',
          commit: 'c',
          cpuModel: 'm',
          cores: 2,
          medians: { a: { wall_time_s: { median: 1, n: 10 } } },
          outcome: { regressed: false, improved: false },
        },
      ],
    },
    'noise.json': noiseFile({ sessions: nights.slice(0, 2), summaries: [] }, 'pacegate'),
    'ranking.json': ranked === undefined ? {} : rankingFile(ranked.ranking, ranked.newest),
    '../index.json': { format: 'pacegate-index', version: 1, sessions: ['pacegate/sessions/x.json'] },
  };
}

test('240 forged files of 10 baseline branches', async () => {
  const repo = repository();
  const files = branchFiles();
  const newest = nights.at(-1)!;
  /** The current content of a file on the branch. */
  const show = (path: string) => JSON.parse(repo.git('show', `stored:${path}`)) as unknown;
  const put = (texts: Readonly<Record<string, string>>) => {
    repo.git('checkout', '-q', '--orphan', 'made');
    for (const [path, text] of Object.entries(texts)) repo.write(join('pacegate', path), text);
    repo.commit('forged');
    repo.git('branch', '-f', 'stored');
    repo.git('checkout', '-q', '--detach');
    repo.git('branch', '-q', '-D', 'made');
  };
  const open = () =>
    openBaselineBranch({ directory: repo.path, branch: 'stored', evaluation: evaluation(() => undefined) });
  let stopped = 0;
  const { answered } = await each(
    10,
    (draw) =>
      JSON.stringify(
        Object.fromEntries(Object.entries(files).map(([path, file]) => [path, forgedJson(file, draw)])),
      ),
    async (text) => {
      const forged = JSON.parse(text) as Readonly<Record<string, string>>;
      put(forged);
      const { problems, ...stored } = await open().read('pacegate');
      for (const problem of problems) expect(problem.length).toBeLessThan(6000);
      const history = { ...nightlyHistory(stored), ...gateHistory(stored) };
      // Nights that only a derived file claims do not count. Counted are stored sessions and summaries.
      expect(history.alarms.nights).toBeLessThanOrEqual(stored.sessions.length + stored.summaries.length);
      const session = { ...newest, history };
      renderNightlyMarkdown(session, compareSession(session), problems);
      // Derived files are computed again from the sessions. If this would lose data, nothing is written.
      const written = await open()
        .append(newest)
        .catch((error: unknown) => {
          if (!(error instanceof PacegateError)) throw error;
          stopped++;
          return undefined;
        });
      if (written !== undefined) {
        const after = await open().read('pacegate');
        const noise = show('pacegate/noise.json');
        expect(noise).toEqual(JSON.parse(JSON.stringify(noiseFile(after, 'pacegate'))));
        expect(noiseFileSchema.safeParse(noise).error?.issues).toBeUndefined();
        expect(show('index.json')).toMatchObject({ format: 'pacegate-index', version: 1 });
        return [history, after.summaries];
      }
      return history;
    },
    // Reads twenty-four files. The noise of the nights takes most of a second, and is computed three times.
    4 * SECONDS,
  );
  expect(answered).toBe(10);
  expect(stopped).toBeGreaterThan(0);
  expect(stopped).toBeLessThan(10);
  // The same branch with and without the derived files gives the same result.
  const honestTexts = Object.fromEntries(
    Object.entries(files).map(([path, file]) => [path, JSON.stringify(file)]),
  );
  put(honestTexts);
  const whole = await open().read('pacegate');
  put({ ...honestTexts, 'noise.json': '[]', 'ranking.json': '{', '../index.json': '"constructor"' });
  expect(await open().read('pacegate')).toEqual(whole);
  expect(whole.sessions).toHaveLength(20);
});

test('a night that is stored under two names is one night', async () => {
  const repo = repository();
  const [night] = nights;
  if (night === undefined) throw new Error('no night');
  repo.write('pacegate/sessions/20260101T030000-1.json', sessionText(night));
  repo.write('pacegate/sessions/20260101T030000-2.json', sessionText({ ...night, notes: ['again'] }));
  repo.commit('forged');
  repo.git('branch', 'stored');
  const read = await openBaselineBranch({ directory: repo.path, branch: 'stored' }).read('pacegate');
  expect(read.sessions).toHaveLength(1);
  expect(read.problems).toEqual([
    'pacegate/sessions/20260101T030000-2.json on the baseline branch is skipped: it has the id of another session (night-0)',
  ]);
});

test('summaries that are too large to be ours are not parsed', async () => {
  const repo = repository();
  repo.write(
    'pacegate/summaries.json',
    `{"format": "pacegate-summaries", "version": 1, "summaries": ${'['.repeat(60)}`,
  );
  repo.commit('forged');
  repo.git('branch', 'stored');
  const read = await openBaselineBranch({ directory: repo.path, branch: 'stored' }).read('pacegate');
  expect(read.problems).toEqual([
    expect.stringContaining('is damaged (found 51 nested lists and objects; must be at most 50)'),
  ]);
});

test('all of this stays within its memory', () => {
  expect((process.resourceUsage().maxRSS - rssBefore) / 1024).toBeLessThan(MEBIBYTES);
});
