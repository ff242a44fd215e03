import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { exitStatus } from '../verdict/exit-status.ts';
import { night } from '../session/session.test-support.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { Engine, Runnable, RunRequest, RunResult } from '../measure/engine.ts';
import { measureSession } from '../measure/loop.ts';
import { tryWorkload } from '../measure/trial.ts';
import { planOf, WALL_ALONE } from '../plan/plan.test-support.ts';
import { facts } from '../session/facts.test-support.ts';
import type { Side } from '../session/run.ts';
import type { Verdict } from '../session/rules.ts';
import { compareSession } from '../verdict/compare.ts';
import type { GateRequest } from './gate-request.ts';
import { gate } from './gate.ts';
import type { ImageRequest, Ports, Prepared } from './ports.ts';
import { workloadHash } from './session.ts';

/**
 * What fails x on which side x evidence -> verdict, exit status, cause. Each cell runs the real use case and the real
 * loop with a scripted engine. The table in docs/verdicts.md is generated from these cells.
 */

/** The properties of a run that a cell's script reads. */
interface Asked {
  readonly side: Side;
  /** The side of the measuring code. */
  readonly code: Side;
  readonly repetitions: number;
  /** The number of the measured run of this side, from 1; 0 in the warm-up and in trials. */
  readonly n: number;
  /** The number of runs of this side, including this one. */
  readonly time: number;
}

interface Cell {
  readonly what: string;
  readonly side: string;
  readonly evidence: 'paired' | 'stored' | 'none';
  readonly verdict: Verdict;
  readonly blame: string;
  /** A part of the row's reason, or of a warning. */
  readonly says: RegExp;
  readonly build?: (side: Side) => 'build' | 'engine' | undefined;
  readonly run?: (asked: Asked) => RunResult['outcome'];
  /** Whether `bench.py` differs between the sides. */
  readonly changed?: boolean;
  readonly identical?: boolean;
  /** Whether the baseline has none of the measuring code. */
  readonly isNew?: boolean;
  readonly budget?: string;
  readonly metrics?: string;
  /** The duration of a run in seconds; short runs are repeated. */
  readonly seconds?: number;
  /** Cancels at this call of the engine. */
  readonly cancelAt?: number;
}

const dies =
  (when: (asked: Asked) => boolean, how: RunResult['outcome'] = 'nonzero') =>
  (asked: Asked): RunResult['outcome'] =>
    when(asked) ? how : 'ok';
const of = (side: Side) => (asked: Asked) => asked.side === side;
const headsCode = ({ code }: Asked) => code === 'head';
const paired = { evidence: 'paired' } as const;
const stored = { evidence: 'stored' } as const;
const LIMITS = ['timeout', 'oom', 'signal'] as const;
const LIMIT_WORDS = { timeout: 'time limit', oom: 'memory limit', signal: 'killed by a signal' } as const;

