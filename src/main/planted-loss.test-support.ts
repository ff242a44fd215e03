import { expect } from '@jest/globals';
import { gateWithLoss, JUDGED, judgedRows, PLANTED, regressedIn } from './planted.test-support.ts';

/** What the profile has to name. */
const CAUSES: Readonly<Record<string, string>> = {
  cpu: 'answer',
  memory: 'keep_pages',
  startup: 'sitecustomize',
};

/** Gates a loss of fixtures/losses, and expects it in the metrics that it is in, with its cause, and in no other. */
export async function lossIsFoundAlone(loss: string): Promise<void> {
  const expected = PLANTED[loss] ?? [];
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
}
