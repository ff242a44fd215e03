import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { rankingFileSchema } from '../session/ranking.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';

/** `rank` as a separate process, with interpreters of this machine that differ by their flags. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CLI = join(import.meta.dirname, '..', 'cli.ts');

const pacegate = async (directory: string, ...args: string[]) =>
  await new Promise<{ readonly status: number; readonly out: string; readonly log: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CLI, ...args],
      { cwd: directory, maxBuffer: 1e8 },
      (_, out, log) => resolve({ status: child.exitCode ?? -1, out, log }),
    );
  });

/** Without assertions it does less than half of the work, which noise does not hide; BREAK ends it. */
const BENCH = `import json, os, sys
if os.environ.get("BREAK"):
    sys.exit("it breaks")
total = 0
for i in range(400_000):
    total += i & 7
assert sum(i & 7 for i in range(4_000_000))
with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump({"tasks": 7}, file)
`;

function project(more = '', rules = 'profile: loose, blocks: 12') {
  const made = repository();
  made.write(
    '.github/pacegate.yml',
    `version: 1
workload: { files: [bench.py], command: [python, bench.py], timeout: 60s, repetitions: 1 }
variants:
  plain: { interpreter: host, python: python3 }
  lean: { interpreter: host, python: python3, flags: [-O] }
${more}metrics:
  wall_time_s: { gate: false }
  max_rss_bytes: { gate: false }
  tasks: { unit: tasks, better: higher, gate: false }
rules: { ${rules} }
`,
  );
  made.write('bench.py', BENCH);
  made.commit('one');
  return made;
}

test('variants are ranked against the first; a broken one has a row, and the file gives the same ranking', async () => {
  const { path } = project('  broken: { interpreter: host, python: python3, env: { BREAK: "1" } }\n');
  const { status, out, log } = await pacegate(path, 'rank');
  // A script must see that something could not be measured.
  expect({ status, log: status === 3 ? '' : log }).toEqual({ status: 3, log: '' });
  expect(out).toMatch(/^variant +CPU +memory +tasks\/min +CPU\/task +memory\/task +runs\nlean /);
  expect(out).toMatch(/\nlean +−\d+\.\d % \(.*\) better/);
  expect(out).toMatch(/\nplain \(reference\) +reference\n/);
  expect(out).toMatch(/\nbroken \(head, warm-up\): the command ended with exit status 1\nit breaks\n/);
  expect(out).toMatch(
    /\nMoving from plain to lean: \d+(\.\d)? % less CPU a task .*1,000 CPU hours become \d+ /,
  );
  expect(out.trimEnd().split('\n').at(-1)).toMatch(
    /^Pacegate: broken could not be measured; lean takes \d+(\.\d)? % less CPU a task than plain$/,
  );
  const file = join(path, 'pacegate-out/session.json');
  const session = parseSession(readFileSync(file, 'utf8'), file);
  expect(session).toMatchObject({ purpose: 'ranking', sides: ['head'], ranking: { reference: 'plain' } });
  // A difference of this size is decided at the first look that can decide it.
  expect(Math.max(...session.runs.map(({ block }) => block))).toBeLessThanOrEqual(12);

  expect((await pacegate(path, 'report', 'pacegate-out/session.json')).out).toBe(out);
  const csv = await pacegate(path, 'report', 'pacegate-out/session.json', '--format', 'csv');
  expect(csv.out).toBe(readFileSync(join(path, 'pacegate-out/timings.csv'), 'utf8'));
  const markdown = await pacegate(path, 'report', 'pacegate-out/session.json', '--format', 'markdown');
  expect(markdown.out).toBe(readFileSync(join(path, 'pacegate-out/report.md'), 'utf8'));
  const compared = await pacegate(path, 'compare', 'pacegate-out/session.json', '--format', 'markdown');
  expect(compared.out).toContain('pacegate report shows the ranking');
});

test('the JSON is a ranking against the requested reference; the metric of tasks can be named', async () => {
  const { path } = project();
  const options = ['--reference', 'lean', '--work', 'tasks', '--blocks', '10', '--seed', '3'];
  const { status, out } = await pacegate(path, 'rank', '--format', 'json', ...options);
  expect(status).toBe(0);
  const ranking = rankingFileSchema.parse(JSON.parse(out));
  expect(ranking).toMatchObject({ reference: 'lean', work: 'tasks', family: { tests: 1, alpha: 0.05 } });
  const plain = ranking.variants.find(({ variant }) => variant === 'plain');
  expect(plain?.rows.find(({ metric }) => metric === 'cpu_time_s_per_work')).toMatchObject({
    verdict: 'worse',
    n: 10,
  });
});

test('a reference that fails is reported with status 3, and the measurements are kept', async () => {
  const { path } = project('  broken: { interpreter: host, python: python3, env: { BREAK: "1" } }\n');
  const { status, log } = await pacegate(path, 'rank', '--reference', 'broken');
  expect(status).toBe(3);
  expect(log).toMatch(/broken is the reference of the ranking.*exit status 1[^]*--reference \(plain, lean\)/);
  expect(existsSync(join(path, 'pacegate-out/session.json'))).toBe(true);
});

test.each([
  [
    'one variant alone',
    ['--variants', 'plain'],
    /A ranking needs at least two variants, but found only plain/,
  ],
  ['a reference that is none', ['--reference', 'x'], /--reference: found "x"; expected: plain, lean/],
  ['too few blocks', ['--blocks', '5'], /Expected: a whole number from 6 to 999/],
])('%s is the user’s to mend: status 2, and nothing is run', async (_, args, message) => {
  const { path } = project();
  const { status, log } = await pacegate(path, 'rank', ...args);
  expect(log).toMatch(message);
  expect(status).toBe(2);
  expect(existsSync(join(path, 'pacegate-out/session.json'))).toBe(false);
});

test('a night keeps the ranking of its variants on the branch and folds it into its report', async () => {
  const { path, git } = project('', 'profile: loose, blocks: 12');
  const { status, out, log } = await pacegate(path, 'baseline', '--format', 'markdown');
  expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
  expect(out).toContain('<summary>The variants against each other</summary>');
  const stored = rankingFileSchema.parse(JSON.parse(git('show', 'pacegate-baseline:pacegate/ranking.json')));
  expect(stored).toMatchObject({
    reference: 'plain',
    configuration: 'pacegate',
    sessions: [expect.any(String)],
  });
  expect(stored.newest.commit).toBe(git('rev-parse', 'HEAD'));
  const lean = stored.variants.find(({ variant }) => variant === 'lean');
  expect(lean?.rows.find(({ metric }) => metric === 'cpu_time_s_per_work')?.change.estimate).toBeLessThan(
    -0.2,
  );
});