const CELLS: readonly Cell[] = [
  { ...paired, what: 'nothing', side: '–', verdict: 'unchanged', blame: '–', says: /^$/ },
  { ...stored, what: 'nothing', side: '–', verdict: 'unchanged', blame: '–', says: /^$/ },
  {
    ...paired,
    what: 'nothing, identical images',
    side: '–',
    verdict: 'unchanged',
    blame: '–',
    says: /^$/,
    identical: true,
  },
  {
    ...paired,
    what: 'build',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /head does not build/,
    build: (side) => (side === 'head' ? 'build' : undefined),
  },
  {
    ...stored,
    what: 'build',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /head does not build/,
    build: () => 'build',
  },
  {
    ...paired,
    what: 'build',
    side: 'baseline',
    verdict: 'no_baseline',
    blame: 'the base',
    says: /the head works, and the base cannot be built/,
    build: (side) => (side === 'baseline' ? 'build' : undefined),
  },
  {
    ...paired,
    what: 'build; and the head’s run',
    side: 'baseline; head',
    verdict: 'failed',
    blame: 'this change',
    says: /exit status 1/,
    build: (side) => (side === 'baseline' ? 'build' : undefined),
    run: dies(of('head')),
  },
  {
    ...paired,
    what: 'build',
    side: 'both',
    verdict: 'no_data',
    blame: 'not this change alone',
    says: /neither side can be built/,
    build: () => 'build',
  },
  {
    ...paired,
    what: 'engine while building',
    side: 'head',
    verdict: 'no_data',
    blame: 'the engine',
    says: /does not build/,
    build: (side) => (side === 'head' ? 'engine' : undefined),
  },
  {
    ...paired,
    what: 'engine while building',
    side: 'baseline',
    verdict: 'no_data',
    blame: 'the engine',
    says: /does not build/,
    build: (side) => (side === 'baseline' ? 'engine' : undefined),
  },
  {
    ...stored,
    what: 'engine while building',
    side: 'head',
    verdict: 'no_data',
    blame: 'the engine',
    says: /does not build/,
    build: () => 'engine',
  },
  {
    ...paired,
    what: 'warm-up',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /the baseline works with the same measuring code, and the head does not/,
    run: dies(of('head')),
  },
  {
    ...stored,
    what: 'warm-up',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /exit status 1/,
    run: dies(of('head')),
  },
  {
    ...paired,
    what: 'warm-up',
    side: 'baseline',
    verdict: 'no_baseline',
    blame: 'the base',
    says: /the base is broken and the head works/,
    run: dies(of('baseline')),
  },
  {
    ...paired,
    what: 'warm-up, once',
    side: 'baseline',
    verdict: 'no_data',
    blame: 'nobody: it fails at times',
    says: /worked when it was tried again/,
    run: dies((asked) => of('baseline')(asked) && asked.time === 1),
  },
  {
    ...paired,
    what: 'warm-up',
    side: 'both',
    verdict: 'no_data',
    blame: 'broken before this change',
    says: /both sides fail, so it was broken before this change too/,
    run: dies(() => true),
  },
  {
    ...paired,
    what: 'warm-up with changed measuring code',
    side: 'both',
    verdict: 'failed',
    blame: 'the head’s measuring code',
    says: /this change's measuring code \(bench\.py\) fails on both sides, and the baseline works with its own/,
    changed: true,
    run: dies(headsCode),
  },
  {
    ...paired,
    what: 'warm-up with changed measuring code, and with the base’s own',
    side: 'both',
    verdict: 'no_data',
    blame: 'broken before this change',
    says: /broken before this change too/,
    changed: true,
    run: dies(() => true),
  },
  {
    ...paired,
    what: 'warm-up with changed measuring code',
    side: 'baseline',
    verdict: 'no_baseline',
    blame: 'the benchmark needs what the base lacks',
    says: /\(bench\.py\) needs something that the base does not have/,
    changed: true,
    run: dies((asked) => of('baseline')(asked) && headsCode(asked)),
  },
  {
    ...paired,
    what: 'warm-up with new measuring code',
    side: 'baseline',
    verdict: 'no_baseline',
    blame: 'the benchmark is new',
    says: /is new with this change \(bench\.py\): the head works with it/,
    changed: true,
    isNew: true,
    run: dies(of('baseline')),
  },
  {
    ...paired,
    what: 'warm-up with new measuring code',
    side: 'both',
    verdict: 'failed',
    blame: 'the head’s measuring code',
    says: /is new with this change \(bench\.py\) and fails on both sides/,
    changed: true,
    isNew: true,
    run: dies(() => true),
  },
  {
    ...paired,
    what: 'changed measuring code, identical images',
    side: 'both',
    verdict: 'failed',
    blame: 'the head’s measuring code',
    says: /\(bench\.py\) fails on both sides/,
    changed: true,
    identical: true,
    run: dies(headsCode),
  },
  {
    ...paired,
    what: 'nothing, changed measuring code, identical images',
    side: '–',
    verdict: 'unchanged',
    blame: '–',
    says: /^$/,
    changed: true,
    identical: true,
  },
  ...LIMITS.flatMap((how): Cell[] => [
    {
      ...paired,
      what: `warm-up: ${LIMIT_WORDS[how]}`,
      side: 'head',
      verdict: 'failed',
      blame: 'this change',
      says: new RegExp(how),
      run: dies(of('head'), how),
    },
    {
      ...paired,
      what: `warm-up: ${LIMIT_WORDS[how]}`,
      side: 'both',
      verdict: 'no_data',
      blame: 'broken before this change',
      says: new RegExp(how),
      run: dies(() => true, how),
    },
    {
      ...paired,
      what: `warm-up with changed measuring code: ${LIMIT_WORDS[how]}`,
      side: 'both',
      verdict: 'failed',
      blame: 'the head’s measuring code',
      says: new RegExp(how),
      changed: true,
      run: dies(headsCode, how),
    },
  ]),
  {
    ...paired,
    what: 'run in block 4',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /the baseline works with the same measuring code/,
    run: dies((asked) => of('head')(asked) && asked.n === 4),
  },
  {
    ...paired,
    what: 'run in block 4',
    side: 'baseline',
    verdict: 'no_data',
    blame: 'nobody: it fails at times',
    says: /failed after 3 runs that ended well/,
    run: dies((asked) => of('baseline')(asked) && asked.n === 4),
  },
  {
    ...stored,
    what: 'run in block 4',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /exit status 1/,
    run: dies((asked) => asked.n === 4),
  },
  {
    ...paired,
    what: 'repetition',
    side: 'both',
    verdict: 'no_data',
    blame: 'broken before this change',
    says: /works once and fails when it is repeated \(10 times in a run\)/,
    seconds: 0.05,
    run: dies(({ repetitions }) => repetitions > 1),
  },
  {
    ...paired,
    what: 'repetition',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /works once and fails when it is repeated/,
    seconds: 0.05,
    run: dies((asked) => of('head')(asked) && asked.repetitions > 1),
  },
  {
    ...paired,
    what: 'repetition',
    side: 'baseline',
    verdict: 'no_baseline',
    blame: 'the base',
    says: /works once and fails when it is repeated/,
    seconds: 0.05,
    run: dies((asked) => of('baseline')(asked) && asked.repetitions > 1),
  },
  {
    ...paired,
    what: 'repetition with changed measuring code',
    side: 'both',
    verdict: 'failed',
    blame: 'the head’s measuring code',
    says: /works once and fails when it is repeated/,
    seconds: 0.05,
    changed: true,
    run: dies((asked) => headsCode(asked) && asked.repetitions > 1),
  },
  {
    ...stored,
    what: 'repetition',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /works once and fails when it is repeated/,
    seconds: 0.05,
    run: dies(({ repetitions }) => repetitions > 1),
  },
  {
    ...paired,
    what: 'engine',
    side: 'head',
    verdict: 'no_data',
    blame: 'the engine',
    says: /engine/,
    run: dies(of('head'), 'engine'),
  },
  {
    ...paired,
    what: 'engine',
    side: 'baseline',
    verdict: 'no_data',
    blame: 'the engine',
    says: /engine/,
    run: dies(of('baseline'), 'engine'),
  },
  {
    ...paired,
    what: 'engine',
    side: 'both',
    verdict: 'no_data',
    blame: 'the engine',
    says: /engine/,
    run: dies(() => true, 'engine'),
  },
  {
    ...stored,
    what: 'engine',
    side: 'head',
    verdict: 'no_data',
    blame: 'the engine',
    says: /engine/,
    run: dies(() => true, 'engine'),
  },
  {
    ...paired,
    what: 'budget: no pair',
    side: '–',
    verdict: 'no_data',
    blame: 'the budget',
    says: /the budget left no time for a pair/,
    budget: '3s',
  },
  {
    ...stored,
    what: 'budget: no run',
    side: '–',
    verdict: 'no_data',
    blame: 'the budget',
    says: /the head has no value|no run of the head|budget/,
    budget: '1s',
  },
  {
    ...paired,
    what: 'budget: fewer pairs than can decide',
    side: '–',
    verdict: 'no_data',
    blame: 'the budget',
    says: /too few to find a change/,
    budget: '8s',
  },
  {
    ...paired,
    what: 'metrics: one that is judged is not reported',
    side: 'both',
    verdict: 'no_data',
    blame: 'the configuration or the workload',
    says: /judges p99, but no run of the warm-up reported it/,
    metrics: ', p99: {}',
  },
  {
    ...stored,
    what: 'metrics: one that is judged is not reported',
    side: 'head',
    verdict: 'no_data',
    blame: 'the configuration or the workload',
    says: /judges p99, but no run of the warm-up reported it/,
    metrics: ', p99: {}',
  },
  {
    ...paired,
    what: 'cancelled',
    side: '–',
    verdict: 'no_data',
    blame: 'whoever cancelled it',
    says: /cancelled/,
    cancelAt: 7,
  },
  {
    evidence: 'none',
    what: 'nothing, without a baseline',
    side: '–',
    verdict: 'no_baseline',
    blame: '–',
    says: /no stored session/,
  },
  {
    evidence: 'none',
    what: 'warm-up, without a baseline',
    side: 'head',
    verdict: 'failed',
    blame: 'this change',
    says: /exit status 1/,
    run: dies(of('head')),
  },
];

