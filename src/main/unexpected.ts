/**
 * Node ends with status 1 on an error that nobody caught, and 1 is the gate's no. A fault of the program is no
 * verdict: it is 3, could not be measured.
 */
export function endOnUnexpected(): void {
  const end = (error: unknown) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      `pacegate: an unexpected error; nothing was decided. Please report it with what stands here.\n${text}\n`,
    );
    process.exit(3);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
}

/** A reader that has seen enough (`pacegate … | head`) is no fault of the program: its status is the verdict's all the same. */
export function endureClosedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
