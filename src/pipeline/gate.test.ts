import { describe, expect, test } from '@jest/globals';
import { night } from '../session/session.test-support.ts';
import type { Runnable, RunResult } from '../measure/engine.ts';
import type { CountResult } from '../measure/counting/instruction-count.ts';
import type { Install } from '../plan/plan.ts';
import { planOf, WALL_ALONE } from '../plan/plan.test-support.ts';
import type { Run, Side } from '../session/run.ts';
import { facts } from '../session/facts.test-support.ts';
import type { CallGraph } from '../session/profile.ts';
import type { Session } from '../session/session.ts';
import { confirm } from './confirm.ts';
import type { GateRequest } from './gate-request.ts';
import { gate } from './gate.ts';
import { isAnchorDue, nightlyPlan, reloadFile } from './nightly.ts';
import type { ImageRequest, MeasureRequest, Ports, Prepared, SingleRun } from './ports.ts';
import { workloadHash } from './session.ts';

/** The use case with scripted ports: its calls, their order, and the result. */

const planWith = (metrics: string, workload = '') =>
  planOf({
    workload: `{ files: [bench.py], command: [python, bench.py]${workload} }`,
    variants: '{ a: { interpreter: debian }, b: { interpreter: official, python: "3.13" } }',
    metrics: `{ ${WALL_ALONE}${metrics} }`,
    rules: '{ blocks: 10, budget: 10m }',
  });
const plan = planWith('');
const judgingBuilds = planWith(', build_time_s: {}');
const counting = planWith('', ', timeout: 4s, instructions: cachegrind');

const onlyA = { ...counting, variants: counting.variants.filter(({ name }) => name === 'a') };

const result = (outcome: RunResult['outcome'], message?: string, seconds = 1): RunResult => ({
  outcome,
  metrics: outcome === 'ok' ? { wall_time_s: seconds } : {},
  declared: {},
  noise: {},
  exitStatus: outcome === 'ok' ? 0 : 1,
  message,
});

interface Script {
  /** The image of a variant's side. Defaults to the side's name. */
  readonly identity?: (request: ImageRequest) => string;
  readonly failing?: (request: ImageRequest) => boolean;
  /** How much slower the head is, in all variants or in each. */
  readonly factor?: number | ((variant: string) => number);
  readonly interrupted?: boolean;
  /** Valgrind's counts for a variant's side, by the number of the call; each takes a minute. */
  readonly counts?: (variant: string, side: Side, time: number) => number | string;
  /** The result of a single run of a workload on an image. */
  readonly runOnce?: (request: SingleRun) => RunResult;
  readonly noCounters?: string;
  /** Whether two images with different layers have the same content. */
  readonly sameContent?: (images: readonly [Runnable, Runnable]) => boolean;
  readonly openProbes?: readonly string[];
  /** The metrics that a variant's side reports, in its warm-up and in every run. */
  readonly reported?: (variant: string, side: Side) => Readonly<Record<string, number>>;
}

const runnable = ({ variant, side, tree, filesFrom }: ImageRequest, identity: string): Runnable => ({
  image: {
    variant: variant.name,
    side,
    engine: 'container',
    identity,
    id: identity,
    definitionHash: 'd',
    sizeBytes: 1000,
    layers: [],
    origin: 'built',
  },
  python: 'python',
  flags: variant.flags,
  env: {},
  workingDirectory: tree,
  filesFrom,
});

