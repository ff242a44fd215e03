import { expect, test } from '@jest/globals';
import padjust from '@stdlib/stats-padjust';
import wilcoxon from '@stdlib/stats-wilcoxon';
import fc from 'fast-check';
import { holm } from './holm.ts';
import { signedRank } from './signed-rank.ts';

/** Other people's implementations of the same methods, asked the same questions. */

test('the signed-rank p is that of @stdlib, where there are neither ties nor zeros', () => {
  const untied = fc
    .uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 2, maxLength: 30 })
    .chain((magnitudes) =>
      fc
        .array(fc.boolean(), { minLength: magnitudes.length, maxLength: magnitudes.length })
        .map((signs) =>
          magnitudes.map((magnitude, index) => (signs[index] === true ? magnitude : -magnitude)),
        ),
    );
  fc.assert(
    fc.property(untied, (differences) => {
      const ours = signedRank(differences);
      const theirs = (alternative: 'greater' | 'less') =>
        wilcoxon(differences, { alternative, correction: false }).pValue;
      expect(ours.greater).toBeCloseTo(theirs('greater'), 9);
      expect(ours.less).toBeCloseTo(theirs('less'), 9);
    }),
  );
});

test("Holm's adjustment is that of @stdlib, planned tests that were not made included", () => {
  const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(p, fc.nat(20), (values, more) => {
      const family = values.length + more;
      const theirs = padjust(values, 'holm', family);
      for (const [index, adjusted] of holm(values, family).entries())
        expect(adjusted).toBeCloseTo(theirs[index] ?? Number.NaN, 12);
    }),
  );
});
