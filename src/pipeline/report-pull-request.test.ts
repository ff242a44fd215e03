import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { drawn } from '../session/session.test-support.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';
import type { Session } from '../session/session.ts';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  shallowClone,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { judgePullRequest, type ReportedPullRequest } from './report-pull-request.ts';

/** Judges a fork's pull request in a checkout of the default branch: which rules apply, and which data are trusted. */

afterAll(removeTemporaryFolders);

const configuration = (limit: string, failOn: string, variants = 'a: { interpreter: debian }') => `version: 1
workload: { command: [python, bench.py] }
variants: { ${variants} }
metrics: { wall_time_s: { limit: ${limit} }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
rules: { fail-on: [${failOn}] }
`;

let origin: string;
let project: TestRepository;
let checkout: TestRepository;
/** The base when the fork was made, the base as merged, the fork's newest commit, and GitHub's merge. */
const at = { before: '', base: '', head: '', merge: '' };

beforeAll(() => {
  const made = repositoryWithOrigin();
  [project, origin] = [made, made.origin];
  project.write('.github/pacegate.yml', configuration('50%', 'failed'));
  at.before = project.commit('a lax beginning');
  project.write('.github/pacegate.yml', configuration('3%', 'regressed, inconclusive'));
  project.write('README.md', 'words\n');
  at.base = project.commit('stricter');
  // The fork started from an older base, and loosens its own gate.
  project.git('checkout', '-q', '-b', 'fork', at.before);
  project.write('app.py', 'slow\n');
  at.head = project.commit('change');
  project.git('checkout', '-q', '--detach', 'main');
  project.git('merge', '-q', '--no-ff', '-m', 'merge', 'fork');
  at.merge = project.git('rev-parse', 'HEAD');
  project.git('push', '-q', 'origin', 'main', 'HEAD:refs/pull/7/merge', 'fork:refs/pull/7/head');
  project.git('checkout', '-q', 'main');
  checkout = shallowClone(origin, 'main');
});

const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
const sessionOf = (head: string, baseline: string): Session => ({
  ...measured,
  source: {
    ...measured.source,
    baseline: { commit: baseline, dirty: false },
    head: { commit: head, dirty: false },
  },
  rules: { ...measured.rules, metrics: measured.rules.metrics.map((rule) => ({ ...rule, limit: 0.5 })) },
});
const judge = async (session: Session, pull: Partial<ReportedPullRequest> = {}) =>
  await judgePullRequest(
    [{ session, file: 'artifact 1 of run 5' }],
    await openProject({ directory: checkout.path, config: undefined, overrides: {} }, realPorts().source),
    {},
    { number: 7, baseRef: 'main', headSha: at.head, ...pull },
    { event: 'workflow_run', baseRef: 'main', gitEnvironment: {}, secretsOnPullRequests: false },
    realPorts(),
  );

test('the verdict is computed again with the rules of the merged base, whatever the sessions contain', async () => {
  const { judged, failOn, remarks } = await judge(sessionOf(at.merge, at.base));
  expect(judged.comparison.verdict).toBe('regressed');
  expect(failOn).toEqual(['regressed', 'inconclusive']);
  expect(remarks.join(' ')).toContain(
    "The sessions have other rules than the base's configuration, whose rules apply",
  );
});

test('nothing of the pull request is checked out', async () => {
  await judge(sessionOf(at.merge, at.base));
  expect(checkout.git('status', '--porcelain')).toBe('');
  expect(checkout.git('rev-parse', 'HEAD')).toBe(at.base);
  expect(checkout.git('ls-files')).not.toContain('app.py');
});

test('a checkout of the newest commit itself is judged by the base where it began', async () => {
  const { judged, failOn } = await judge(sessionOf(at.head, at.before));
  expect(failOn).toEqual(['failed']);
  expect(judged.session.source.baseline?.commit).toBe(at.before);
});

describe('sessions that are not of the pull request are refused', () => {
  test('those of an older commit', async () =>
    await expect(judge(sessionOf(at.before, at.before))).rejects.toThrow(
      `The sessions are not of pull request 7; nothing was judged. They measured ${at.before}; expected: ${at.head}`,
    ));
  test('those of a merge of another commit', async () =>
    await expect(judge(sessionOf(at.merge, at.base), { headSha: at.base })).rejects.toThrow(
      'The sessions are not of pull request 7',
    ));
  test('a merge of its own into an older base keeps to the base that it names, and cannot name another', async () => {
    await expect(judge(sessionOf(at.merge, at.before))).rejects.toThrow(
      `the baseline: artifact 1 of run 5 has ${at.before}, this checkout has ${at.base}`,
    );
  });
  test.each(['--upload-pack=touch /tmp/x', 'HEAD', '', 'A'.repeat(40), `${'a'.repeat(40)}\n--x`])(
    'a commit that is no digits: %j',
    async (commit) =>
      await expect(judge(sessionOf(commit, at.base))).rejects.toThrow(
        `They measured ${JSON.stringify(commit.slice(0, 80))}`,
      ),
  );
  test('a commit that GitHub does not have', async () =>
    await expect(judge(sessionOf('f'.repeat(40), at.base))).rejects.toThrow(
      'ffffffffff of pull request 7 is not available',
    ));
  test('none at all', async () =>
    await expect(judge({ ...measured, source: { ...measured.source, head: undefined } })).rejects.toThrow(
      'The sessions are not of pull request 7',
    ));
});

test('a variant that the pull request adds is part of the family, with the metrics of its configuration', async () => {
  project.git('checkout', '-q', 'fork');
  project.write(
    '.github/pacegate.yml',
    configuration(
      '50%',
      'failed',
      'a: { interpreter: debian }, b: { interpreter: official, python: "3.13" }',
    ),
  );
  const head = project.commit('one more');
  project.git('push', '-q', 'origin', 'fork:refs/pull/7/head');
  await expect(judge(sessionOf(head, at.before), { headSha: head })).rejects.toThrow(
    'the variants: artifact 1 of run 5 lacks b of the configuration',
  );
});
