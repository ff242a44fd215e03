import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  shallowClone,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { realPorts, runIn } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';
import { measureNight } from './measure-night.ts';
import { mayHaveSecrets, sidesOf, type Occasion } from './occasion.ts';
import { ruledPlan } from './ruled-plan.ts';

/** What a checkout's configuration may decide, on a real git server. Its commit decides, and not the event's name. */

afterAll(removeTemporaryFolders);
// Each test calls git about thirty times.
jest.setTimeout(600_000);

const configuration = (limit: string, more = '') =>
  `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
metrics: { wall_time_s: { limit: ${limit} } }
build: { secrets: ['id=token,env=TOKEN'] }
${more}`;

const FILE = '.github/pacegate.yml';
const NOT_ASKED = ['push', 'workflow_run', 'issue_comment', 'workflow_dispatch', 'schedule'];

interface Server {
  readonly path: string;
  readonly repo: TestRepository;
}

/**
 * A bare repository with a main branch.
 * @param text of its configuration; undefined for none
 */
function server(text: string | undefined): Server {
  const repo = repositoryWithOrigin();
  repo.write('bench.py', 'pass\n');
  if (text !== undefined) repo.write(FILE, text);
  repo.commit('base');
  repo.git('push', '-q', 'origin', 'main');
  return { path: repo.origin, repo };
}

/** Commits to the branch `change` and pushes it. */
function change({ repo }: Server, edit: (repo: TestRepository) => void, branch = 'change'): string {
  repo.git('checkout', '-q', '-B', branch, 'main');
  edit(repo);
  const commit = repo.commit('a change');
  repo.git('push', '-q', '-f', 'origin', branch);
  repo.git('checkout', '-q', 'main');
  return commit;
}

/** The rules that apply to a checkout with one commit of history, as actions/checkout makes it. */
async function ruled(
  { path }: Server,
  ref: string,
  occasion: Partial<Occasion> & { readonly event: string },
  prepare: (checkout: TestRepository) => void = () => undefined,
  config?: string,
) {
  const checkout = shallowClone(path, ref);
  prepare(checkout);
  const given = { gitEnvironment: {}, secretsOnPullRequests: false, defaultBranch: 'main', ...occasion };
  const project = await openProject(
    { directory: checkout.path, config, overrides: {}, follow: false },
    realPorts().source,
  );
  const { sides, standing } = await sidesOf(project, given, realPorts().source);
  const { plan, base, remarks } = await ruledPlan(project, {}, { standing, sides }, realPorts().source);
  const limit = plan.rules.metrics.find(({ name }) => name === 'wall_time_s')?.limit;
  return { limit, base, remarks, standing, secrets: plan.build.secrets, given };
}

const loosened = (repo: TestRepository) => repo.write(FILE, configuration('50%'));

describe.each(NOT_ASKED)("%s with a pull request's checkout", (event) => {
  test('is judged by the rules of the default branch, and has no build secrets', async () => {
    const origin = server(configuration('4%'));
    const commit = change(origin, loosened);
    const found = await ruled(origin, commit, { event, before: commit, secretsOnPullRequests: true });
    expect(found.limit).toBe(0.04);
    expect(found.remarks[0]).toContain(`${commit.slice(0, 10)} is not on the default branch main`);
    expect(mayHaveSecrets(found.standing, found.given)).toBe(false);
  });

  test('feeds no baseline', async () => {
    const origin = server(configuration('4%'));
    const commit = change(origin, loosened);
    const checkout = shallowClone(origin.path, commit);
    const night = measureNight(
      await openProject({ directory: checkout.path, config: undefined, overrides: {} }, realPorts().source),
      { event, defaultBranch: 'main', gitEnvironment: {}, anchorNow: false },
      await runIn(temporaryFolder()),
      realPorts(),
      new AbortController().signal,
    );
    await expect(night).rejects.toThrow(
      `accepts only trusted commits; nothing was built or run. Found: ${commit.slice(0, 10)} is not on the default branch main.`,
    );
  });

  test('is judged by its own rules where its commit is on the default branch', async () => {
    const origin = server(configuration('4%'));
    const found = await ruled(origin, 'main', { event });
    expect(found).toMatchObject({ limit: 0.04, standing: { kind: 'trusted', branch: 'main' }, remarks: [] });
    expect(mayHaveSecrets(found.standing, found.given)).toBe(true);
  });
});

