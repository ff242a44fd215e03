import { setTimeout as delay } from 'node:timers/promises';

/**
 * A time limit for tests that would otherwise wait forever. It is long, so that a slow machine does not fail a test.
 */
const PATIENCE_SECONDS = 300;

/**
 * Polls until the answer is true.
 * @throws Error if it is not true within the seconds
 */
export async function until(
  answer: () => boolean | Promise<boolean>,
  seconds: number = PATIENCE_SECONDS,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await answer())) {
    if (performance.now() > end) throw new Error(`not true within ${seconds} s: ${answer.toString()}`);
    await delay(50);
  }
}