function worldOf(cell: Cell) {
  const controller = new AbortController();
  const measuredRuns = { baseline: 0, head: 0 };
  const times = { baseline: 0, head: 0 };
  const good: string[] = [];
  let calls = 0;
  let now = 0;
  const prepare = ({ variant, side, tree, filesFrom }: ImageRequest): Promise<Prepared> => {
    const stage = cell.build?.(side);
    if (stage !== undefined)
      return Promise.resolve({
        kind: 'failed',
        failure: { variant: variant.name, side, stage, message: `${variant.name}: ${side} does not build` },
      });
    const identity = cell.identical === true ? 'same' : side;
    return Promise.resolve({
      kind: 'ready',
      runnable: {
        image: {
          ...{ variant: variant.name, side, identity, id: identity, definitionHash: 'd' },
          engine: 'container',
          layers: [],
          origin: 'built',
        },
        ...{ python: 'python', flags: [], env: {}, workingDirectory: tree, filesFrom },
      },
    });
  };
  const answer = ({ runnable, repetitions, hashSeed }: RunRequest): RunResult => {
    const { side } = runnable.image;
    // The loop's warm-up and the trials have the seed 1.
    const n = hashSeed === 1 ? 0 : ++measuredRuns[side];
    const code = runnable.filesFrom === '/baseline-own' ? 'baseline' : 'head';
    const outcome = cell.run?.({ side, code, repetitions, n, time: ++times[side] }) ?? 'ok';
    const seconds = cell.seconds ?? 1;
    now += seconds * repetitions;
    calls += 1;
    if (calls === cell.cancelAt) controller.abort();
    if (outcome === 'ok') good.push(`${side} ${code}`);
    const words = { nonzero: 'the command ended with exit status 1' } as Partial<Record<string, string>>;
    return {
      ...{ outcome, declared: {}, noise: {}, exitStatus: outcome === 'ok' ? 0 : null },
      metrics: outcome === 'ok' ? { wall_time_s: seconds * (1 + n / 10_000) } : {},
      message: outcome === 'ok' ? undefined : (words[outcome] ?? `ended as ${outcome}`),
    };
  };
  const engine: Engine = {
    run: (request) => Promise.resolve(answer(request)),
    facts: () => Promise.resolve(facts()),
    cleanUp: () => Promise.resolve(),
  };
  const unused = () => Promise.reject(new Error('not asked here'));
  const pause = () => Promise.resolve();
  const clock = () => new Date(Date.UTC(2026, 0, 1) + now * 1000);
  const ports: Ports = {
    images: {
      check: () => Promise.resolve('Docker 26'),
      prepare,
      coldBuild: unused,
      compressedSize: unused,
      haveSameContent: () => Promise.resolve(false),
      push: unused,
    },
    hosts: { prepare },
    facts: () => engine.facts({} as Runnable),
    countInstructions: unused,
    measure: (request, signal) =>
      measureSession(
        {
          ...request,
          ...{ engines: { container: engine, host: engine }, clock, pause, onProgress: () => undefined },
          journal: { append: pause, describe: pause, close: pause, trouble: () => undefined },
        },
        signal,
      ),
    runTrials: (request, signal) => tryWorkload(request, engine, pause, signal),
    runOnce: ({ load, ...request }, signal) =>
      engine.run({ ...request, hashSeed: 1, ...(load === undefined ? {} : { load }) }, signal),
    profile: () => Promise.resolve({ profiler: 'cprofile', result: 'none here' }),
    keepProfile: unused,
    keepSession: () => Promise.resolve(),
    files: {
      hash: (folder) => {
        if (folder !== '/baseline') return Promise.resolve({ 'bench.py': 'new' });
        return cell.isNew === true
          ? Promise.reject(new ConfigurationError('bench.py is not there'))
          : Promise.resolve({ 'bench.py': cell.changed === true ? 'old' : 'new' });
      },
      overlay: () => Promise.resolve(),
    },
    machine: () => Promise.resolve(night(0, 1).machine),
    containerProcess: () => Promise.reject(new Error('only the doctor asks')),
    clock,
    log: { info: () => undefined, warn: () => undefined, step: () => undefined },
  };
  return { ports, good, signal: controller.signal };
}