function world({
  identity,
  failing,
  factor = 1,
  interrupted = false,
  counts = () => 'nothing is counted here',
  noCounters,
  sameContent = () => false,
  openProbes = [],
  reported = () => ({}),
  runOnce = () => result('engine', 'nothing is tried here'),
}: Script = {}) {
  const asked: string[] = [];
  const warned: string[] = [];
  const kept: Session[] = [];
  const caps: number[] = [];
  const factorOf = (variant: string) => (typeof factor === 'number' ? factor : factor(variant));
  let seconds = 0;
  const measure = ({ variants, secondsLeft, planner }: MeasureRequest) => {
    const declaredMetrics = {};
    asked.push(`measure ${variants.map(({ variant }) => variant).join('+')} in ${secondsLeft} s`);
    const all = variants.flatMap(({ variant, sides }) =>
      Array.from({ length: 11 }, (_, block) =>
        (Object.keys(sides) as Side[]).map((side, place): Run => ({
          side,
          variant,
          block,
          position: place === 0 ? 0 : 1,
          attempt: 0,
          started: '2026-01-01T00:00:00.000Z',
          outcome: 'ok',
          metrics: {
            wall_time_s: (side === 'head' ? factorOf(variant) : 1) * (1 + (block - 1) / 1000),
            ...reported(variant, side),
          },
          noise: {},
          exitStatus: 0,
        })),
      ).flat(),
    );
    const [warmup, runs] = [all.filter(({ block }) => block === 0), all.filter(({ block }) => block > 0)];
    caps.push(
      planner.cap(new Map(variants.map(({ variant }) => [variant, 1])), secondsLeft, {
        warmup,
        failures: [],
        declaredMetrics,
      }),
    );
    return Promise.resolve({
      warmup,
      runs,
      failures: [],
      repetitions: {},
      declaredMetrics,
      ...(noCounters === undefined ? {} : { noCounters }),
      openProbes,
      blocksPlanned: undefined,
      blocksLeftOut: 0,
      secondsLeftOut: 0,
      interrupted,
    });
  };
  const prepare = (request: ImageRequest): Promise<Prepared> => {
    const { variant, side, known } = request;
    asked.push(`${variant.name} ${side}${known === undefined ? '' : ` known ${known}`}`);
    // Each image takes half a minute of the budget.
    seconds += 30;
    const failure = {
      variant: variant.name,
      side,
      stage: 'build',
      message: `${variant.name} does not build`,
    } as const;
    return Promise.resolve(
      failing?.(request) === true
        ? { kind: 'failed', failure }
        : { kind: 'ready', runnable: runnable(request, identity?.(request) ?? side) },
    );
  };
  const times = new Map<Runnable, number>();
  const countInstructions: Ports['countInstructions'] = ({ runnable: counted, secondsAtMost, tool }) => {
    const { variant, side } = counted.image;
    const time = (times.get(counted) ?? 0) + 1;
    times.set(counted, time);
    asked.push(`${tool} ${variant} ${side} in ${secondsAtMost} s`);
    seconds += 60;
    const found = counts(variant, side, time);
    return Promise.resolve<CountResult>(
      typeof found === 'string'
        ? { kind: 'failed', message: found }
        : { kind: 'counted', version: 'valgrind-3.19.0', seconds: 60, instructions: found, processes: 2 },
    );
  };
  const ports: Ports = {
    images: {
      check: () => Promise.resolve('Docker 26'),
      prepare,
      coldBuild: ({ variant, side }) => {
        asked.push(`cold ${variant.name} ${side}`);
        return Promise.resolve({ kind: 'built', cost: { seconds: 60, cpuSeconds: 90 } });
      },
      haveSameContent: (images) => Promise.resolve(sameContent(images)),
      compressedSize: ({ image }) => {
        asked.push(`compress ${image.variant} ${image.side}`);
        return Promise.resolve(1000);
      },
      push: ({ image }, commit) => {
        asked.push(`push ${image.variant} ${image.side} ${commit}`);
        return Promise.resolve(`registry/${image.variant}@sha256:${commit}`);
      },
    },
    hosts: { prepare },
    facts: () => Promise.resolve(facts()),
    countInstructions,
    runOnce: (request) => Promise.resolve(runOnce(request)),
    measure,
    runTrials: ({ runnable: { image }, code }) => {
      asked.push(`try ${image.variant} ${image.side} with the code of ${code}`);
      return Promise.resolve([
        {
          ...{ variant: image.variant, side: image.side, code, repetitions: 1, outcome: 'ok', exitStatus: 0 },
          metrics: {},
        },
      ]);
    },
    profile: ({ runnable: { image }, kind }) => {
      asked.push(`profile ${kind} ${image.variant} ${image.side}`);
      return Promise.resolve({ profiler: 'cprofile', result: profiled(image.side) });
    },
    keepSession: (session) => {
      kept.push(session);
      return Promise.resolve();
    },
    keepProfile: (name) => {
      asked.push(`keep ${name}`);
      return Promise.resolve();
    },
    files: {
      hash: (folder) => (asked.push(`hash ${folder}`), Promise.resolve({ 'bench.py': 'b' })),
      overlay: (from, to) => (asked.push(`overlay ${from} ${to}`), Promise.resolve()),
    },
    machine: () => Promise.resolve(night(0, 1).machine),
    containerProcess: () => Promise.reject(new Error('only the doctor asks')),
    clock: () => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)),
    log: { info: () => undefined, warn: (line) => void warned.push(line), step: () => undefined },
  };
  return { ports, asked, caps, warned, kept };
}

/** A call graph of one function, which takes as long as its side. */
const profiled = (side: Side, factor = 1.2): CallGraph => {
  const own = side === 'head' ? factor : 1;
  return {
    kind: 'time',
    functions: [{ file: 'app.py', name: 'work', line: 3, calls: 10, own, total: own }],
    calls: [],
    stacks: [],
    own,
    processes: 1,
    notes: [],
  };
};

/** The calls for a regressed variant after the last block. */
const looksInto = (variant: string) =>
  ['baseline', 'head'].flatMap((side) => [
    `profile time ${variant} ${side}`,
    `keep ${variant}-${side}-time.callgrind`,
    `keep ${variant}-${side}-time.speedscope.json`,
  ]);

const never = new AbortController().signal;
const request = (change: Partial<GateRequest> = {}): GateRequest => ({
  sessionId: 'this',
  plan,
  pair: { head: { directory: '/head' }, baseline: { directory: '/baseline' } },
  source: { repository: 'owner/name', event: 'pull_request' },
  seed: 1,
  toolVersion: '0.1.0',
  history: [],
  knownImage: () => undefined,
  notes: [],
  ...change,
});
const nights = (n: number): Session[] =>
  Array.from({ length: n }, (_, index) => {
    const one = night(index, 1 + (index % 5) / 1000);
    return { ...one, workload: { ...one.workload, hash: workloadHash(plan, { 'bench.py': 'b' }) } };
  });
const verdicts = (rows: readonly { variant: string; metric: string; verdict: string }[]) =>
  rows
    .filter(({ metric }) => metric === 'wall_time_s')
    .map(({ variant, verdict }) => `${variant} ${verdict}`);

