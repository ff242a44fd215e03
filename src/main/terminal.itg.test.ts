import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import {
  removeTemporaryFolders,
  repository,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The program on a terminal, as a process of its own, on real repositories. */

jest.setTimeout(300_000);
afterAll(removeTemporaryFolders);

const application = (rounds: number) =>
  `def work():\n    total = 0\n    for i in range(${rounds}):\n        total += i & 7\n    return total\n`;

const HOST = '  here: { interpreter: host, python: python3 }\n';
const IMAGES = '  official: { interpreter: official, python: "3.13" }\n  debian: { interpreter: debian }\n';

/** A repository whose first commit has the configuration and an application; the memory is shown, not judged. */
function project(
  variants: string,
  { rounds = 1_500_000, more = '', rules = 'blocks: 10' } = {},
): TestRepository {
  const made = repository();
  made.write(
    '.github/pacegate.yml',
    `version: 1\nworkload: { files: [bench.py], command: [python, bench.py], timeout: 60s${more} }\nvariants:\n${variants}metrics: { max_rss_bytes: { gate: false } }\nrules: { ${rules} }\n`,
  );
  made.write('bench.py', 'from app import work\n\nwork()\n');
  made.write('app.py', application(rounds));
  made.commit('one');
  return made;
}

const sessionIn = (directory: string) => {
  const file = join(directory, 'pacegate-out/session.json');
  return parseSession(readFileSync(file, 'utf8'), file);
};

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
const leftBehind = (session: string) => [
  docker('ps', '--all', '--quiet', '--filter', `label=org.pacegate.session=${session}`),
  docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', `pacegate/*:${session}`),
];

interface Answer {
  readonly verdict: string;
  readonly results: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly verdict: string;
  }[];
}
const verdictsOf = (out: string, metric: string) =>
  (JSON.parse(out) as Answer).results.filter((row) => row.metric === metric).map(({ verdict }) => verdict);

withEngine(
  'a slower head is regressed in every variant, in time and CPU; nothing is left behind',
  async () => {
    const { path, write, commit } = project(IMAGES, { rules: 'profile: balanced' });
    write('app.py', application(2_600_000));
    commit('slower');
    const { status, out } = await pacegate(path, ['gate', '--format', 'json', '--baseline', 'HEAD~1']);
    expect(verdictsOf(out, 'wall_time_s')).toEqual(['regressed', 'regressed']);
    expect(verdictsOf(out, 'cpu_time_s')).toEqual(['regressed', 'regressed']);
    expect(status).toBe(1);
    const session = sessionIn(path);
    expect(leftBehind(session.id)).toEqual(['', '']);
    // A loss of seven tenths is decided long before the cap of thirty blocks.
    expect(Math.max(...session.runs.map(({ block }) => block))).toBeLessThan(30);
    // The file alone gives the live verdict, in every format that was printed or written.
    const again = await pacegate(path, ['compare', 'pacegate-out/session.json', '--format', 'json']);
    expect([again.status, JSON.parse(again.out)]).toEqual([1, JSON.parse(out)]);
    const markdown = await pacegate(path, ['compare', 'pacegate-out/session.json', '--format', 'markdown']);
    expect(readFileSync(join(path, 'pacegate-out/report.md'), 'utf8').split('\n')[2]).toBe(
      markdown.out.split('\n')[2],
    );
    const csv = await pacegate(path, ['report', 'pacegate-out/session.json', '--format', 'csv']);
    expect(csv.out).toBe(readFileSync(join(path, 'pacegate-out/timings.csv'), 'utf8'));
    const fromCsv = await pacegate(path, [
      'compare',
      'pacegate-out/timings.csv',
      '--format',
      'json',
      '--config',
      '.github/pacegate.yml',
    ]);
    expect(verdictsOf(fromCsv.out, 'cpu_time_s')).toEqual(['regressed', 'regressed']);
  },
);

withEngine(
  'a head that differs and costs nothing is not regressed; a change of words is not measured',
  async () => {
    // At the default alpha one gate in twenty may raise a false alarm by right, where a machine is noisy enough for the
    // smallest change that counts to keep none away: here one in a thousand may.
    const { path, write, commit } = project(IMAGES, { rules: 'alpha: 0.001, blocks: 16' });
    write('other.py', 'UNUSED = 1\n');
    commit('harmless');
    const harmless = await pacegate(path, ['gate', '--format', 'json', '--baseline', 'HEAD~1']);
    expect({ status: harmless.status, out: harmless.status === 0 ? '' : harmless.out }).toEqual({
      status: 0,
      out: '',
    });
    write('README.md', 'words\n');
    commit('docs');
    const docs = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
    expect(docs.status).toBe(0);
    expect(docs.out).toContain('identical images, so nothing was measured (2 variants)');
    expect(sessionIn(path).runs).toEqual([]);
  },
);

