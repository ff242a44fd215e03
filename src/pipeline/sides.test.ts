import { expect, test } from '@jest/globals';
import { planOf } from '../plan/plan.test-support.ts';
import type { Python } from '../session/facts.ts';
import { facts } from '../session/facts.test-support.ts';
import { runnableOf } from '../measure/runnable.test-support.ts';
import type { AskedPython } from './ports.ts';
import { portsWith } from './ports.test-support.ts';
import { prepareSides } from './sides.ts';

const BUILD = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const INTERPRETER: Required<Python> = {
  python: '3.13.5',
  implementation: 'CPython',
  executable: '/usr/local/bin/python3.13',
  build: BUILD,
};

/** A head whose image and interpreter report different facts. */
async function prepared(found: Partial<Python>, asked: AskedPython | undefined) {
  const runnable = runnableOf('official', 'head');
  const ports = portsWith({
    images: {
      prepare: () =>
        Promise.resolve({
          kind: 'ready',
          runnable,
          interpreter: asked && (() => Promise.resolve(asked)),
        }),
    },
    facts: () => Promise.resolve(facts(found)),
  });
  const plan = planOf({ variants: '{ official: { interpreter: official, python: "3.13" } }' });
  const { failures, variants } = await prepareSides(
    plan,
    [{ side: 'head', tree: { directory: '/tree' } }],
    '/tree',
    ports,
    new AbortController().signal,
    () => 60,
  );
  return { failures, isReady: variants[0]?.sides.head !== undefined };
}
const answered = (python: Python): AskedPython => ({ kind: 'answered', python });

test.each([
  ['the interpreter', { ...INTERPRETER }, answered(INTERPRETER)],
  ['a copy of it elsewhere', { ...INTERPRETER, executable: '/v/bin/python' }, answered(INTERPRETER)],
  ['one that does not say its build', { python: '3.13.5' }, answered(INTERPRETER)],
  ['an image without an interpreter of ours', { python: '3.9.1', build: OTHER }, undefined],
])('%s is measured', async (_title, found, asked) => {
  expect(await prepared(found, asked)).toEqual({ failures: [], isReady: true });
});

const others: readonly (readonly [string, Required<Python>])[] = [
  ['another version', { ...INTERPRETER, python: '3.12.1', executable: '/opt/conda/bin/python3.12' }],
  ['another implementation', { ...INTERPRETER, implementation: 'PyPy' }],
  ['another build of the same version', { ...INTERPRETER, build: OTHER }],
];
test.each(others)('%s is refused by the names of both', async (_title, found) => {
  const { failures, isReady } = await prepared(found, answered(INTERPRETER));
  expect(isReady).toBe(false);
  expect(failures).toEqual([
    {
      variant: 'official',
      side: 'head',
      stage: 'build',
      message: expect.stringContaining(
        `official (head): the image runs another Python than this variant's, so it would be measured under a wrong name. Found \`python\` to be ${found.implementation} ${found.python} (${found.executable}, build ${found.build?.slice(7, 19) ?? ''}), expected CPython 3.13.5 (/usr/local/bin/python3.13, build aaaaaaaaaaaa).`,
      ),
    },
  ]);
});

test('an interpreter without facts is not an error of the application, and is not measured', async () => {
  const { failures, isReady } = await prepared({}, { kind: 'failed', message: 'official: no answer' });
  expect(isReady).toBe(false);
  expect(failures).toEqual([
    expect.objectContaining({
      stage: 'engine',
      message:
        "official (head): whether the image runs this variant's Python could not be checked. official: no answer",
    }),
  ]);
});