test("the head's measuring code is laid over the baseline before anything is built; what is left of the budget is for measuring", async () => {
  const { ports, asked } = world({ factor: 1.2 });
  const { comparison, session } = await gate(request(), ports, never);
  expect(asked).toEqual([
    'hash /head',
    'hash /baseline',
    'overlay /head /baseline',
    'a baseline',
    'a head',
    'b baseline',
    'b head',
    'measure a+b in 480 s',
    ...looksInto('a'),
    ...looksInto('b'),
  ]);
  expect(verdicts(comparison.rows)).toEqual(['a regressed', 'b regressed']);
  expect(session).toMatchObject({
    id: 'this',
    seed: 1,
    sides: ['baseline', 'head'],
    machine: { engine: 'Docker 26' },
  });
});

describe('instructions', () => {
  const counted = async (script: Script, change: Partial<GateRequest> = {}) => {
    const { ports, asked } = world(script);
    const { session, comparison } = await gate(request({ plan: counting, ...change }), ports, never);
    const rows = comparison.rows.filter(({ metric }) => metric === 'valgrind_instructions');
    return {
      session,
      comparison,
      asked: asked.filter((one) => /grind|measure/.test(one)),
      rows: rows.map(({ variant, verdict, evidence }) => `${variant} ${verdict} ${evidence}`),
      warnings: rows.flatMap(({ warnings }) => warnings),
    };
  };

  test('are counted once on each side before the first block, in at most half of the remaining budget', async () => {
    const { session, asked, rows } = await counted({
      counts: (_, side) => (side === 'head' ? 1009 : 1000),
      identity: ({ variant, side }) => (variant.name === 'a' ? 'same' : side),
    });
    // The images took two of ten minutes; sixty times the workload's limit is 240 s.
    expect(asked).toEqual([
      'cachegrind b baseline in 240 s',
      'cachegrind b head in 180 s',
      'measure b in 360 s',
    ]);
    expect(session.images.map(({ counted: found }) => found)).toEqual([
      undefined,
      undefined,
      { tool: 'cachegrind', version: 'valgrind-3.19.0', counts: [1000], processes: 2, seconds: 60 },
      { tool: 'cachegrind', version: 'valgrind-3.19.0', counts: [1009], processes: 2, seconds: 60 },
    ]);
    expect(session.workload.instructions).toBe('cachegrind');
    expect(rows).toEqual(['b unchanged counted']);
  });

  test('that differ by the limit are counted again, and a side that differs from itself is not a change', async () => {
    const { session, asked, rows, comparison } = await counted({
      counts: (variant, side, time) =>
        variant === 'b' || side === 'baseline' ? 1000 : time === 1 ? 1015 : 1003,
    });
    expect(asked.slice(0, 4)).toEqual([
      'cachegrind a baseline in 240 s',
      'cachegrind a head in 180 s',
      'cachegrind a head in 120 s',
      'cachegrind a baseline in 60 s',
    ]);
    expect(session.images[0]?.counted).toMatchObject({ counts: [1000, 1000], seconds: 120 });
    expect(session.images[1]?.counted).toMatchObject({ counts: [1015, 1003], seconds: 120 });
    expect(rows[0]).toBe('a unchanged counted');
    // The images' sizes are equal, so only a count could cause a false alarm.
    expect(comparison.rows.some(({ verdict }) => verdict === 'regressed')).toBe(false);

    const clear = await counted({ counts: (_, side) => (side === 'head' ? 1100 : 1000) }, { plan: onlyA });
    expect(clear.rows).toEqual(['a regressed counted']);
    const unsteady = await counted(
      { counts: (_, side, time) => (side === 'head' ? 1100 : 1000) + (time === 1 ? 0 : 150) },
      { plan: onlyA },
    );
    expect(unsteady.rows).toEqual(['a inconclusive counted']);
    expect(unsteady.warnings).toEqual([
      'two counts of one side differ by up to 15.0 %, and the sides do not differ by more: this workload does not do the same work in each run',
    ]);
    // The sides differ, but by less than the baseline's own two counts.
    const near = await counted(
      { counts: (_, side, time) => (side === 'head' ? 1100 : time === 1 ? 1000 : 1055) },
      { plan: onlyA },
    );
    expect(near.rows).toEqual(['a inconclusive counted']);
  });

  test('that cannot be counted are never a green verdict', async () => {
    const { session, asked, rows, warnings, comparison } = await counted({
      counts: (_, side) => (side === 'head' ? 'it died\nTraceback' : 1000),
    });
    expect(rows).toEqual(['a no_data none', 'b no_data none']);
    expect(comparison.verdict).toBe('no_data');
    expect(warnings[0]).toBe("the head's instructions could not be counted: it died");
    expect(session.notes).toEqual(["a, b: the head's instructions could not be counted: it died\nTraceback"]);
    expect(session.images.map(({ counted: found }) => found)).toEqual(Array(4).fill(undefined));
    // The other variants are measured.
    expect(asked.at(-1)).toMatch(/^measure a\+b/);

    const again = await counted({
      counts: (_, side, time) => (time === 2 ? 'it died' : side === 'head' ? 1100 : 1000),
    });
    expect(again.rows[0]).toBe('a no_data none');
    const shown = planWith(
      ', valgrind_instructions: { gate: false }',
      ', timeout: 4s, instructions: cachegrind',
    );
    const ignored = await counted({ counts: () => 'it died' }, { plan: shown });
    expect(ignored.rows).toEqual([]);
    expect(ignored.comparison.verdict).toBe('unchanged');
    expect(ignored.session.notes).toHaveLength(1);
  });

  test('without time left are reported as not counted', async () => {
    const { asked, rows, warnings } = await counted({ counts: (_, side) => (side === 'head' ? 1100 : 1000) });
    // Four minutes of counting are four counts, all of the first variant.
    expect(asked.filter((one) => one.startsWith('cachegrind'))).toHaveLength(4);
    expect(rows).toEqual(['a regressed counted', 'b no_data none']);
    expect(warnings.at(-1)).toContain('half of what the budget had left was spent on counts before its turn');
  });

  test('are not counted if a side is missing, at night, or for a confirmation', async () => {
    const broken = await counted({
      counts: () => 1000,
      failing: ({ variant, side }) => variant.name === 'a' && side === 'head',
    });
    expect(broken.rows).toEqual(['a failed none', 'b unchanged counted']);
    const alone = await counted(
      { counts: () => 1000 },
      { pair: { head: { directory: '/head' }, baseline: { unavailable: 'it is the first commit' } } },
    );
    expect(alone.rows).toEqual(['a no_baseline none', 'b no_baseline none']);
    expect(alone.asked.join()).not.toContain('cachegrind');
    for (const purpose of ['nightly', 'anchor', 'confirmation', 'doctor'] as const) {
      const other = await counted({ counts: () => 1000 }, { purpose });
      expect(other.rows).toEqual([]);
      expect(other.asked.join()).not.toContain('cachegrind');
    }
  });
});

