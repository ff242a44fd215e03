import { expect, test } from '@jest/globals';
import { rankVariants } from '../ranking/rank.ts';
import { night } from '../session/session.test-support.ts';
import { planOf, WALL_ALONE } from '../plan/plan.test-support.ts';
import { facts } from '../session/facts.test-support.ts';
import type { Run } from '../session/run.ts';
import type { ImageRequest, MeasureRequest, Ports, Prepared } from './ports.ts';
import { rank, referenceIn, type RankOptions } from './rank-session.ts';

/** The use case with scripted ports: its calls, their order, and the result. */

const plan = planOf({
  workload: '{ files: [bench.py], command: [python, bench.py] }',
  variants:
    '{ a: { interpreter: debian }, b: { interpreter: debian, flags: [-O] }, c: { interpreter: debian, flags: [-OO] } }',
  metrics: `{ ${WALL_ALONE} }`,
  rules: '{ blocks: 30, budget: 10m }',
});
const never = new AbortController().signal;

function world(failing: readonly string[] = []) {
  const asked: string[] = [];
  let seconds = 0;
  const prepare = ({ variant, side, tree, filesFrom }: ImageRequest): Promise<Prepared> => {
    const { name } = variant;
    asked.push(`build ${name}`);
    seconds += 30;
    if (failing.includes(name))
      return Promise.resolve({
        kind: 'failed',
        failure: { variant: name, side, stage: 'build', message: `${name} does not build` },
      });
    return Promise.resolve({
      kind: 'ready',
      runnable: {
        image: {
          variant: name,
          side,
          engine: 'container',
          identity: name,
          id: name,
          definitionHash: name,
          sizeBytes: 1000,
          layers: [],
          origin: 'built',
        },
        python: 'python',
        flags: [],
        env: {},
        workingDirectory: tree,
        filesFrom,
      },
    });
  };
  const measure = ({ plan: measured, variants, secondsLeft }: MeasureRequest) => {
    asked.push(`measure ${variants.map(({ variant }) => variant).join('+')} in ${secondsLeft} s`);
    const runs = variants.flatMap(({ variant }) =>
      Array.from({ length: measured.rules.blocks }, (_, index): Run => ({
        side: 'head',
        variant,
        block: index + 1,
        position: 0,
        attempt: 0,
        started: '2026-01-01T00:00:00.000Z',
        outcome: 'ok',
        metrics: { wall_time_s: variant === 'b' ? 2 : 1 },
        noise: {},
        exitStatus: 0,
      })),
    );
    return Promise.resolve({
      warmup: [],
      runs,
      failures: [],
      repetitions: {},
      declaredMetrics: {},
      blocksPlanned: undefined,
      blocksLeftOut: 0,
      secondsLeftOut: 0,
      interrupted: false,
    });
  };
  const ports: Ports = {
    images: {
      check: () => Promise.resolve('Docker 26'),
      prepare,
      coldBuild: ({ variant }) => {
        asked.push(`cold ${variant.name}`);
        seconds += 1000;
        return Promise.resolve({ kind: 'built', cost: { seconds: 60, cpuSeconds: 90 } });
      },
      haveSameContent: () => Promise.resolve(false),
      compressedSize: ({ image }) => {
        asked.push(`compress ${image.variant}`);
        return Promise.resolve(500);
      },
      push: () => Promise.reject(new Error('nothing is pushed here')),
    },
    hosts: { prepare },
    facts: () => Promise.resolve(facts()),
    runTrials: () => Promise.reject(new Error('not asked here')),
    countInstructions: () => Promise.reject(new Error('nothing is counted here')),
    runOnce: () => Promise.reject(new Error('nothing is tried here')),
    measure,
    profile: () => Promise.reject(new Error('a ranking has nothing to explain')),
    keepProfile: () => Promise.resolve(),
    keepSession: () => Promise.resolve(),
    files: { hash: () => Promise.resolve({ 'bench.py': 'b' }), overlay: () => Promise.resolve() },
    machine: () => Promise.resolve(night(0, 1).machine),
    containerProcess: () => Promise.reject(new Error('only the doctor asks')),
    clock: () => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)),
    log: { info: () => undefined, warn: () => undefined, step: () => undefined },
  };
  return { ports, asked };
}

const ranked = async (options: Partial<RankOptions>, ports: Ports) =>
  await rank(
    {
      sessionId: 'this',
      plan,
      side: 'head',
      tree: { directory: '/head' },
      source: { repository: 'owner/name', event: 'terminal' },
      seed: 1,
      toolVersion: '0.1.0',
      notes: [],
    },
    { reference: undefined, work: undefined, blocks: undefined, coldBuilds: false, ...options },
    ports,
    never,
  );

test('one side of all variants; sizes are read, and builds without a cache only on request', async () => {
  const { ports, asked } = world();
  const { session } = await ranked({ blocks: 12, coldBuilds: true }, ports);
  expect(asked).toEqual([
    ...['build a', 'build b', 'build c'],
    ...['compress a', 'cold a', 'compress b', 'cold b', 'compress c', 'cold c'],
    // Ten minutes less the time for building. Additional builds do not use the time for measuring.
    'measure a+b+c in 510 s',
  ]);
  expect(session).toMatchObject({ purpose: 'ranking', ranking: { reference: 'a' }, rules: { blocks: 12 } });
  const ranking = rankVariants(session);
  expect(ranking.variants.find(({ variant }) => variant === 'b')).toMatchObject({
    build: { seconds: 60, cpuSeconds: 90 },
    rows: expect.arrayContaining([
      expect.objectContaining({ metric: 'wall_time_s', verdict: 'worse', n: 12 }),
      expect.objectContaining({ metric: 'image_compressed_bytes', median: 500 }),
    ]) as unknown,
  });
  const plain = world();
  await ranked({}, plain.ports);
  expect(plain.asked.filter((what) => what.startsWith('cold'))).toEqual([]);
});

test('a variant that does not build is left out, and the others continue', async () => {
  const { ports, asked } = world(['c']);
  const { session } = await ranked({ reference: 'b' }, ports);
  expect(asked.at(-1)).toBe('measure a+b in 510 s');
  expect(rankVariants(session).variants.at(-1)).toMatchObject({ variant: 'c', failure: 'c does not build' });
});

test('a reference that does not build ends it before the first run', async () => {
  const { ports, asked } = world(['a']);
  await expect(ranked({}, ports)).rejects.toMatchObject({
    exitStatus: 3,
    message: expect.stringContaining(
      'a is the reference of the ranking, but it is not available: a does not build',
    ) as unknown,
  });
  expect(asked.some((what) => what.startsWith('measure'))).toBe(false);
});

test('the reference is the first variant, or the one that was named', () => {
  expect(referenceIn(plan, undefined)).toBe('a');
  expect(referenceIn(plan, 'c')).toBe('c');
  expect(() => referenceIn(plan, 'd')).toThrow('--reference: found "d"; expected: a, b, c.');
  expect(() => referenceIn({ ...plan, variants: plan.variants.slice(0, 1) }, undefined)).toThrow(
    'found only a',
  );
});
