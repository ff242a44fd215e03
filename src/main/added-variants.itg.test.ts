import { afterAll, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { application, sessionIn } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** A change that adds many variants does not reduce the tests, blocks or time of its base's variants. */

jest.setTimeout(300_000);
afterAll(removeTemporaryFolders);

const BUDGET_SECONDS = 50;
const BLOCKS = 10;
const ADDED = Array.from({ length: 40 }, (_, n) => `added-${n}`);

const configuration = (added: readonly string[]) => `version: 1
workload: { files: [bench.py], command: [python, bench.py], repetitions: 1, profiler: none }
variants:
  ours: { interpreter: host, python: python3 }
${added.map((name) => `  ${name}: { interpreter: host, python: python3, env: { NAME: ${name} } }\n`).join('')}metrics:
  wall_time_s: { gate: false }
  max_rss_bytes: { gate: false }
  cpu_time_s: { limit: 20% }
rules: { blocks: ${BLOCKS}, budget: ${BUDGET_SECONDS}s }
`;

interface Answer {
  readonly family: { readonly tests: number };
  readonly results: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly verdict: string;
    readonly blocks: number;
  }[];
}

/** Gates a change that does fifteen times the work and adds variants. */
async function gateLoss(added: readonly string[]) {
  const { path, write, commit } = repository();
  write('pacegate.yml', configuration([]));
  write('bench.py', 'from app import work\n\nwork()\n');
  write('app.py', application(100_000));
  commit('one');
  write('pacegate.yml', configuration(added));
  write('app.py', application(1_500_000));
  commit('slower');
  const { status, out, log } = await pacegate(path, [
    ...['gate', '--baseline', 'HEAD~1', '--config', 'pacegate.yml', '--seed', '7', '--format', 'json'],
  ]);
  // The status is 3 if the machine is too slow for all variants.
  expect({ status, log: status === 1 || status === 3 ? '' : log }).toEqual({ status, log: '' });
  const { family, results } = JSON.parse(out) as Answer;
  const session = sessionIn(path);
  const { variant, verdict, blocks } = results.find(({ metric }) => metric === 'cpu_time_s') ?? results[0]!;
  return {
    status,
    session,
    log,
    /** The verdict for the base's variant, its family and its cap. */
    base: { variant, verdict, blocks, tests: family.tests, cap: session.budget.blocksPlanned ?? BLOCKS },
  };
}

test('forty variants that a change adds take nothing from those of its base', async () => {
  const without = await gateLoss([]);
  expect(without.base).toMatchObject({ variant: 'ours', verdict: 'regressed', tests: 1 });
  expect(without.status).toBe(1);

  const { base, session, log } = await gateLoss(ADDED);
  // On a busy machine the base's own pairs may use all the time. Then the time sets the cap, with and without the other
  // variants.
  const timely = without.session.budget.spentSeconds < BUDGET_SECONDS / 3;
  const { blocks, cap } = timely ? { blocks: without.base.blocks, cap: BLOCKS } : base;
  expect({ base, log: base.verdict === 'regressed' ? '' : log }).toEqual({
    base: { ...without.base, blocks, cap },
    log: '',
  });
  // All runs of the base's variant come before the first run of the added ones.
  const order = [...session.warmup, ...session.runs]
    .sort((a, b) => (a.started < b.started ? -1 : 1))
    .map(({ variant }) => variant === 'ours');
  expect(order.lastIndexOf(true)).toBe(order.filter(Boolean).length - 1);
  expect(order.length).toBeGreaterThan(order.filter(Boolean).length);
  // Each of them is measured, or has a reason.
  expect(session.variants).toEqual(['ours', ...ADDED]);
  expect(session.budget.seconds).toBe(BUDGET_SECONDS);
  // The step at the budget's end is completed.
  expect(session.budget.spentSeconds).toBeLessThan(1.2 * BUDGET_SECONDS);
});
