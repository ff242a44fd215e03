import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { application, IMAGES, project, sessionIn, verdictsOf } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** The gate on a terminal, as a separate process, in real containers. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const docker = (...args: string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();
const leftBehind = (session: string) => [
  docker('ps', '--all', '--quiet', '--filter', `label=org.pacegate.session=${session}`),
  docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', `pacegate/*:${session}`),
];

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
    // The file gives the live verdict, in every format that was printed or written.
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
    // With the default alpha one gate in twenty may raise a false alarm on a machine whose noise exceeds the limit.
    // With this alpha it is one in a thousand.
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
  // It builds on neither side, so the change is not the cause.
  expect(out).toMatch(/Pacegate: official regressed: .*CPU time \+.*; no figures for old/);
});

withEngine('Ctrl-C stops a run at once; the samples are kept and no container is left', async () => {
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
  expect(log).toContain('The measurements are kept');
  const session = sessionIn(path);
  expect(session.runs.length).toBeGreaterThanOrEqual(16);
  expect(session.runs.length).toBeLessThan(40);
  expect(leftBehind(session.id)).toEqual(['', '']);
});
