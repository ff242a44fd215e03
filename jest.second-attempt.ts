import { expect, jest } from '@jest/globals';

/*
 * A test with the real engine measures on whatever machine it runs on, and decides as a gate does: a planted loss is
 * found in most runs on a busy machine, and not in all. Such a test is tried a second time. What failed the first time
 * is printed, and `.ci/run` lists it, so that a test that fails often is seen. A fault fails twice. No hermetic test
 * has a second attempt.
 */
if (/\.(itg|nightly)\.test\.ts$/.test(expect.getState().testPath ?? ''))
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
