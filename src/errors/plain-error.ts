import { ConfigurationError, MeasurementError, PacegateError } from './errors.ts';

/**
 * What an error of the machine means: a full disk, too few file descriptors, a program that is not
 * there. Undefined for what only a fault of Pacegate can cause, which needs its stack trace.
 */
export function plainError(error: unknown): PacegateError | undefined {
  if (error instanceof PacegateError) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  const what = `${syscall ?? 'a call'}${path === undefined ? '' : ` ${path}`}`;
  const options = { cause: error };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new MeasurementError(
        `The disk is full (${what}: ${code}). Make room, or name another folder with --out, or TMPDIR.`,
        options,
      );
    case 'EMFILE':
    case 'ENFILE':
      return new MeasurementError(
        `Too many files are open (${what}: ${code}). Raise the limit of open files (\`ulimit -n 1024\`), and start again.`,
        options,
      );
    case 'ENOMEM':
    case 'EAGAIN':
      return new MeasurementError(
        `The machine gives no more memory or processes (${what}: ${code}). Free some, and start again.`,
        options,
      );
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      if (path === undefined) return undefined;
      return new ConfigurationError(
        `Access was refused (${what}: ${code}). Check who owns it, and that it may be written.`,
        options,
      );
    case 'EIO':
      return new MeasurementError(
        `The disk does not answer (${what}: ${code}). Look into the kernel's log.`,
        options,
      );
    case 'ENOENT':
      return syscall?.startsWith('spawn') === true
        ? new ConfigurationError(
            `The program ${path ?? ''} was not found in the PATH. Install it, and start again.`,
            options,
          )
        : undefined;
    default:
      return undefined;
  }
}
