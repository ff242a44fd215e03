import { expect, test } from '@jest/globals';
import { looksFor } from './looks.ts';
import { uniformSource } from './random.ts';
import { judgeFamily, type RowSeries } from './sequential.ts';

test('a family of nothing raises a false alarm in fewer than alpha of 400 seeded tries', () => {
  // 7 rows of pure noise with a spread at which no minimum effect helps. Expected at most 20 of 400; 35 is 3.4 sigma.
  const random = uniformSource(20_261);
  const rows = (): RowSeries[] =>
    Array.from({ length: 7 }, () => ({
      worse: Array.from({ length: 30 }, () => 0.4 * (random() + random() - 1)),
      limit: 0.001,
    }));
  let alarms = 0;
  for (let n = 0; n < 400; n++)
    if (
      judgeFamily(rows(), { alpha: 0.05, looks: looksFor('balanced', 30, 1), tests: 7 }).some(
        ({ decision }) => decision === 'regressed',
      )
    )
      alarms++;
  expect(alarms).toBeGreaterThan(0);
  expect(alarms).toBeLessThan(35);
});
