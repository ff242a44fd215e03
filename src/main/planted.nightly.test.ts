import { afterAll, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { lossIsFoundAlone } from './planted-loss.test-support.ts';

/** The losses that planted.itg.test.ts leaves to the nightly tests, because each gate takes more than a minute. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

withEngine.each(['memory', 'startup', 'tasks'])(
  'a planted loss of %s is found in its metric and nowhere else',
  lossIsFoundAlone,
);