test('added variants are built and measured last, and their builds take at most a quarter of the time', async () => {
  const left: string[] = [];
  const { ports, asked } = world({
    failing: ({ variant, side, secondsLeft = 0 }) => {
      left.push(`${variant.name} ${side} ${Math.round(secondsLeft)}`);
      return false;
    },
  });
  const head = plan.workload;
  const { session } = await gate(
    request({
      measuring: {
        changes: [{ kind: 'variant_added', variant: 'a' }],
        head,
        base: { workload: head, trees: {} },
      },
    }),
    ports,
    never,
  );
  const budget = plan.budgetSeconds;
  expect(left).toEqual([
    `b baseline ${budget}`,
    `b head ${budget - 30}`,
    `a baseline ${(budget - 60) / 4}`,
    `a head ${(budget - 60) / 4 - 30}`,
  ]);
  expect(asked.find((line) => line.startsWith('measure'))).toMatch(/^measure b\+a in /);
  expect(session.variants).toEqual(['a', 'b']);
});

test('a probe that its workload could write to is reported', async () => {
  const { session } = await gate(request(), world({ openProbes: ['a'] }).ports, never);
  expect(session.notes).toEqual([
    'The workload could write to the memory of its probe (a): the interpreter has no ctypes, which the probe needs to keep it out. Only CPU time is checked from outside.',
  ]);
});

test('counters that a machine does not have are reported once, with the tool that counts without them', async () => {
  const { ports } = world({ noCounters: 'ENOENT' });
  const { session, comparison } = await gate(
    request({ plan: planWith('', ', instructions: counters') }),
    ports,
    never,
  );
  expect(session.notes).toEqual([
    "The hardware's counters did not count (workload.instructions: counters): this machine has no counters that a program may use; most virtual machines have none (ENOENT). instructions: cachegrind counts without them.",
  ]);
  expect(comparison.verdict).toBe('unchanged');
  // The probe's settings are part of the workload; valgrind's separate runs are not.
  const files = { 'bench.py': 'b' };
  const hash = (how: string) => workloadHash(planWith('', `, instructions: ${how}`), files);
  expect(hash('cachegrind')).toBe(hash('none'));
  expect(hash('counters')).not.toBe(hash('none'));
});

test('a figure of the builds is measured where it is judged or asked for, before the first block', async () => {
  const one = world({ identity: ({ variant, side }) => (variant.name === 'a' ? 'same' : side) });
  const { comparison, session } = await gate(request({ plan: judgingBuilds }), one.ports, never);
  expect(one.asked.slice(-3)).toEqual(['cold b baseline', 'cold b head', 'measure b in 480 s']);
  expect(session.images.map(({ coldBuild }) => coldBuild?.seconds)).toEqual([undefined, undefined, 60, 60]);
  expect(comparison.rows.filter(({ metric }) => metric.startsWith('build_'))).toMatchObject([
    { variant: 'b', metric: 'build_time_s', verdict: 'unchanged', evidence: 'once' },
    { variant: 'b', metric: 'build_cpu_time_s', verdict: 'info', evidence: 'once' },
  ]);
  // It is outside the family of tests, whether or not it is judged.
  const plain = await gate(request(), world({}).ports, never);
  const all = await gate(request({ plan: judgingBuilds }), world({}).ports, never);
  expect(all.comparison.family.tests).toBe(plain.comparison.family.tests);

  const compressed = world({});
  await gate(request({ figures: { compressed: true } }), compressed.ports, never);
  expect(compressed.asked.filter((line) => line.startsWith('compress'))).toEqual([
    'compress a baseline',
    'compress a head',
    'compress b baseline',
    'compress b head',
  ]);
});