test('a pull request has build secrets if the workflow allows it, a merge group never', () => {
  const wanted = (event: string) =>
    mayHaveSecrets({ kind: 'change' }, { event, secretsOnPullRequests: true });
  expect(['pull_request', 'merge_group', 'workflow_run'].map(wanted)).toEqual([true, false, false]);
});

test('only the default branch’s configuration names other trusted branches', async () => {
  const origin = server(configuration('4%'));
  const asked = (repo: TestRepository) => {
    repo.write(FILE, configuration('50%', 'trust: { branches: ["release/*", "change"] }\n'));
  };
  const own = change(origin, asked);
  expect((await ruled(origin, own, { event: 'push' })).limit).toBe(0.04);
  origin.repo.write(FILE, configuration('4%', 'trust: { branches: ["release/*"] }\n'));
  origin.repo.commit('release branches are trusted');
  origin.repo.git('push', '-q', 'origin', 'main');
  const release = change(origin, asked, 'release/1.0');
  expect(await ruled(origin, release, { event: 'push' })).toMatchObject({
    limit: 0.5,
    standing: { kind: 'trusted', branch: 'release/1.0' },
  });
  const other = change(origin, (repo) => {
    asked(repo);
    repo.write('x', 'x');
  });
  expect((await ruled(origin, other, { event: 'push' })).limit).toBe(0.04);
});

test('a configuration that an earlier step replaced is not the trusted commit’s', async () => {
  const origin = server(configuration('4%'));
  origin.repo.write('bench.py', 'pass # again\n');
  origin.repo.commit('more');
  origin.repo.git('push', '-q', 'origin', 'main');
  const found = await ruled(origin, 'main', { event: 'push' }, loosened);
  expect(found.limit).toBe(0.04);
  expect(found.remarks[0]).toContain(`${FILE} in the checkout is not the one of its commit`);
});

test('a checkout of only the head is judged by its base, which is fetched', async () => {
  const origin = server(configuration('4%'));
  const commit = change(origin, loosened);
  const found = await ruled(origin, commit, {
    event: 'pull_request',
    baseRef: 'main',
    mergeSha: 'f'.repeat(40),
  });
  expect(found.limit).toBe(0.04);
});

test('a change whose base is not available is not judged by its own rules: status 3, and what to do', async () => {
  const origin = server(configuration('4%'));
  const commit = change(origin, loosened);
  const away = (checkout: TestRepository) => checkout.git('remote', 'set-url', 'origin', temporaryFolder());
  for (const event of ['pull_request', 'push', 'workflow_run'])
    await expect(
      ruled(origin, commit, { event, baseRef: 'main' }, (checkout) => void away(checkout)),
    ).rejects.toMatchObject({
      exitStatus: 3,
      message: expect.stringMatching(/the base is not available: .*Nothing was built or run\. Let actions/),
    });
  // An orphan has no merge base, even with the whole history.
  origin.repo.git('checkout', '-q', '--orphan', 'orphan');
  loosened(origin.repo);
  const orphan = origin.repo.commit('nothing before it');
  origin.repo.git('push', '-q', 'origin', 'orphan');
  await expect(ruled(origin, orphan, { event: 'pull_request', baseRef: 'main' })).rejects.toMatchObject({
    exitStatus: 3,
    message: expect.stringContaining('and main have no commit in common'),
  });
});

test('the first change with a configuration is judged by its own, without secrets, and the report tells it', async () => {
  const origin = server(undefined);
  const commit = change(origin, loosened);
  expect(await ruled(origin, commit, { event: 'pull_request', baseRef: 'main' })).toMatchObject({
    limit: 0.5,
    secrets: [],
    remarks: [
      `The base has no ${FILE}: this is its first change with one, so the rules are this change's own.`,
    ],
  });
});

