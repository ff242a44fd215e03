import { afterAll, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { example, expectNothingMeasured, LOSSES, QUICK } from './examples.test-support.ts';

/** The projects of examples/ whose images install from an index: a change of documentation is not measured. */

jest.setTimeout(1_800_000);
afterAll(removeTemporaryFolders);

withEngine.each(Object.entries(LOSSES).filter(([name]) => !QUICK.includes(name)))(
  '%s in containers: a change of documentation gives images that hold the same, which are not measured',
  async (name, { metric }) => {
    await expectNothingMeasured(example(name, metric));
  },
);
