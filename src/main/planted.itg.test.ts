import { afterAll, expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { gateWithLoss, JUDGED, judgedRows, PLANTED, regressedIn } from './planted.test-support.ts';

/** Losses that were planted (fixtures/losses), each found in its own metric and nowhere else, in real containers. */

/** What the profile has to name. */
const CAUSES: Readonly<Record<string, string>> = {
  cpu: 'answer',
  memory: 'keep_pages',
  startup: 'sitecustomize',
};

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

withEngine.each(Object.entries(PLANTED))(
  'a planted loss of %s is found in %j and nowhere else',
  async (loss, expected) => {
    const { status, out, log, named } = await gateWithLoss(loss);
    const rows = out === '' ? [] : judgedRows(out);
    expect({ regressed: regressedIn(rows), log: rows.length === 0 ? log : '' }).toEqual({
      regressed: expected,
      log: '',
    });
    expect(status).toBe(expected.length === 0 ? 0 : 1);
    // A row that is missing, or has no figures, could not have regressed.
    expect(rows.map(({ metric }) => metric)).toEqual(JUDGED);
    expect(rows.filter(({ verdict }) => verdict === 'no_data' || verdict === 'failed')).toEqual([]);
    // Answers that are not there have no function that took longer.
    const cause = CAUSES[loss];
    if (cause !== undefined) expect(named).toContain(cause);
  },
);
