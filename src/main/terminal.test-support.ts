import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Helpers for tests that run the program as a separate process. */

const CLI = join(import.meta.dirname, '..', 'cli.ts');

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly log: string;
}

/**
 * Runs the program in a folder, from its sources.
 * @param meanwhile receives the process and its log so far, at each line
 */
export async function pacegate(
  directory: string,
  args: readonly string[],
  meanwhile: (log: string, interrupt: () => void) => void = () => undefined,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], {
      cwd: directory,
      env: { ...process.env, ...environment },
    });
    let [out, log] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      meanwhile(log, () => child.kill('SIGINT'));
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, log }));
  });
}

/** Gates a repository's last commit against the one before it, by the `pacegate.yml` at its top. The answer is JSON. */
export const gateLastCommit = async (directory: string): Promise<Ended> =>
  await pacegate(directory, [
    ...['gate', '--baseline', 'HEAD~1', '--config', 'pacegate.yml', '--format', 'json'],
  ]);
