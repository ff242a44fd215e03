import { afterAll, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { lossIsFoundAlone } from './planted-loss.test-support.ts';

/**
 * Losses that were planted (fixtures/losses), each found in its own metric and nowhere else, in real containers. The other
 * losses are those of planted.nightly.test.ts.
 */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

withEngine.each(['cpu', 'none'])(
  'a planted loss of %s is found in its metric and nowhere else',
  lossIsFoundAlone,
);
