import { OWNER_LABEL, SESSION_LABEL } from '../src/measure/engines/container-arguments.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';
import { runCommand } from '../src/process/command.ts';

export const PYTHON_IMAGE = 'python:3.13-slim-trixie';

export const SESSION = `benchmark-${process.pid}`;

/** By which Pacegate's next start finds and removes what a killed benchmark left. */
export const LABELS = [
  ...['--label', `${SESSION_LABEL}=${SESSION}`],
  ...['--label', `${OWNER_LABEL}=${ownerOfThisProcess()}`],
];

/** Asks the docker client. @returns what it printed @throws Error with what it complained of */
export async function docker(
  args: readonly string[],
  options: { readonly input?: string; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const { status, stdout, stderr } = await runCommand('docker', args, options);
  options.signal?.throwIfAborted();
  if (status !== 0) throw new Error(`docker ${args[0] ?? ''} failed: ${stderr.trim()}`);
  return stdout.trim();
}
