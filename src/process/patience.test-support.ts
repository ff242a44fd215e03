import { setTimeout as delay } from 'node:timers/promises';

/** A guard against waiting for ever. A busy machine must not fail a test that only takes its time. */
const PATIENCE_SECONDS = 300;

/** Asks again and again until the answer is true. @throws Error when it does not become so within the seconds */
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