test('a judged build time that could not be measured is no_data and never passes; a shown one is left out', async () => {
  const lost = world({});
  const ports = {
    ...lost.ports,
    images: {
      ...lost.ports.images,
      coldBuild: () => Promise.resolve({ kind: 'failed', message: 'no mirror' } as const),
    },
  };
  const { comparison } = await gate(request({ plan: judgingBuilds }), ports, never);
  expect(comparison.verdict).toBe('no_data');
  expect(comparison.rows.filter(({ verdict }) => verdict === 'no_data')).toMatchObject([
    { variant: 'a', metric: 'build_time_s' },
    { variant: 'b', metric: 'build_time_s' },
  ]);
  const shown = await gate(request({ figures: { coldBuilds: 'all' } }), ports, never);
  expect(shown.comparison.rows.some(({ metric }) => metric.startsWith('build_'))).toBe(false);
});

test('a variant whose sides are one image is not measured; with all of them nothing is', async () => {
  const some = world({ identity: ({ variant, side }) => (variant.name === 'a' ? 'same' : side) });
  await gate(request(), some.ports, never);
  expect(some.asked.at(-1)).toBe('measure b in 480 s');
  const all = world({ identity: () => 'same' });
  const { comparison } = await gate(request(), all.ports, never);
  expect(all.asked.at(-1)).toBe('b head');
  expect(comparison.verdict).toBe('unchanged');
});

test('a side that is not available is a row of the result, and the other variants continue', async () => {
  const broken = world({ failing: ({ variant, side }) => variant.name === 'a' && side === 'head' });
  const head = await gate(request(), broken.ports, never);
  expect(verdicts(head.comparison.rows)).toEqual(['a failed', 'b unchanged']);
  const lost = world({ failing: ({ variant, side }) => variant.name === 'a' && side === 'baseline' });
  const baseline = await gate(request(), lost.ports, never);
  expect(lost.asked.slice(-2)).toEqual(['measure b in 480 s', 'try a head with the code of head']);
  expect(verdicts(baseline.comparison.rows)).toEqual(['a no_baseline', 'b unchanged']);
});

test('without a baseline and without a stored night, the head is tried and the job does not fail', async () => {
  const { ports, asked } = world();
  const pair = { head: { directory: '/head' }, baseline: { unavailable: 'this is the first commit' } };
  const { comparison, session } = await gate(request({ pair }), ports, never);
  expect(asked).toEqual([
    'hash /head',
    'a head',
    'b head',
    'try a head with the code of head',
    'try b head with the code of head',
  ]);
  expect(comparison.verdict).toBe('no_baseline');
  expect(session.notes).toEqual(['There is no baseline to compare with: this is the first commit']);
});

test('without a baseline, fourteen nights of this machine judge', async () => {
  const { ports } = world({ factor: 1.2 });
  const pair = { head: { directory: '/head' }, baseline: { unavailable: 'it is gone' } };
  const { comparison, session } = await gate(request({ pair, history: nights(14) }), ports, never);
  expect(verdicts(comparison.rows)).toEqual(['a regressed', 'b no_baseline']);
  expect(comparison.rows[0]).toMatchObject({ evidence: 'stored' });
  expect(session.nights).toHaveLength(14);
});

test('evidence: stored runs no second side', async () => {
  const { ports, asked } = world({ factor: 1.2 });
  const stored = { ...plan, rules: { ...plan.rules, evidence: 'stored' } } as const;
  const { comparison } = await gate(request({ plan: stored, history: nights(14) }), ports, never);
  expect(asked).toEqual(['hash /head', 'a head', 'b head', 'measure a+b in 540 s']);
  expect(verdicts(comparison.rows)).toEqual(['a regressed', 'b no_baseline']);
});

test('the baseline is pulled by the digest in the history, and built with its own configuration', async () => {
  const { ports, asked } = world();
  const moved = {
    ...plan,
    variants: plan.variants.map((variant) =>
      variant.name === 'b' ? { ...variant, name: 'b', flags: ['-O'] } : variant,
    ),
  };
  const pair = { head: { directory: '/head' }, baseline: { directory: '/baseline', plan: moved } };
  const known = 'ghcr.io/o/n/b@sha256:c0ffee';
  const { session } = await gate(
    request({
      pair,
      knownImage: ({ name, flags }) => (name === 'b' && flags[0] === '-O' ? known : undefined),
    }),
    ports,
    never,
  );
  expect(asked).toContain(`b baseline known ${known}`);
  expect(session.images.map(({ variant, side }) => `${variant} ${side}`)).toEqual([
    'a baseline',
    'a head',
    'b baseline',
    'b head',
  ]);
});

test('identical sides are not measured, and the report gives the reason; the other variant is measured', async () => {
  const { ports, asked } = world({ sameContent: ([{ image }]) => image.variant === 'a' });
  const { session, comparison } = await gate(request(), ports, never);
  expect(asked.filter((question) => question.startsWith('measure'))).toEqual([
    expect.stringMatching(/^measure b in/),
  ]);
  expect(session.notes).toContain(
    'a: same content, not measured. The layers of the two sides differ in the times of their files only; paths, modes, owners and contents are equal.',
  );
  expect(session.notes.filter((note) => note.startsWith('b: same content'))).toEqual([]);
  const evidence = (variant: string) =>
    new Set(comparison.rows.filter((row) => row.variant === variant && row.gated).map((row) => row.evidence));
  expect([...evidence('a')]).toEqual(['identical']);
  expect([...evidence('b')]).toContain('paired');
});

