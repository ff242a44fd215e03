import { expect, test } from '@jest/globals';
import type { HostVariant } from '../plan/plan.ts';
import { planOf } from '../plan/plan.test-support.ts';
import { resolveInterpreter } from '../measure/engines/host-interpreter.ts';
import { hashFolder } from '../source/workload-files.ts';
import { hostVariants } from './host-variants.ts';

const variant: HostVariant = { name: 'here', kind: 'host', python: 'python3', flags: [], env: {} };
const plan = planOf();
const prepare = async (secondsLeft: number) =>
  await hostVariants(plan, { resolveInterpreter, hashFolder }).prepare(
    {
      variant,
      side: 'head',
      tree: import.meta.dirname,
      filesFrom: import.meta.dirname,
      secondsLeft,
    },
    new AbortController().signal,
  );

test('the facts of a host variant are not read after the budget is spent', async () => {
  expect(await prepare(0)).toEqual({
    kind: 'failed',
    failure: {
      variant: 'here',
      side: 'head',
      stage: 'engine',
      message:
        'here (head): the budget was spent before its turn. Raise rules.budget, or measure fewer variants.',
    },
  });
  expect(await prepare(1)).toMatchObject({ kind: 'ready' });
});
