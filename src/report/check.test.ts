import { describe, expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { drawn } from '../session/session.test-support.ts';
import type { Session } from '../session/session.ts';
import { checkName, checkText, clipMarkdown, CHECK_LIMIT, regressionPlaces } from './check.ts';

/** The content of a verdict's check. */

const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
const profile = (own: number) => ({
  functions: [
    { file: 'pricing.py', name: 'check', line: 14, calls: 100, own, total: own },
    { file: '', name: 'sum', line: 0, calls: 100, own: 0.01, total: 0.01 },
  ],
  own: own + 0.01,
  processes: 1,
  notes: [],
});
const session: Session = {
  ...measured,
  explanations: [
    {
      ...{ variant: 'a', kind: 'time', profiler: 'cprofile', seconds: 2 },
      sides: { baseline: profile(0.1), head: profile(0.4) },
    },
  ],
};
const comparison = compareSession(session);
const paths = (changed: readonly string[]) =>
  regressionPlaces(comparison, session, changed).map(({ path, line }) => `${path}:${line}`);

describe('a regression is shown at the line that the profile names', () => {
  test('where that file is part of the change, wherever it lies in the repository', () => {
    expect(paths(['pricing.py'])).toEqual(['pricing.py:14']);
    expect(paths(['README.md', 'services/orders/pricing.py'])).toEqual(['services/orders/pricing.py:14']);
    expect(regressionPlaces(comparison, session, ['pricing.py'])[0]).toMatchObject({
      title: 'Pacegate: a regressed',
      message: expect.stringMatching(/^wall time of a regressed\. .*check \(pricing\.py:14\) took .* more/),
    });
  });
  test('and nowhere else: not in another file, not where two files may be meant, not at a path of the session', () => {
    expect(paths([])).toEqual([]);
    expect(paths(['other_pricing.py', 'pricing.pyi'])).toEqual([]);
    expect(paths(['one/pricing.py', 'two/pricing.py'])).toEqual([]);
  });
  test('of an installed package without the folder that pip took it from', () => {
    const installed = JSON.parse(
      JSON.stringify(session).replaceAll('"pricing.py"', '"packages/orders/pricing.py"'),
    ) as Session;
    expect(
      regressionPlaces(comparison, installed, ['src/orders/pricing.py']).map(({ path }) => path),
    ).toEqual(['src/orders/pricing.py']);
  });
});

describe('the text', () => {
  test('is the report, with the headline as title and the meaning of the conclusion', () => {
    const { title, summary, text } = checkText(comparison, session, 'failure', {});
    expect(title).toMatch(/^a regressed: wall time \+/);
    expect(summary).toBe('The gate fails.');
    expect(text).toMatch(/^### 🔴 Pacegate: `a` regressed/);
    expect(checkText(comparison, session, 'neutral', {}).summary).toContain('require-decision: true');
  });
  test('of a thousand rows and of endless remarks has at most 65,535 characters', () => {
    const [row] = comparison.rows;
    if (row === undefined) throw new Error('no row');
    const rows = Array.from({ length: 1000 }, (_, index) => ({ ...row, variant: `variant-${index}` }));
    const many = checkText({ ...comparison, rows }, session, 'failure', {}).text;
    expect(many.length).toBeLessThanOrEqual(CHECK_LIMIT);
    expect(many).toContain("Left out for GitHub's limit of 65535 characters");
    const remarks = Array.from({ length: 2000 }, (_, index) => `Remark ${index}: ${'x'.repeat(60)}.`);
    const long = checkText(comparison, session, 'failure', { remarks }).text;
    expect(long.length).toBeLessThanOrEqual(CHECK_LIMIT);
    expect(long).toMatch(/x\.\n\n… The rest is in the job's summary/);
  });
  test('is cut between paragraphs, and never inside of a character', () => {
    expect(clipMarkdown('short', 100)).toBe('short');
    const cut = clipMarkdown(`${'a'.repeat(150)}\n\n${'b'.repeat(150)}`, 280);
    expect(cut.startsWith(`${'a'.repeat(150)}\n\n…`)).toBe(true);
    for (let limit = 100; limit < 110; limit += 1)
      expect(clipMarkdown('😀'.repeat(200), limit)).not.toMatch(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])/);
  });
});

test('a check has one name for each configuration', () =>
  expect(['pacegate', 'services-orders'].map(checkName)).toEqual([
    'Pacegate verdict',
    'Pacegate verdict: services-orders',
  ]));