test('the same content that is started another way is measured', async () => {
  const { ports, asked } = world({ sameContent: () => true });
  const flagged = {
    ...plan,
    variants: plan.variants.map((variant) => ({ ...variant, flags: ['-O'] })),
  };
  const pair = { head: { directory: '/head' }, baseline: { directory: '/baseline', plan: flagged } };
  await gate(request({ pair }), ports, never);
  expect(asked.filter((question) => question.startsWith('measure'))).toHaveLength(1);
});

test('each side is built by the Dockerfile that its own configuration names', async () => {
  const dockerfiles = async (baseline: string | undefined, head: string | undefined) => {
    const named = (dockerfile: string | undefined) => ({
      ...plan,
      workload: { ...plan.workload, dockerfile },
    });
    const asked: unknown[] = [];
    const { ports } = world({
      failing: ({ side, own }) => {
        asked.push([side, own === undefined ? "the plan's" : own.dockerfile]);
        return false;
      },
    });
    const pair = {
      head: { directory: '/head' },
      baseline: { directory: '/baseline', plan: named(baseline) },
    };
    await gate(request({ plan: named(head), pair }), ports, never);
    return asked.slice(0, 2);
  };
  // The head's Dockerfile is the plan's.
  expect(await dockerfiles('Dockerfile', 'docker/Dockerfile')).toEqual([
    ['baseline', 'Dockerfile'],
    ['head', "the plan's"],
  ]);
  expect(await dockerfiles(undefined, 'Dockerfile')).toEqual([
    ['baseline', undefined],
    ['head', "the plan's"],
  ]);
});

test('each side installs the packages of its own configuration', async () => {
  const installing = (install: Install | undefined) => ({ ...plan, workload: { ...plan.workload, install } });
  const bench = { groups: ['bench'], extras: [], packages: [] };
  const asked: unknown[] = [];
  const { ports } = world({
    failing: ({ side, own }) => {
      asked.push([side, own === undefined ? 'of the plan' : own.install]);
      return false;
    },
  });
  // The baseline's files lack a group that the change adds.
  const pair = {
    head: { directory: '/head' },
    baseline: { directory: '/baseline', plan: installing(undefined) },
  };
  await gate(request({ plan: installing(bench), pair }), ports, never);
  expect(asked.slice(0, 2)).toEqual([
    ['baseline', undefined],
    ['head', 'of the plan'],
  ]);
});

test('a run that was cancelled is reported as that and keeps its measurements', async () => {
  const { ports } = world({ interrupted: true });
  const { interrupted, session } = await gate(request(), ports, never);
  expect(interrupted).toBe(true);
  expect(session.runs).toHaveLength(40);
});

const slowB = (variant: string) => (variant === 'b' ? 1.2 : 1);

test('a second job measures again what regressed, eight blocks of it, and nothing else', async () => {
  const { session } = await gate(request(), world({ factor: slowB }).ports, never);
  const first = [{ session, file: 'first.json' }];
  const again = world({ factor: slowB });
  const both = await confirm({ ...request({ sessionId: 'second', seed: 2 }), first }, again.ports, never);
  expect(again.asked).toEqual([
    'hash /head',
    'hash /head',
    'hash /baseline',
    'overlay /head /baseline',
    'b baseline',
    'b head',
    'measure b in 540 s',
  ]);
  expect(again.caps).toEqual([8]);
  expect(verdicts(both.comparison.rows)).toEqual(['a unchanged', 'b regressed']);
  expect(both.parts.confirmations).toMatchObject([
    { id: 'second', purpose: 'confirmation', seed: 2, variants: ['b'], rules: { blocks: 10 } },
  ]);
  const quiet = await confirm({ ...request({ sessionId: 'third' }), first }, world().ports, never);
  expect(verdicts(quiet.comparison.rows)).toEqual(['a unchanged', 'b inconclusive']);
});

test('where nothing regressed, the second job builds nothing and repeats the verdict', async () => {
  const { session, comparison } = await gate(request(), world().ports, never);
  const { ports, asked } = world();
  const again = await confirm({ ...request(), first: [{ session, file: 'first.json' }] }, ports, never);
  expect(asked).toEqual(['hash /head']);
  expect(again).toMatchObject({ comparison, parts: { gates: [{ id: 'this' }], confirmations: [] } });
});

test.each<[string, (session: Session) => Session, RegExp]>([
  [
    'another head',
    (session) => ({ ...session, source: { ...session.source, head: { commit: 'aaa', dirty: false } } }),
    /the head: first\.json has aaa, this checkout has no commit; expected: one/,
  ],
  [
    'another workload',
    (session) => ({ ...session, workload: { ...session.workload, hash: 'v' } }),
    /the workload's hash: first\.json has v, this checkout has [0-9a-f]{64}/,
  ],
  ['a night', (session) => ({ ...session, purpose: 'nightly' }), /found a session of purpose nightly/],
])('%s is not confirmed, and nothing is built', async (_, change, message) => {
  const { session } = await gate(request(), world({ factor: 1.2 }).ports, never);
  const { ports, asked } = world();
  const first = [{ session: change(session), file: 'first.json' }];
  await expect(confirm({ ...request(), first }, ports, never)).rejects.toThrow(message);
  expect(asked).toEqual(['hash /head']);
});

