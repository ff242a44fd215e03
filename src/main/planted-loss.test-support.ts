import { expect } from '@jest/globals';
import { gateWithLoss, JUDGED, judgedRows, PLANTED, regressedIn } from './planted.test-support.ts';

/** The function that the profile must name. */
const CAUSES: Readonly<Record<string, string>> = {
  cpu: 'answer',
  memory: 'keep_pages',
  startup: 'sitecustomize',
};

/**
 * Gates a loss of fixtures/losses. Expects regressions in the loss's metrics, with its cause, and in no other metric.
 */
export async function lossIsFoundAlone(loss: string): Promise<void> {
  const expected = PLANTED[loss] ?? [];
  const { status, out, log, named } = await gateWithLoss(loss);
  const rows = out === '' ? [] : judgedRows(out);
  expect({ regressed: regressedIn(rows), log: rows.length === 0 ? log : '' }).toEqual({
    regressed: expected,
    log: '',
  });
  expect(status).toBe(expected.length === 0 ? 0 : 1);
  // A missing row, or one without figures, could not regress.
  expect(rows.map(({ metric }) => metric)).toEqual(JUDGED);
  expect(rows.filter(({ verdict }) => verdict === 'no_data' || verdict === 'failed')).toEqual([]);
  // For missing answers no function takes longer.
  const cause = CAUSES[loss];
  if (cause !== undefined) expect(named).toContain(cause);
}