const plan = ({ evidence, budget = '10m', metrics = '' }: Cell, files: string) =>
  planOf({
    workload: `{ files: [${files}], command: [python, bench.py] }`,
    metrics: `{ ${WALL_ALONE}${metrics} }`,
    rules: `{ blocks: 12, budget: ${budget}, evidence: ${evidence === 'none' ? 'auto' : evidence} }`,
  });

async function resultOf(cell: Cell, seed: number) {
  const own = plan(cell, 'bench.py');
  const { ports, good, signal } = worldOf(cell);
  const nights = Array.from({ length: 14 }, (_, index) => {
    const one = night(index, 1 + (index % 5) / 1000);
    return { ...one, workload: { ...one.workload, hash: workloadHash(own, { 'bench.py': 'new' }) } };
  });
  const request: GateRequest = {
    ...{ sessionId: 'this', plan: own, seed, toolVersion: '0.1.0', notes: [] },
    pair: {
      head: { directory: '/head' },
      baseline:
        cell.evidence === 'paired'
          ? { directory: '/baseline', ...(cell.isNew === true ? {} : { plan: own }) }
          : { unavailable: 'it is the first commit' },
    },
    source: { repository: 'owner/name', event: 'pull_request' },
    history: cell.evidence === 'stored' ? nights : [],
    knownImage: () => undefined,
  };
  const { session, comparison } = await gate(request, ports, signal);
  return { session, comparison, good };
}