test('the rules here hold, not those that the first session carries', async () => {
  const { session } = await gate(request(), world({ factor: 1.2 }).ports, never);
  const loosened = {
    ...session,
    rules: { ...session.rules, metrics: session.rules.metrics.map((rule) => ({ ...rule, limit: 9 })) },
  };
  const first = [{ session: loosened, file: 'first.json' }];
  const { comparison } = await confirm(
    { ...request({ sessionId: 'second' }), first },
    world({ factor: 1.2 }).ports,
    never,
  );
  expect(verdicts(comparison.rows)).toEqual(['a regressed', 'b regressed']);
});

describe('a night', () => {
  const commit = { commit: 'c0ffee', dirty: false };
  const pair = { head: { directory: '/head', commit }, baseline: { directory: '/baseline', commit } };
  const night = (change: Partial<GateRequest> = {}) =>
    request({ purpose: 'nightly', plan: nightlyPlan(plan), pair, ...change });

  test('measures the same image on both sides in a check-up too', async () => {
    const { ports, asked } = world({ identity: () => 'same' });
    const { session } = await gate(night({ purpose: 'doctor' }), ports, never);
    expect(asked.at(-1)).toBe('measure a+b in 480 s');
    expect(session).toMatchObject({ purpose: 'doctor', sides: ['baseline', 'head'] });
  });

  test('measures the same image on both sides, with the looks of a gate, and pushes only the baseline', async () => {
    const { ports, asked, caps } = world({ identity: () => 'same' });
    const { session, comparison } = await gate(night({ push: true }), ports, never);
    expect(asked.filter((one) => one.startsWith('push'))).toEqual([
      'push a baseline c0ffee',
      'push b baseline c0ffee',
    ]);
    expect(asked.at(-1)).toBe('measure a+b in 480 s');
    expect(caps).toEqual([10]);
    expect(session).toMatchObject({ purpose: 'nightly', sides: ['baseline', 'head'] });
    expect(session.images.map(({ side, digest }) => [side, digest])).toEqual([
      ['baseline', 'registry/a@sha256:c0ffee'],
      ['head', undefined],
      ['baseline', 'registry/b@sha256:c0ffee'],
      ['head', undefined],
    ]);
    expect(verdicts(comparison.rows)).toEqual(['a unchanged', 'b unchanged']);
  });

  test('runs both sides where a pull request is judged by stored sessions', async () => {
    const { ports } = world();
    const stored = { ...plan, rules: { ...plan.rules, evidence: 'stored' } } as const;
    const { session } = await gate(night({ plan: nightlyPlan(stored) }), ports, never);
    expect(session).toMatchObject({ sides: ['baseline', 'head'], rules: { evidence: 'paired' } });
  });

  test('has the baseline’s image on both sides where the two are named apart', () => {
    const given = { image: 'app:new', baselineImage: 'app:old', python: 'python' } as const;
    const named = {
      ...plan,
      variants: [{ name: 'x', flags: [], env: {}, kind: 'image', ...given } as const],
    };
    expect(nightlyPlan(named).variants).toEqual([
      expect.objectContaining({ image: 'app:old', baselineImage: undefined }),
    ]);
  });

  test('has its own file in its head, unless that would change the measuring code', () => {
    expect(reloadFile(plan)?.path).toBe('.pacegate-night');
    for (const whole of ['.', './', './.'])
      expect(
        reloadFile({ ...plan, workload: { ...plan.workload, files: ['bench.py', whole] } }),
      ).toBeUndefined();
  });

  test('shows the planner of later gates its noise, and the anchor’s session does not', async () => {
    const { ports } = world({ factor: 1.002 });
    const { session } = await gate(night({ sessionId: 'n1' }), ports, never);
    const anchor = { ...session, id: 'a1', purpose: 'anchor' as const };
    const later = await gate(request({ history: [session, anchor] }), world().ports, never);
    expect(later.session.nights).toEqual([
      expect.objectContaining({
        session: 'n1',
        residuals: { a: { wall_time_s: expect.any(Array) }, b: { wall_time_s: expect.any(Array) } },
      }),
    ]);
    expect(later.comparison.rows[0]?.detectable).toBeGreaterThan(0.02);
  });
});

test('the warm-up resolves a pattern, the log lists its metrics, and the file no longer needs it', async () => {
  const patterned = planWith(", 'test_*': { limit: 5% }, wall_time_s: { gate: false }");
  const { ports, warned } = world({
    reported: (variant, side) => ({
      ...(side === 'head' ? { test_new: 1 } : {}),
      test_both: side === 'head' ? 1.3 : 1,
      ...(variant === 'b' ? { test_b: 1 } : {}),
    }),
  });
  const { session, comparison } = await gate(request({ plan: patterned }), ports, never);
  expect(warned).toEqual([
    'Only the head reports test_new (a, b): shown and not judged, because there is nothing to compare it with.',
  ]);
  expect(comparison.warnings).toEqual(warned);
  expect(session.rules.metrics.filter(({ pattern }) => pattern !== undefined)).toMatchObject([
    { name: 'test_both', limit: 0.05, pattern: { text: 'test_*', variants: ['a', 'b'] } },
    { name: 'test_b', pattern: { text: 'test_*', variants: ['b'] } },
  ]);
  expect(comparison.family.tests).toBe(3);
  expect(comparison.rows.filter(({ verdict }) => verdict === 'regressed')).toMatchObject([
    { variant: 'a', metric: 'test_both' },
    { variant: 'b', metric: 'test_both' },
  ]);
  // A night of the same variants has the same rules.
  const nightly = await gate(request({ plan: patterned, purpose: 'nightly' }), world({}).ports, never);
  expect(nightly.session.rules.patterns).toEqual(patterned.rules.patterns);
  expect(nightly.comparison.rows.filter(({ metric }) => metric === 'test_*')).toMatchObject([
    { variant: 'a', verdict: 'no_data' },
    { variant: 'b', verdict: 'no_data' },
  ]);
});

