import { expect, test } from '@jest/globals';
import { MeasurementError } from '../../errors/errors.ts';
import { factsLimits, readFacts } from './facts-answer.ts';

test.each([
  ['there is no budget', undefined, 90],
  ['there is a lot of time', 4000, 90],
  ['the budget is nearly over', 40, 40],
  ['the budget is over', 0, 15],
  ['the budget was over long ago', -300, 15],
])('where %s, the question what an interpreter is has its time', (_, secondsLeft, expected) => {
  const limits = secondsLeft === undefined ? undefined : { secondsLeft };
  expect(factsLimits(limits).timeoutSeconds).toBe(expected);
});

test('a cancelled session cancels the question', () => {
  const { signal } = new AbortController();
  expect(factsLimits({ signal }).signal).toBe(signal);
});

test('a reading that the budget ended is reported, with what to do', () => {
  const ended = { status: null, signal: 'SIGKILL' as const, stdout: '', stderr: 'words', timedOut: true };
  const words = { who: 'official (head)', notStarted: 'it did not start' };
  const asked = (secondsLeft: number) => () => readFacts(ended, { ...words, limits: { secondsLeft } });
  expect(asked(20)).toThrow(MeasurementError);
  expect(asked(20)).toThrow(/within the 20 s that the budget left\. Raise rules\.budget/);
  expect(asked(500)).toThrow(/did not report its facts within 90 s\nwords$/);
});