const STATUS: Readonly<Partial<Record<Verdict, number>>> = { failed: 3, no_data: 3, regressed: 1 };

test.each(CELLS.map((cell) => [`${cell.what} (${cell.side}, ${cell.evidence})`, cell] as const))(
  '%s',
  async (_, cell) => {
    // The order of the sides does not change the verdict.
    for (const seed of [1, 2, 3, 4]) {
      const { session, comparison, good } = await resultOf(cell, seed);
      const status = exitStatus(comparison, session.rules.failOn);
      expect([comparison.verdict, status]).toEqual([cell.verdict, STATUS[cell.verdict] ?? 0]);
      const judged = comparison.rows.filter(({ metric }) => metric === 'wall_time_s');
      const said = [...judged.flatMap(({ warnings }) => warnings), ...comparison.warnings];
      if (cell.says.source !== '^$') expect(said.join('\n')).toMatch(cell.says);
      else expect(judged.flatMap(({ warnings }) => warnings)).toEqual([]);
      // Code that never ran must not pass. Only identical images pass without a run.
      if (status === 0 && !(cell.identical === true && cell.changed !== true))
        expect(good).toContain('head head');
      // The file gives the same verdict.
      expect(compareSession(session).verdict).toBe(comparison.verdict);
    }
  },
);

test('docs/verdicts.md has this table; UPDATE_GOLDEN=1 writes it', () => {
  const rows = CELLS.map(({ what, side, evidence, verdict, blame }) => [
    ...[what, side, evidence, `\`${verdict}\``, String(STATUS[verdict] ?? 0), blame],
  ]);
  const table = markdownTable([
    ['what fails', 'side', 'evidence', 'verdict', 'exit status', 'blame'],
    ...rows,
  ]);
  const [begin, end] = ['<!-- verdicts:begin -->\n\n', '\n\n<!-- verdicts:end -->'];
  const page = readFileSync('docs/verdicts.md', 'utf8');
  const [before = '', rest = ''] = page.split(begin);
  const [found, after = ''] = rest.split(end);
  if (process.env['UPDATE_GOLDEN'] === '1')
    writeFileSync('docs/verdicts.md', `${before}${begin}${table}${end}${after}`);
  expect(found).toBe(table);
});
