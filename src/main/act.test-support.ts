import { spawn } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { freePort, toolPath } from '../process/engine.test-support.ts';
import { shallowClone, temporaryFolder } from '../source/repository.test-support.ts';

/** Runs workflows with act on this machine, with the built action and act's own artifact server. */

export const TOP = join(import.meta.dirname, '..', '..');
export const ACT = toolPath('act');

/** The files that the action ships, in a folder with nothing else. */
export function shippedAction(): string {
  const folder = temporaryFolder();
  for (const name of ['action.yml', 'dist', 'variants'])
    cpSync(join(TOP, name), join(folder, name), { recursive: true });
  return folder;
}

export interface WorkflowRun {
  readonly status: number;
  readonly log: string;
  /** The last value of each output. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface WorkflowRequest {
  /** The file's name in `.github/workflows`, without `.yml`. */
  readonly workflow: string;
  readonly event: string;
  /** The ref of the checkout. */
  readonly ref: string;
  readonly payload: unknown;
  readonly origin: string;
  /** The folder of act's artifact server. */
  readonly artifacts: string;
  /** The address of GitHub's API. */
  readonly api: string;
  /** The folder of the action, from `shippedAction`. */
  readonly action: string;
  readonly inputs?: Readonly<Record<string, string>>;
}

/** Runs a workflow on a checkout as GitHub makes it: one commit of history, detached. */
export async function runAct(request: WorkflowRequest): Promise<WorkflowRun> {
  const { workflow, event, ref, payload, origin, artifacts, api, action, inputs = {} } = request;
  const checkout = shallowClone(origin, ref);
  // act does not copy empty folders, and a repository needs refs/.
  checkout.git('branch', 'checkout');
  const eventFile = join(temporaryFolder(), 'event.json');
  writeFileSync(eventFile, JSON.stringify(payload));
  const args = [
    event,
    ...['--workflows', `.github/workflows/${workflow}.yml`, '--eventpath', eventFile],
    ...['--platform', 'ubuntu-latest=-self-hosted', '--local-repository', `pacegate/pacegate@v1=${action}`],
    ...['--artifact-server-path', artifacts, '--artifact-server-addr', '127.0.0.1'],
    ...['--artifact-server-port', String(await freePort()), '--secret', 'GITHUB_TOKEN=x0x0x0x0'],
    ...['--env', `GITHUB_API_URL=${api}`, '--env', 'GITHUB_REPOSITORY=owner/name'],
    ...Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`]),
  ];
  const cache = temporaryFolder();
  return await new Promise((resolve, reject) => {
    const child = spawn(ACT, args, {
      cwd: checkout.path,
      // The action uses the same Node as the tests.
      env: {
        ...process.env,
        PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        XDG_CACHE_HOME: cache,
      },
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => {
      const outputs = Object.fromEntries(
        [...log.matchAll(/::set-output:: ([\w-]+)=(.*)/g)].map(([, name = '', value = '']) => [name, value]),
      );
      resolve({ status: status ?? -1, log, outputs });
    });
  });
}

/** act cannot load the action that downloads artifacts, so a step unpacks them from act's own server instead. */
export function withDownload(workflow: string, kept: string): string {
  const step =
    / {6}- uses: actions\/download-artifact@[^\n]+\n {8}with:\n {10}pattern: (\S.*)\n {10}path: (\S+)\n/g;
  expect(workflow.search(step)).toBeGreaterThan(0);
  const unpack = (_: string, pattern: string, path: string) =>
    `      - run: for zip in $(find ${kept} -name '${pattern}.zip'); do python3 -m zipfile -e $zip ${path}/$(basename $zip .zip); done\n`;
  // The jobs run one after the other, because two jobs on one machine would disturb each other.
  return workflow
    .replaceAll(step, unpack)
    .replace('fail-fast: false', 'fail-fast: false\n      max-parallel: 1');
}
