import { expect, test } from '@jest/globals';
import type { InterpreterVariant } from './plan.ts';
import { official } from '../images/images.test-support.ts';
import { movingContexts } from './moving-contexts.ts';

const variantWith = (context: string): InterpreterVariant => ({
  ...official,
  contexts: { 'python-source': context },
});
const COMMIT = 'c0ffee00'.repeat(5);

test.each([
  'vendor/python',
  '/srv/python',
  'docker-image://python:3.13-slim',
  `https://example.org/python.git#${COMMIT}`,
  `https://example.org/python.git#${COMMIT}:Modules`,
  `http://example.org/python.git#${'ab'.repeat(32)}`,
])('%s does not move unnoticed', (context) =>
  expect(movingContexts({ variants: [variantWith(context)] })).toEqual([]),
);

test.each([
  ['https://example.org/python.git', 'Add a whole commit hash'],
  ['https://example.org/python.git#', 'Add a whole commit hash'],
  ['https://example.org/python.git#main', 'Add a whole commit hash'],
  ['https://example.org/python.git#v3.13.5:Modules', 'Add a whole commit hash'],
  // Nobody but git finds a commit by its first digits, and they may come to name another one.
  [`https://example.org/python.git#${COMMIT.slice(0, 12)}`, 'Add a whole commit hash'],
  ['https://example.org/python.tar.gz', 'Keep its files in a folder'],
  [`https://example.org/python.tar.gz#${COMMIT}`, 'Keep its files in a folder'],
])('%s may move', (context, advice) => {
  const [sentence, ...more] = movingContexts({ variants: [variantWith('vendor'), variantWith(context)] });
  expect(more).toEqual([]);
  expect(sentence).toContain(
    `variants.official.contexts.python-source is ${context}, which may move: it can hold other files tomorrow, and Pacegate does not notice. ${advice}`,
  );
});