test.each([
  ['a file beside it', (repo: TestRepository) => repo.git('mv', FILE, 'perf.yml')],
  [
    'a file that is written anew',
    (repo: TestRepository) => {
      repo.git('rm', '-q', FILE);
      repo.write('perf.yml', `# ${'other words '.repeat(99)}\n${configuration('50%')}`);
    },
  ],
])('a configuration that is moved to %s is judged by the one it was', async (_, move) => {
  const origin = server(configuration('4%'));
  const commit = change(origin, (repo) => {
    move(repo);
    repo.write('perf.yml', configuration('50%'));
  });
  const at = { event: 'pull_request', baseRef: 'main' };
  const found = await ruled(origin, commit, at, undefined, 'perf.yml');
  expect(found.limit).toBe(0.04);
  expect(found.remarks[0]).toContain(`The base's configuration is ${FILE}; this change moves it to perf.yml`);
});

test('a second configuration is a first one, and the other is named', async () => {
  const origin = server(configuration('4%'));
  const commit = change(origin, (repo) => repo.write('b/perf.yml', configuration('50%')));
  const at = { event: 'pull_request', baseRef: 'main' };
  const found = await ruled(origin, commit, at, undefined, 'b/perf.yml');
  expect(found.limit).toBe(0.5);
  expect(found.remarks[0]).toContain(`The base has ${FILE}, which is another one`);
});

test.each([
  ['is broken', (repo: TestRepository) => repo.write(FILE, 'version: 1\nworkload: {}\n')],
  [
    'is a link to a place outside the repository',
    (repo: TestRepository) => {
      repo.git('rm', '-q', FILE);
      repo.git('update-index', '--add', '--cacheinfo', `120000,${link(repo, '/etc/pacegate.yml')},${FILE}`);
      repo.git('commit', '-q', '-m', 'a link');
      repo.git('checkout', '-q', '--', '.');
    },
  ],
  [
    'lies in a submodule',
    (repo: TestRepository) => {
      repo.git('rm', '-q', FILE);
      repo.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},.github`);
      repo.git('commit', '-q', '-m', 'a submodule');
      mkdirSync(join(repo.path, '.github'), { recursive: true });
    },
  ],
])('a base whose configuration %s gives its change the rules that hold without one', async (_, damage) => {
  const origin = server(configuration('4%'));
  damage(origin.repo);
  if (origin.repo.git('status', '--porcelain') !== '') origin.repo.commit('damaged');
  origin.repo.git('push', '-q', '-f', 'origin', 'HEAD:main');
  const commit = change(origin, (repo) => {
    repo.git('rm', '-q', '-r', '--cached', '.github');
    repo.git('clean', '-q', '-fdx');
    loosened(repo);
  });
  const found = await ruled(origin, commit, { event: 'pull_request', baseRef: 'main' });
  expect(found).toMatchObject({ limit: 0.03, secrets: [] });
  expect(found.remarks[0]).toContain(
    "The base's configuration cannot be read, so the default rules apply, not this change's own.",
  );
});

/** The blob of a symbolic link. */
function link(repo: TestRepository, target: string): string {
  repo.write('.git/link', target);
  return repo.git('hash-object', '-w', '.git/link');
}

test('a base whose configuration is a link inside of the repository is read through it', async () => {
  const origin = server(undefined);
  origin.repo.write('perf/rules.yml', configuration('4%'));
  origin.repo.git('add', '-A');
  origin.repo.git(
    'update-index',
    '--add',
    '--cacheinfo',
    `120000,${link(origin.repo, '../perf/rules.yml')},${FILE}`,
  );
  origin.repo.git('commit', '-q', '-m', 'a link');
  origin.repo.git('checkout', '-q', '--', '.');
  origin.repo.git('push', '-q', 'origin', 'main');
  const commit = change(origin, (repo) => repo.write('perf/rules.yml', configuration('50%')));
  expect(await ruled(origin, commit, { event: 'pull_request', baseRef: 'main' })).toMatchObject({
    limit: 0.04,
    remarks: [],
  });
});

test("a change's configuration that is a link out of the repository is not read into its report", async () => {
  const origin = server(configuration('4%'));
  const commit = change(origin, (repo) => {
    repo.git('rm', '-q', FILE);
    repo.git('update-index', '--add', '--cacheinfo', `120000,${link(repo, '/etc/hostname')},${FILE}`);
    repo.git('commit', '-q', '-m', 'a link');
    repo.git('checkout', '-q', '--', '.');
  });
  await expect(ruled(origin, commit, { event: 'pull_request', baseRef: 'main' })).rejects.toThrow(
    `${FILE} is a link to a place outside the repository`,
  );
});
