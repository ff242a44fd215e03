import { expect, test } from '@jest/globals';
import { BuildError } from '../errors/errors.ts';
import { againAfterFaults } from './retry.ts';
import type { ObtainedImage } from './obtained-image.ts';

const unavailable = (fault: 'engine' | 'build', message = 'a (head): it failed\nmore') =>
  ({ kind: 'unavailable', fault, message }) as const;
const obtained = { kind: 'obtained' } as ObtainedImage;

/** Tries with one answer after the other; the last stays. */
async function tried(answers: readonly (ObtainedImage | Error)[], abortInWait = Infinity) {
  const waits: number[] = [];
  const lines: string[] = [];
  const abort = new AbortController();
  let calls = 0;
  const result = await againAfterFaults(
    () => {
      const answer = answers[Math.min(calls++, answers.length - 1)]!;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    'a (head)',
    {
      signal: abort.signal,
      onLine: (line) => lines.push(line),
      pause: (seconds) => {
        waits.push(seconds);
        if (waits.length === abortInWait) abort.abort();
        return Promise.resolve();
      },
    },
  );
  return { result, waits, lines, calls };
}

test('an engine that comes back is waited for', async () => {
  const { result, waits, lines } = await tried([
    unavailable('engine'),
    new BuildError('it answered amiss'),
    obtained,
  ]);
  expect(result).toBe(obtained);
  expect(waits).toEqual([1, 4]);
  expect(lines).toEqual([
    'a (head): it failed Pacegate tries again in 1 s.',
    'a (head): it answered amiss Pacegate tries again in 4 s.',
  ]);
});

test('one that does not is given up after three waits, and the message counts the attempts', async () => {
  const { result, waits, calls } = await tried([unavailable('engine')]);
  expect({ result, waits, calls }).toEqual({
    result: unavailable('engine', 'a (head): it failed\nmore\nThis was tried 4 times, with waits between.'),
    waits: [1, 4, 10],
    calls: 4,
  });
});

test.each([
  ['a Dockerfile’s own fault', unavailable('build')],
  ['a full disk', unavailable('engine', 'a (head): write /x: no space left on device')],
])('%s is not tried again', async (_, answer) => {
  const { result, calls } = await tried([answer]);
  expect({ result, calls }).toEqual({ result: answer, calls: 1 });
});

test('a wait that is cancelled, or reaches the end of the budget, ends it', async () => {
  const { result, calls } = await tried([unavailable('engine'), unavailable('engine'), obtained], 2);
  expect({ result, calls }).toEqual({ result: unavailable('engine'), calls: 2 });
});

test('a failure of the program is not an engine error', async () => {
  await expect(tried([new TypeError('oh')])).rejects.toThrow('oh');
});
