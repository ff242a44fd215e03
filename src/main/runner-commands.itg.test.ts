import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { startGitHubServer, type GitHubServer } from '../github/server.test-support.ts';
import { freePort, toolPath, withEngine } from '../process/engine.test-support.ts';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  shallowClone,
  temporaryFolder,
} from '../source/repository.test-support.ts';

/**
 * A runner executes some lines of a job's output as commands. The output of a build and a workload goes through the
 * built action to act, which reads commands like GitHub's runner.
 */

jest.setTimeout(600_000);

const TOP = join(import.meta.dirname, '..', '..');

/** act's log after it executed a line's command. */
const DONE = [
  /⚙ +::set-output:: verdict=forged/,
  /⚙ +::set-output:: ado=forged/,
  /⚙ +::add-mask::/,
  /⚙ +::stop-commands::/,
  /❗ +::error::\s*forged/,
];
/** As many lines as a message quotes. Some follow white space, or characters that only a terminal hides. */
const HOSTILE = [
  '::set-output name=verdict::forged',
  '  ::set-output name=verdict::forged',
  '\u001b[0m::set-output name=verdict::forged',
  '##[set-output name=ado;]forged',
  '##[set-output name=ado]forged',
  'a\r##[set-output name=ado]forged',
  '::error::forged',
  'a\r::error::forged',
  '##[error]forged',
  '::add-mask::nobody',
  '##[add-mask]nobody',
  '::stop-commands::until-never',
];

let github: GitHubServer;
beforeAll(async () => {
  github = await startGitHubServer({ identity: 'job' });
});
afterAll(async () => {
  await github.close();
  removeTemporaryFolders();
});

/**
 * Runs a pull request's workflow file with act.
 * @returns act's output
 */
async function act(origin: string, action: string, workflow: string): Promise<string> {
  const checkout = shallowClone(origin, 'refs/pull/7/merge');
  checkout.git('branch', 'checkout');
  const eventFile = join(temporaryFolder(), 'event.json');
  const repo = { full_name: 'owner/name' };
  writeFileSync(
    eventFile,
    JSON.stringify({
      pull_request: { number: 7, base: { ref: 'main', repo }, head: { ref: 'change', repo } },
      repository: { ...repo, name: 'name', owner: { login: 'owner' }, default_branch: 'main' },
    }),
  );
  const args = [
    ...['pull_request', '--workflows', `.github/workflows/${workflow}`, '--eventpath', eventFile],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--local-repository', `pacegate/pacegate@v1=${action}`],
    ...['--artifact-server-path', temporaryFolder(), '--artifact-server-addr', '127.0.0.1'],
    ...['--artifact-server-port', String(await freePort()), '--secret', 'GITHUB_TOKEN=x0x0x0x0'],
    ...['--env', `GITHUB_API_URL=${github.url}`, '--env', 'GITHUB_REPOSITORY=owner/name'],
  ];
  return await new Promise((resolve, reject) => {
    const child = spawn(toolPath('act'), args, {
      cwd: checkout.path,
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        XDG_CACHE_HOME: temporaryFolder(),
      },
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(log));
  });
}

withEngine('the output of a build and of a workload contains no command for the runner', async () => {
  const action = temporaryFolder();
  for (const name of ['action.yml', 'dist', 'variants'])
    cpSync(join(TOP, name), join(action, name), { recursive: true });
  const project = repositoryWithOrigin();
  const bare = project.origin;
  const gate = readFileSync(join(TOP, 'examples/gate.yml'), 'utf8');
  project.write('.github/workflows/gate.yml', gate);
  // A control: act executes the lines if a step prints them.
  const bareStep = gate.replace(/ +- uses: pacegate[^]*/, '      - run: cat hostile.txt\n');
  project.write('.github/workflows/cat.yml', bareStep);
  project.write(
    '.github/pacegate.yml',
    `version: 1
workload: { files: [bench.py, hostile.txt], command: [python, bench.py], dockerfile: Dockerfile }
variants:
  works: { interpreter: official, python: "3.13" }
  broken: { interpreter: official, python: "3.13", env: { BREAK_BUILD: "1" } }
rules: { blocks: 10, budget: 60s }
`,
  );
  project.write('hostile.txt', `${HOSTILE.join('\n')}\n`);
  const dockerfile = (run: string) => `FROM python\nCOPY . /app\nWORKDIR /app\nRUN ${run}\n`;
  project.write('Dockerfile', dockerfile('cat hostile.txt'));
  project.write('bench.py', 'pass\n');
  project.commit('one');
  project.git('push', '-q', 'origin', 'main');
  const logs: string[] = [];
  for (const [file, text] of [
    ['bench.py', 'import sys\nsys.stderr.write(open("hostile.txt").read())\nsys.exit("broken")\n'],
    ['Dockerfile', dockerfile('cat hostile.txt; exit 1')],
  ] as const) {
    project.git('checkout', '-q', '-B', 'change', 'main');
    project.write(file, text);
    project.commit(`break ${file}`);
    project.git('checkout', '-q', '--detach', 'main');
    project.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
    project.git('push', '-q', '-f', 'origin', 'HEAD:refs/pull/7/merge');
    logs.push(await act(bare, action, 'gate.yml'));
  }
  const plain = await act(bare, action, 'cat.yml');
  expect(DONE.filter((done) => done.test(plain)).length).toBeGreaterThan(2);
  for (const log of logs) {
    expect(log).toContain('forged');
    expect(DONE.filter((done) => done.test(log))).toEqual([]);
    expect(log).toMatch(/::set-output:: verdict=failed/);
    expect(log).not.toContain('\u001b[0m##');
  }
});
