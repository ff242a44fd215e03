import { MeasurementError } from '../../errors/errors.ts';
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
    // A shim may have words of its own before the interpreter's line.
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