withEngine('a build that fails is named with its step, and the other variant is judged', async () => {
  const { path, write, commit } = project(
    `${IMAGES.split('\n')[0] ?? ''}\n  old: { interpreter: debian, python: "3.9" }\n`,
  );
  write('app.py', application(2_600_000));
  commit('slower');
  const { status, out } = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(status).toBe(3);
  expect(out).toMatch(
    /old \(head\) failed in build:\n {2}old: the build stopped at `RUN --mount=from=promises[^]*has Python 3\.13\.\d+, not 3\.9/,
  );
  expect(out).toMatch(/has Python 3\.13\.\d+, not 3\.9/);
  expect(out).toMatch(/official +CPU time .* regressed/);
  // It builds on neither side, so the change did not break it.
  expect(out).toMatch(/Pacegate: official regressed: .*CPU time \+.*; no figures for old/);
});

withEngine('Ctrl-C ends a run at once; what was measured is kept and no container is left', async () => {
  const { path, write, commit } = project(IMAGES);
  write('app.py', application(1_600_000));
  commit('change');
  let sent = false;
  const { status, log } = await pacegate(path, ['gate', '--baseline', 'HEAD~1'], (soFar, interrupt) => {
    if (sent || !soFar.includes('block 5')) return;
    sent = true;
    interrupt();
  });
  expect(status).toBe(3);
  expect(log).toContain('what was measured is kept');
  const session = sessionIn(path);
  expect(session.runs.length).toBeGreaterThanOrEqual(16);
  expect(session.runs.length).toBeLessThan(40);
  expect(leftBehind(session.id)).toEqual(['', '']);
});

test('without containers the same: a slower working folder is regressed against HEAD', async () => {
  const { path, write } = project(HOST);
  write('app.py', application(3_000_000));
  const { status, out, log } = await pacegate(path, ['gate', '--format', 'json']);
  expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
  expect(verdictsOf(out, 'cpu_time_s')).toEqual(['regressed']);
  expect(sessionIn(path).source).toMatchObject({ head: { dirty: true }, baseline: { dirty: false } });
});

test('a head whose workload dies is failed, a baseline whose workload dies is no baseline', async () => {
  const { path, write, commit } = project(HOST, { rounds: 1000, more: ', repetitions: 1' });
  write('app.py', 'def work():\n    raise SystemExit("the answer is wrong")\n');
  commit('broken');
  const broken = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(broken.status).toBe(3);
  expect(broken.out).toMatch(
    /here \(head\) failed in workload:\n {2}here \(head, warm-up\): the command ended with exit status 1\n {2}the answer is wrong/,
  );
  write('app.py', application(1000));
  commit('mended');
  const mended = await pacegate(path, ['gate', '--baseline', 'HEAD~1']);
  expect(mended.status).toBe(0);
  expect(mended.out).toMatch(/Pacegate: no baseline, so nothing was compared/);
});

test('two shards and a second session are one gate, whose file gives its verdict again', async () => {
  const { path, write, commit } = project(
    `${HOST}  lean: { interpreter: host, python: python3, flags: [-O] }\n`,
    { rounds: 400_000, more: ', repetitions: 1', rules: 'blocks: 8' },
  );
  write(
    'app.py',
    application(2_000_000).replace('    return', '    assert sum(range(3_000_000))\n    return'),
  );
  commit('slower');
  for (const shard of ['1', '2']) {
    const args = ['gate', '--baseline', 'HEAD~1', '--shard', `${shard}/2`, '--out', `shards/${shard}`];
    const { status, out, log } = await pacegate(path, args);
    expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
    expect(out).toContain(`This is shard ${shard} of 2`);
  }
  const merged = await pacegate(path, ['merge', 'shards', '--format', 'json']);
  expect(merged.status).toBe(1);
  expect(verdictsOf(merged.out, 'cpu_time_s')).toEqual(['regressed', 'regressed']);
  expect(JSON.parse(merged.out)).toMatchObject({ family: { tests: 4 } });

  const confirm = ['gate', '--baseline', 'HEAD~1', '--confirm', 'shards', '--out', 'pacegate-out/second'];
  const confirmed = await pacegate(path, [...confirm, '--format', 'json']);
  expect(confirmed.status).toBe(1);
  const rows = (JSON.parse(confirmed.out) as { results: { metric: string; confirmation: unknown }[] })
    .results;
  expect(
    rows.filter(({ metric }) => metric === 'cpu_time_s').map(({ confirmation }) => confirmation),
  ).toEqual([1, 2].map(() => expect.objectContaining({ confirmed: true, blocks: 8, sameMachine: true })));
  const again = await pacegate(path, ['compare', 'pacegate-out/second/session.json', '--format', 'json']);
  expect([again.status, JSON.parse(again.out)]).toEqual([1, JSON.parse(confirmed.out)]);
});

test('two runs are compared as stored evidence, which one night is too little for', async () => {
  const { path } = project(HOST);
  expect((await pacegate(path, ['run', '--out', 'one'])).status).toBe(0);
  const second = await pacegate(path, ['run', '--out', 'two']);
  expect(second.out).toMatch(/here +wall time +[\d.]+ m?s +[\d.]+ m?s … [\d.]+ m?s +10\n/);
  expect(readdirSync(join(path, 'two')).sort()).toEqual([
    '.gitignore',
    'openmetrics.txt',
    'report.md',
    'runs.jsonl',
    'session.json',
    'timeline.jsonl',
    'timings.csv',
  ]);
  const compared = await pacegate(path, [
    'compare',
    '--baseline',
    'one/session.json',
    '--head',
    'two/session.json',
  ]);
  expect(compared.status).toBe(0);
  expect(compared.out).toContain('1 of the 14 stored sessions that judging by them takes');
  const timings = await pacegate(path, [
    'compare',
    '--baseline',
    'one/timings.csv',
    '--head',
    'two/timings.csv',
  ]);
  expect(timings.out).toContain('--same-machine says that it was one');
});

test('a baseline is kept on a branch of a repository without a remote, and stands beside the next gate', async () => {
  const { path, write, git, commit } = project(HOST);
  write('untracked.txt', 'x');
  expect((await pacegate(path, ['baseline'])).log).toContain('has uncommitted changes');
  commit('clean');
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  const third = await pacegate(path, ['baseline']);
  expect(third.status).toBe(0);
  expect(third.out).toMatch(/against itself: [01] of 3 nights.*\nmachine/);
  expect(third.out).toMatch(/here +wall time .* (unchanged|not decided|false alarm) .* 3\n/);
  expect(sessionIn(path)).toMatchObject({ purpose: 'nightly', sides: ['baseline', 'head'] });
  const stored = git('ls-tree', '-r', '--name-only', 'pacegate-baseline').split('\n');
  const sessions = stored.filter((name) => name.includes('/sessions/'));
  expect(sessions).toHaveLength(3);
  // What lies there already is not carried again by each session.
  expect(JSON.parse(git('show', `pacegate-baseline:${sessions[2] ?? ''}`))).toMatchObject({ nights: [] });
  expect(JSON.parse(git('show', 'pacegate-baseline:pacegate/noise.json'))).toMatchObject({
    alarms: { nights: 3 },
    noise: [
      { variant: 'here', metric: 'wall_time_s', nights: 3, tau: expect.any(Number) },
      { metric: 'cpu_time_s' },
    ],
    anchor: null,
  });
  write('app.py', application(1_500_001));
  const { out } = await pacegate(path, ['gate', '--format', 'markdown']);
  expect(out).toContain('Stored nights');
  expect(out).toMatch(/against itself: [01] of 3 nights/);
  expect(sessionIn(path).nights.map(({ residuals }) => Object.keys(residuals))).toEqual([
    ['here'],
    ['here'],
    ['here'],
  ]);
});

test('the anchor is compared with once a week or when asked for, and one that means nothing costs no night', async () => {
  const { path, write, git, commit } = project(HOST, {
    rounds: 100_000,
    more: ', repetitions: 1',
    rules: 'blocks: 10, anchor: v1',
  });
  const anchors = () =>
    git('ls-tree', '-r', '--name-only', 'pacegate-baseline')
      .split('\n')
      .filter((name) => name.includes('/anchors/'));
  const unknown = await pacegate(path, ['baseline']);
  expect(unknown.status).toBe(2);
  expect(unknown.log).toMatch(/pacegate\.yml: rules\.anchor: found "v1", which is no tag here/);
  expect(git('ls-tree', '-r', '--name-only', 'pacegate-baseline')).toContain('/sessions/');
  git('tag', 'v1');
  write('app.py', application(1_000_000));
  commit('slower');
  const weekly = await pacegate(path, ['baseline', '--format', 'markdown']);
  expect(weekly.status).toBe(0);
  expect(weekly.out).toMatch(/Creep: `here` CPU time is \d+(\.\d)? % worse than the anchor/);
  expect(anchors()).toHaveLength(1);
  const file = join(path, 'pacegate-out/anchor/session.json');
  const compared = parseSession(readFileSync(file, 'utf8'), file);
  expect(compared).toMatchObject({
    purpose: 'anchor',
    source: { baseline: { commit: git('rev-parse', 'v1') } },
  });
  expect(compared.runs).toHaveLength(90);
  expect((await pacegate(path, ['baseline'])).status).toBe(0);
  expect(anchors()).toHaveLength(1);
  expect((await pacegate(path, ['baseline', '--anchor'])).status).toBe(0);
  expect(anchors()).toHaveLength(2);
});

test('the doctor says what a gate would see here, and leaves nothing behind', async () => {
  const { path, git, write } = project(HOST);
  const table = await pacegate(path, ['doctor', '--blocks', '8']);
  expect({ status: table.status, log: table.status === 0 ? '' : table.log }).toEqual({ status: 0, log: '' });
  expect(table.out).toMatch(/^Machine: .*, \d+ cores?, [\d.]+ GiB, Linux /);
  expect(table.out).toMatch(/\n {2}good {6}.*clock|\n {2}bad {7}clock/s);
  expect(table.out).toMatch(/here +wall time +3 % .*\nhere +CPU time +3 % /);
  expect(table.out).toMatch(/\nPacegate: the smallest loss that shows here is .* of what counts\n$/);
  expect(table.out).not.toMatch(/engine|storage driver/);
  expect(table.out).toMatch(/A gate of unchanged code measures for about .* here/);
  const json = await pacegate(path, ['doctor', '--blocks', '8', '--seed', '3', '--format', 'json']);
  expect(JSON.parse(json.out)).toMatchObject({ format: 'pacegate-doctor', seed: 3, rows: [{}, {}] });
  expect(git('status', '--porcelain')).toBe('');
  expect(existsSync(join(path, 'pacegate-out'))).toBe(false);
  expect((JSON.parse(json.out) as { findings: { name: string }[] }).findings.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['processor', 'kernel', 'clock', 'PSI', 'turbo']),
  );
  write('app.py', 'raise SystemExit(1)\n');
  const failed = await pacegate(path, ['doctor']);
  expect(failed.status).toBe(3);
  expect(failed.out).toMatch(/^Machine: /);
});

test('the doctor says what it found on the machine where there is no engine to measure with', async () => {
  const { path } = project(IMAGES);
  const nowhere = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' };
  const table = await pacegate(path, ['doctor'], undefined, nowhere);
  expect(table.status).toBe(3);
  expect(table.out).toMatch(/^Machine: .*\n {2}bad {7}engine: no answer\. /);
  expect(table.log).toMatch(/no engine answered/);
  const json = await pacegate(path, ['doctor', '--format', 'json'], undefined, nowhere);
  expect(json.status).toBe(3);
  expect(JSON.parse(json.out)).toMatchObject({
    format: 'pacegate-doctor',
    findings: expect.arrayContaining([
      expect.objectContaining({ name: 'engine', judgement: 'bad' }),
    ]) as unknown,
    rows: [],
    error: expect.stringContaining('no engine answered') as unknown,
  });
});

withEngine('the doctor looks into a container of the images that it measures', async () => {
  const { path } = project('  official: { interpreter: official, python: "3.13" }\n');
  const { status, out } = await pacegate(path, ['doctor', '--blocks', '8', '--format', 'json']);
  expect(status).toBe(0);
  const { findings } = JSON.parse(out) as { findings: { name: string; judgement: string; value: string }[] };
  const of = (name: string) => findings.find((finding) => finding.name === name);
  expect(of('engine')?.value).toMatch(/^Docker \d/);
  expect(of('seccomp in containers')?.value).toMatch(/filter/);
});

test.each([
  ['too few blocks for the doctor', ['doctor', '--blocks', '3'], /Legal: a whole number from 8/],
  ['an anchor where none is named', ['baseline', '--anchor'], /rules\.anchor: found nothing, and --anchor/],
  ['an unknown option', ['gate', '--baselin', 'x'], /unknown option '--baselin'/],
  ['an unknown command', ['gaet'], /unknown command 'gaet'/],
  ['an unknown verdict', ['gate', '--fail-on', 'slower'], /Found slower; legal: none, failed, regressed/],
  ['a bad duration', ['gate', '--budget', 'soon'], /Legal: a duration such as 90s/],
  ['no configuration', ['gate', '--config', 'none.yml'], /There is no configuration at .*none\.yml/],
  ['a missing file', ['compare', 'none.json'], /none\.json cannot be read/],
  ['a shard that is none', ['gate', '--shard', '3/2'], /Legal: INDEX\/OF, such as 2\/5/],
  ['nothing to compare', ['compare'], /There is nothing to compare/],
  ['a baseline that is no commit', ['gate', '--baseline', 'nowhere'], /--baseline nowhere names no commit/],
])('%s is the user’s to mend: status 2, and no file is written', async (_, args, message) => {
  const { path } = project(HOST);
  const { status, log } = await pacegate(path, args);
  expect(log).toMatch(message);
  expect(status).toBe(2);
  expect(existsSync(join(path, 'pacegate-out/session.json'))).toBe(false);
});
