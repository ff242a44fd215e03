import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { night, nightAgainstItself, session, twoSided } from '../session/session.test-support.ts';
import type { Session } from '../session/session.ts';
import { renderTimings } from '../session/timings.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { comparedFiles } from '../main/compose.ts';
import { compareFiles, type ComparisonFiles } from './compare-files.ts';

afterAll(removeTemporaryFolders);

const folder = temporaryFolder();
let count = 0;
const file = (text: string, extension: string) => {
  const path = join(folder, `${(count += 1)}.${extension}`);
  writeFileSync(path, text);
  return path;
};
const saved = (value: Session) => file(JSON.stringify(value), 'json');
const csv = (value: Session) => file(renderTimings(value), 'csv');
const compare = async (change: Partial<ComparisonFiles>) =>
  await compareFiles(
    { files: [], baseline: [], head: [], sameMachine: false, rules: undefined, ...change },
    comparedFiles,
  );

const slower = twoSided({ wall_time_s: [1, 1.2] });
const oneSided = (value: Session, side: 'baseline' | 'head', id: string): Session => ({
  ...value,
  id,
  sides: [side],
  runs: value.runs.filter((run) => run.side === side),
  images: value.images.filter((image) => image.side === side),
});

test('one session with both sides is judged as it was live, and so are its timings', async () => {
  expect((await compare({ files: [saved(slower)] })).comparison.verdict).toBe('regressed');
  expect((await compare({ files: [csv(slower)] })).comparison.verdict).toBe('regressed');
});

test('timings next to their session are judged with its family', async () => {
  // The session has more metrics than the rules judge. For a CSV without its session each would be judged.
  const more = twoSided({ wall_time_s: [1, 1.2], tasks: [9, 9.01], rounds: [5, 5.01] });
  const there = temporaryFolder();
  const path = (name: string) => join(there, name);
  writeFileSync(path('session.json'), JSON.stringify(more));
  writeFileSync(path('timings.csv'), renderTimings(more));
  const bySession = await compare({ files: [path('session.json')] });
  const byTimings = await compare({ files: [path('timings.csv')] });
  expect(byTimings).toEqual(bySession);
  expect(bySession.comparison.family.tests).toBe(1);

  const alone = await compare({ files: [csv(more)] });
  expect(alone.comparison.family.tests).toBe(3);
  expect(alone.comparison.warnings[0]).toMatch(/^Timings have no rules, so each of the 3 rows is judged\./);
  // An edited CSV no longer belongs to the session.
  writeFileSync(path('timings.csv'), renderTimings(more).replace(',9,', ',9.5,'));
  expect((await compare({ files: [path('timings.csv')] })).session).toBeUndefined();
});

test('a head is judged by the nights next to it, of the same machine or by assertion', async () => {
  const head = saved(oneSided(slower, 'head', 'head'));
  const nights = (change: Partial<Session> = {}) =>
    Array.from({ length: 14 }, (_, index) => saved(night(index, 1 + (index % 5) / 1000, change)));
  expect((await compare({ files: [head, ...nights()] })).comparison.verdict).toBe('regressed');
  const elsewhere = nights({ machine: { ...session().machine, cpuModel: 'another' } });
  expect((await compare({ files: [head, ...elsewhere] })).comparison.verdict).toBe('incomparable');
  expect((await compare({ files: [head, ...elsewhere], sameMachine: true })).comparison.verdict).toBe(
    'regressed',
  );
});

test('a session of the baseline against itself is a night for a head, with its noise', async () => {
  const nights = Array.from({ length: 14 }, (_, day) => saved(nightAgainstItself(day, { noise: 0.01 })));
  const head = saved(oneSided(slower, 'head', 'now'));
  const { comparison, session: judged } = await compare({ files: [head], baseline: nights });
  expect(comparison.rows[0]).toMatchObject({ verdict: 'regressed', evidence: 'stored' });
  expect(judged?.nights[0]?.residuals['a']?.['wall_time_s']).toHaveLength(30);
});

test('a file with one side is given its side, and a file with both is not', async () => {
  const measured = saved(oneSided(slower, 'head', 'yesterday'));
  const head = saved(oneSided(slower, 'head', 'today'));
  const { comparison, session: judged } = await compare({ baseline: [measured], head: [head] });
  expect(comparison.rows[0]?.warnings[0]).toContain('1 of the 14 stored sessions');
  expect(judged?.nights.map(({ session: id }) => id)).toEqual(['yesterday']);
  await expect(compare({ baseline: [saved(slower)], head: [head] })).rejects.toThrow('holds both sides');
});

test.each([
  [
    'two heads',
    () => compare({ files: [saved(slower), saved({ ...slower, id: 'other' })] }),
    /2 of the sessions have a head/,
  ],
  ['no head', () => compare({ files: [saved(night(1, 1))] }), /None of the sessions has a head/],
  [
    'one night twice',
    () => compare({ files: [saved(slower), saved(night(1, 1)), saved(night(1, 1))] }),
    /night-1 was given twice/,
  ],
  ['one CSV twice', () => compare({ files: [csv(slower), csv(slower)] }), /was found twice/],
  [
    'a session and a CSV',
    () => compare({ files: [saved(slower), csv(slower)] }),
    /cannot be compared with each other/,
  ],
])('%s are refused: nothing that failed may be lost on the way', async (_, act, message) => {
  await expect(act()).rejects.toThrow(message);
});
