import { afterAll, expect, test } from '@jest/globals';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { realPorts, runIn } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';
import { planOf } from '../plan/plan.test-support.ts';
import { ignoredDockerfile, unlockedDependencies } from './exported-sides.ts';
import { gateRepository } from './gate-repository.ts';

/** Requests that are rejected before anything is exported, built or run. */

afterAll(removeTemporaryFolders);

const configuration = (variants: string) =>
  `version: 1\nworkload: { command: [python, bench.py] }\nvariants: { a: { interpreter: debian }${variants} }\n`;

async function gateMerge(variants: string, part: Parameters<typeof gateRepository>[6] = {}) {
  const repo = repository();
  repo.write('.github/pacegate.yml', configuration(''));
  repo.commit('base');
  repo.git('checkout', '-q', '-b', 'change');
  repo.write('.github/pacegate.yml', configuration(variants));
  repo.commit('change');
  repo.git('checkout', '-q', 'main');
  repo.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  return await gateRepository(
    await openProject({ directory: repo.path, config: undefined, overrides: {} }, realPorts().source),
    {},
    {
      event: 'pull_request',
      mergeSha: repo.git('rev-parse', 'HEAD'),
      gitEnvironment: {},
      secretsOnPullRequests: false,
    },
    await runIn(temporaryFolder()),
    realPorts(),
    new AbortController().signal,
    part,
  );
}

test('a pull request cannot add a host variant to a configuration that its base has', async () => {
  await expect(gateMerge(', here: { interpreter: host, python: python3 }')).rejects.toThrow(
    'here: a pull request adds a variant with `interpreter: host`',
  );
});

test.each([
  [{ 'app/pyproject.toml': '[project]\ndependencies = [\n  "a",\n]\n' }, 'app/pyproject.toml'],
  [{ 'app/pyproject.toml': '[project]\ndynamic = ["version", "dependencies"]\n' }, 'app/pyproject.toml'],
  [{ 'app/setup.py': 'setup(install_requires=["a"])\n' }, 'app/setup.py'],
  [{ 'app/pyproject.toml': '[project]\ndependencies = []\n' }, undefined],
  [{ 'app/pyproject.toml': '[project]\ndependencies = ["a"]\n', 'app/uv.lock': '' }, undefined],
  [{ 'app/setup.py': 'setup(install_requires=["a"])\n', 'app/requirements.txt': '' }, undefined],
])('%j: dependencies without a lock file are named: %s', async (files, named) => {
  const repo = repository();
  repo.write('app/bench.py', '');
  for (const [path, text] of Object.entries(files as Record<string, string>)) repo.write(path, text);
  repo.commit('base');
  const { source } = realPorts();
  const plan = planOf({ workload: '{ context: app, command: [python, bench.py] }' });
  const notes = await unlockedDependencies(plan, repo.path, await source.resolveHead(repo.path), source);
  expect(notes).toEqual(
    named === undefined
      ? []
      : [expect.stringMatching(new RegExp(`^${named} has no lock file next to it: .*uv lock`))],
  );
});

test('a Dockerfile that is not used is named', async () => {
  const repo = repository();
  const plan = (more = '') => planOf({ workload: `{ context: app, command: [python, bench.py]${more} }` });
  expect(await ignoredDockerfile(plan(), repo.path, realPorts().source)).toEqual([]);
  repo.write('app/Dockerfile', 'FROM python');
  expect(await ignoredDockerfile(plan(), repo.path, realPorts().source)).toEqual([
    expect.stringMatching(/^app\/Dockerfile is not used: workload\.dockerfile is not set/),
  ]);
  expect(await ignoredDockerfile(plan(', dockerfile: Dockerfile'), repo.path, realPorts().source)).toEqual(
    [],
  );
  expect(await ignoredDockerfile({ ...plan(), variants: [] }, repo.path, realPorts().source)).toEqual([]);
});

test('a shard without a variant is refused with the allowed values', async () => {
  await expect(gateMerge('', { shard: { index: 2, of: 2 } })).rejects.toThrow(
    'Shard 2 of 2 has no variant: the plan has 1 (a); expected: at most 1 shard.',
  );
});
