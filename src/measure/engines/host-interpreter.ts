import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ConfigurationError, MeasurementError } from '../../errors/errors.ts';
import { runCommand } from '../../process/command.ts';

/**
 * The real interpreter behind a command: version managers put a shim into the PATH that costs a tenth of a
 * second at each start, which would be measured with every run.
 * @param python a command (`python3`) or a path
 * @returns the absolute path that the interpreter itself names
 * @throws MeasurementError when it does not start
 */
export async function resolveInterpreter(python: string): Promise<string> {
  try {
    const { status, stdout, stderr } = await runCommand(
      python,
      ['-I', '-S', '-c', 'import sys; print(sys.executable)'],
      { timeoutSeconds: 60 },
    );
    // A shim may print lines before the interpreter's line.
    const path = stdout.trimEnd().split('\n').at(-1) ?? '';
    if (status === 0 && path.startsWith('/')) return path;
    throw new Error(stderr.trim() || stdout.trim().slice(0, 200) || `status ${status ?? 'none'}`);
  } catch (error) {
    throw new MeasurementError(
      `The host interpreter ${python} does not start (${error instanceof Error ? error.message : String(error)}). Is it installed and in the PATH? \`python:\` of the variant names another.`,
      { cause: error },
    );
  }
}

/**
 * The host interpreter that a target names: a path, or a command in the PATH.
 * @returns undefined where it can only be an image. @throws ConfigurationError for a path that is not there
 */
export async function namedInterpreter(target: string): Promise<string | undefined> {
  if (await isFile(target)) return target.includes('/') ? target : `./${target}`;
  if (/^\.{0,2}\//.test(target))
    throw new ConfigurationError(
      `${target}: there is no such file. Expected: a host interpreter's path or command, or the name of an image.`,
    );
  if (target.includes('/')) return undefined;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    if (folder !== '' && (await isFile(join(folder, target)))) return join(folder, target);
  return undefined;
}

const isFile = async (path: string) =>
  await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
