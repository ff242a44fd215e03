import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { isTimeOver, within } from './deadline.ts';

const never = new AbortController().signal;
/** Waits for the signal, and returns whether the time limit caused it. */
const ended = async (signal: AbortSignal) =>
  await delay(5000, 'not ended', { signal }).catch(() => isTimeOver(signal));

test('work ends when its time is over', async () => {
  expect(await within(0.02, never, ended)).toBe(true);
  expect(await within(0, never, ended)).toBe(true);
  expect(await within(-3, never, ended)).toBe(true);
});

test('cancelled work is distinguished from the time limit, whichever came first', async () => {
  const controller = new AbortController();
  const working = within(60, controller.signal, ended);
  controller.abort();
  expect(await working).toBe(false);
  expect(await within(0, controller.signal, ended)).toBe(false);
});

test('work without a limit, or with one that no timer can hold, has the caller’s signal', async () => {
  for (const seconds of [undefined, Infinity, 1e9])
    expect(await within(seconds, never, (signal) => Promise.resolve(signal))).toBe(never);
});

test('the result or the error of the work is passed on', async () => {
  expect(await within(1, never, () => Promise.resolve(7))).toBe(7);
  await expect(within(1, never, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
