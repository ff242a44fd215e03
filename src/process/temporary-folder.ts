import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Files that container engines put into each container. */
const SIGNS = ['/.dockerenv', '/run/.containerenv'];

/**
 * The folder for temporary files. The engine mounts files of it into the measured containers, so it must see the folder at
 * the same path. A runner that is a container itself, such as a pod of the Actions Runner Controller, shares its work
 * volume with the container of the engine, and not its /tmp. RUNNER_TEMP is on that volume. On a machine the system's own
 * folder is right: the runner empties RUNNER_TEMP before each job, and the traces of a killed job would be lost.
 *
 * @param environment the process's
 * @param isContainer whether this process runs in a container
 */
export function temporaryFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  isContainer: () => boolean = () =>
    environment['KUBERNETES_SERVICE_HOST'] !== undefined || SIGNS.some((path) => existsSync(path)),
): string {
  const { TMPDIR: named = '', RUNNER_TEMP: shared = '' } = environment;
  return named === '' && shared !== '' && isContainer() ? shared : tmpdir();
}
