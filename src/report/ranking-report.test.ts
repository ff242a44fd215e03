import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { nightlyHistory } from '../history/history.ts';
import { rankVariants } from '../ranking/rank.ts';
import { rankingFile } from '../ranking/ranked-nights.ts';
import { noisyValues, rankingSession } from '../ranking/rank.test-support.ts';
import { interpreterFactsSchema } from '../session/facts.ts';
import { BUILT_IN_METRICS, type MetricRule } from '../session/metric.ts';
import { rankingFileSchema } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { renderNightlyMarkdown, renderNightlyTerminal } from './nightly.ts';
import { rankingDetail, renderRankingMarkdown, renderRankingTerminal } from './ranking-report.ts';
import { metricRule } from '../session/metric.test-support.ts';

/** Compares with the golden file of a report; UPDATE_GOLDEN=1 writes it. */
function golden(name: string, text: string) {
  const path = `fixtures/reports/${name}`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync('fixtures/reports', { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}

const MB = 1e6;
const TASKS: MetricRule = metricRule('tasks', { unit: 'tasks', better: 'higher', gate: false });

interface Talk {
  readonly python: string;
  readonly system: string;
  readonly build: number;
  readonly size: number;
  readonly cpu: number;
  readonly memory: number;
  readonly tasks: number;
  readonly pgo: boolean;
}

/** The true values around which the sessions are drawn: build s, MB, CPU s per task, memory MB, tasks per minute. */
const debian12 = 'Debian GNU/Linux 12 (bookworm)';
const TALK: Readonly<Record<string, Talk>> = {
  official: {
    python: '3.12.11',
    system: debian12,
    build: 7,
    size: 124,
    cpu: 1.5,
    memory: 888,
    tasks: 567.6,
    pgo: true,
  },
  debian: {
    python: '3.11.2',
    system: debian12,
    build: 16,
    size: 121,
    cpu: 1.16,
    memory: 911,
    tasks: 563.4,
    pgo: true,
  },
  pyenv: {
    python: '3.12.11',
    system: debian12,
    build: 236,
    size: 388,
    cpu: 1.9,
    memory: 870,
    tasks: 558.5,
    pgo: false,
  },
  'pyenv-optimized': {
    python: '3.12.11',
    system: debian12,
    build: 1297,
    size: 449,
    cpu: 1.41,
    memory: 886,
    tasks: 572,
    pgo: true,
  },
  'pyenv-native': {
    python: '3.12.11',
    system: debian12,
    build: 1359,
    size: 450,
    cpu: 1.37,
    memory: 900,
    tasks: 572.1,
    pgo: true,
  },
  'pyenv-bolt': {
    python: '3.12.3',
    system: 'Ubuntu 24.04 LTS',
    build: 1562,
    size: 500,
    cpu: 1.42,
    memory: 925,
    tasks: 569.2,
    pgo: true,
  },
  uv: {
    python: '3.12.11',
    system: debian12,
    build: 15,
    size: 227,
    cpu: 1.18,
    memory: 974,
    tasks: 577.4,
    pgo: true,
  },
};

function talk(change: Partial<Session> = {}): Session {
  const variants = Object.keys(TALK);
  const SECONDS = 10;
  const levels = Object.fromEntries(
    Object.entries(TALK).map(([name, { cpu, memory, tasks }]) => {
      const done = (tasks / 60) * SECONDS;
      return [
        name,
        { wall_time_s: SECONDS, cpu_time_s: (cpu * done) / 100, max_rss_bytes: memory * MB, tasks: done },
      ];
    }),
  );
  const values = noisyValues(levels, { noise: 0.015, block: 0.03, seed: 7 });
  const session = rankingSession(variants, values, { blocks: 20, metrics: [...BUILT_IN_METRICS, TASKS] });
  return {
    ...session,
    images: session.images.map((image) => {
      const { python, system, build, size, pgo } = TALK[image.variant]!;
      const observed = (yes: boolean) => ({ declared: 'unknown', observed: yes ? 'yes' : 'no' }) as const;
      return {
        ...image,
        sizeBytes: size * MB,
        coldBuild: { seconds: build, cpuSeconds: build * 1.6 },
        facts: interpreterFactsSchema.parse({
          python,
          implementation: 'CPython',
          executable: '/usr/bin/python3',
          compiler: 'GCC 12.2.0',
          libc: 'glibc 2.36',
          system,
          properties: {
            pgo: observed(pgo),
            lto: observed(pgo),
            bolt: observed(image.variant === 'pyenv-bolt'),
            march: observed(image.variant === 'pyenv-native'),
          },
        }),
      };
    }),
    ranking: { reference: 'official' },
    ...change,
  };
}

test('seven variants fit a terminal of 120 columns, with the cost and the gain of moving', () => {
  const session = talk();
  const ranking = rankVariants(session);
  const terminal = renderRankingTerminal(ranking, session, { colour: false });
  golden('ranking.txt', terminal);
  golden('ranking.md', renderRankingMarkdown(ranking, session));
  const table = terminal.split('\n').filter((line) => /^(variant|[a-z-]+( \(reference\))? {2,})/.test(line));
  expect(table).toHaveLength(32);
  expect(Math.max(...table.map(({ length }) => length))).toBeLessThanOrEqual(120);
});

const failing = (): Session => {
  const session = talk();
  return {
    ...session,
    runs: session.runs.filter(({ variant }) => variant !== 'uv'),
    failures: [{ variant: 'uv', side: 'head', stage: 'build', message: 'uv (head): <b>no</b> such\nfile' }],
  };
};

test('a variant that failed is a row without figures, and the headline names it first', () => {
  const session = failing();
  const ranking = rankVariants(session);
  const markdown = renderRankingMarkdown(ranking, session, ['RowSentence by @somebody.']);
  expect(markdown).toMatch(
    /^### ❌ Pacegate: `uv` could not be measured; `debian` takes 2\d.* less CPU a task than/,
  );
  expect(markdown).toMatch(/\| `uv` +\| +– \| +– \|/);
  expect(markdown).toContain('RowSentence by @\u200bsomebody.');
  expect(renderRankingTerminal(ranking, session, { colour: false })).toMatch(
    /\nuv +– .*[^]*\nuv \(head\): <b>no<\/b> such\nfile\n/,
  );
});

test('undecided comparisons have no sentence', () => {
  const session = talk();
  const short = { ...session, runs: session.runs.filter(({ block }) => block < 8) };
  const ranking = rankVariants(short);
  const terminal = renderRankingTerminal(ranking, short, { colour: false });
  expect(terminal).not.toContain('Moving from');
  expect(terminal).toContain('7 blocks are too few to find a difference among 24 tests');
  expect(terminal).toMatch(/No decision between official and debian, uv, .* and pyenv:/);
  expect(terminal.trimEnd().split('\n').at(-1)).toBe(
    'Pacegate: no variant was shown to take less CPU a task than official',
  );
});

test('if a run is one task its figures are shown once', () => {
  const session = rankingSession(
    ['a', 'b'],
    (variant) => ({ wall_time_s: variant === 'a' ? 2 : 3, cpu_time_s: 2, max_rss_bytes: 100 }),
    { blocks: 12, metrics: BUILT_IN_METRICS },
  );
  const terminal = renderRankingTerminal(rankVariants(session), session, { colour: false });
  expect(terminal).toMatch(/^variant +wall +CPU +memory +runs\/min +runs\n/);
  expect(terminal).toMatch(/\nvariant +CPU time +wall time +memory \(RSS\)\n/);
  expect(terminal).toContain(
    'Moving from a to b: 50 % more wall time (50 to 50 %); no difference that matters in CPU time',
  );
  expect(terminal).toContain('Pacegate: none of 1 other variant takes less CPU time than a');
});

test('the JSON matches its schema, and names from outside are escaped in a night’s detail', () => {
  const session = talk();
  const file = rankingFile(rankVariants(session), session);
  expect(rankingFileSchema.parse(JSON.parse(JSON.stringify(file)))).toEqual(file);
  const hostile = rankVariants({
    ...session,
    rules: { ...session.rules, metrics: [...session.rules.metrics, { ...TASKS, name: 'x', unit: '<i>' }] },
    ranking: { reference: 'official', work: '<script>' },
  });
  expect(rankingDetail(hostile, session).body).not.toMatch(/<script|<i>/);
});

test('a night has the ranking in one folded detail, and a line of it on a terminal', () => {
  const values = noisyValues({ slim: { cpu_time_s: 1.2 }, own: { cpu_time_s: 1 } }, { noise: 0.01, seed: 2 });
  const night = rankingSession(['slim', 'own'], values, {
    blocks: 12,
    metrics: BUILT_IN_METRICS.filter(({ name }) => name === 'cpu_time_s'),
    sides: ['baseline', 'head'],
    purpose: 'nightly',
  });
  const session = { ...night, history: nightlyHistory({ sessions: [night], summaries: [] }) };
  const comparison = compareSession(session);
  const markdown = renderNightlyMarkdown(session, comparison);
  expect(markdown.match(/<summary>The variants against each other<\/summary>/g)).toHaveLength(1);
  expect(markdown).toMatch(/- Moving from `slim` to `own`: 1[67](\.\d)? % less CPU time/);
  expect(renderNightlyTerminal(session, comparison, { colour: false })).toMatch(
    /\nBetween the variants: own takes 1[67](\.\d)? % less CPU time than slim\.\n/,
  );
});