test('a comparison with the anchor is measured to the end, decided or not', async () => {
  const settledAtTheEnd = async (change: Partial<GateRequest>) => {
    const { ports } = world({ factor: 1.2 });
    let decided: number | undefined;
    const measure: Ports['measure'] = async (asked, signal) => {
      const measured = await ports.measure(asked, signal);
      const { runs, failures } = measured;
      decided = asked.planner.progress({ warmup: [], runs, failures, blocksPlanned: 10, declaredMetrics: {} })
        .decided.size;
      return measured;
    };
    await gate(request(change), { ...ports, measure }, never);
    return decided;
  };
  expect(await settledAtTheEnd({})).toBe(2);
  expect(await settledAtTheEnd({ purpose: 'anchor', until: 'all' })).toBe(0);
});

test.each([
  [undefined, true],
  ['2026-01-01T03:00:00Z', true],
  ['2026-01-02T03:00:00Z', false],
])('the anchor compared with at %s is due a week later: %s', (last, due) => {
  // Six and a half days, so that a night that starts an hour early still counts.
  expect(isAnchorDue(last, new Date('2026-01-08T02:00:00Z'))).toBe(due);
});

describe('why something regressed', () => {
  const withProfiler = (profiler: 'none' | 'cprofile') => ({
    ...plan,
    workload: { ...plan.workload, profiler },
  });

  test('one more run of each side of a regressed variant, and the session keeps its profile', async () => {
    const { ports, asked } = world({ factor: (variant) => (variant === 'b' ? 1.2 : 1) });
    const { session } = await gate(request(), ports, never);
    expect(asked.filter((line) => /profile|keep/.test(line))).toEqual(looksInto('b'));
    expect(session.explanations).toMatchObject([
      {
        variant: 'b',
        kind: 'time',
        profiler: 'cprofile',
        sides: { baseline: { own: 1 }, head: { own: 1.2, functions: [{ name: 'work', own: 1.2 }] } },
      },
    ]);
  });

  test('nothing if nothing regressed, if it is turned off, at night, and in a second session', async () => {
    for (const [factor, change] of [
      [1, {}],
      [1.2, { plan: withProfiler('none') }],
      [1.2, { purpose: 'nightly' }],
      [1.2, { purpose: 'doctor' }],
      [1.2, { purpose: 'confirmation' }],
    ] as const) {
      const { ports, asked } = world({ factor });
      const { session } = await gate(request(change), ports, never);
      expect(asked.filter((line) => /profile|keep/.test(line))).toEqual([]);
      expect(session).not.toHaveProperty('explanations');
    }
  });

  test('a profile that cannot be recorded is reported, and changes no verdict', async () => {
    const { ports, asked } = world({ factor: (variant) => (variant === 'b' ? 1.2 : 1) });
    const { session, comparison } = await gate(
      request(),
      {
        ...ports,
        profile: ({ runnable: { image } }) =>
          Promise.resolve({
            profiler: 'cprofile',
            result: image.side === 'head' ? 'the command was ended by SIGSEGV' : profiled(image.side),
          }),
      },
      never,
    );
    expect(comparison.verdict).toBe('regressed');
    expect(session.explanations).toMatchObject([
      {
        variant: 'b',
        sides: { baseline: { own: 1 } },
        problem: 'b (head), under a profiler: the command was ended by SIGSEGV',
      },
    ]);
    expect(session.explanations?.[0]?.sides).not.toHaveProperty('head');
    expect(asked.filter((line) => line.startsWith('keep'))).toHaveLength(2);
  });

  test('three variants at most', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const many = planOf({
      workload: '{ files: [bench.py], command: [python, bench.py] }',
      variants: `{ ${names.map((name, index) => `${name}: { interpreter: debian, env: { N: "${index}" } }`).join(', ')} }`,
      metrics: `{ ${WALL_ALONE} }`,
      rules: '{ blocks: 10, alpha: 0.4, budget: 60m }',
    });
    const { ports, asked } = world({ factor: 1.2 });
    await gate(request({ plan: many }), ports, never);
    expect(asked.filter((line) => line.startsWith('profile'))).toHaveLength(6);
  });
});

test('samples are stored before they are judged, so an error while judging loses nothing', async () => {
  // A value that no run can have. The verdict throws on it, as it would for a fault of the program.
  const { ports, kept } = world();
  const broken: Ports = {
    ...ports,
    measure: async (asked, signal) => {
      const measured = await ports.measure(asked, signal);
      return {
        ...measured,
        runs: measured.runs.map((run) => ({ ...run, metrics: null as unknown as Run['metrics'] })),
      };
    },
  };
  await expect(gate(request(), broken, never)).rejects.toThrow(TypeError);
  expect(kept.map(({ id, runs }) => [id, runs.length])).toContainEqual(['this', 40]);
});
