import { afterAll, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { lossIsFoundAlone } from './planted-loss.test-support.ts';

/**
 * Planted losses (fixtures/losses) in real containers. Each is found in its own metrics only. planted.nightly.test.ts
 * has the other losses.
 */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

withEngine.each(['cpu', 'none'])(
  'a planted loss of %s is found in its metric and nowhere else',
  lossIsFoundAlone,
);
