import { tmpdir } from 'node:os';
import { join } from 'node:path';

/*
 * One run at a time measures on a machine, and a run that waits would only make the tests slow: each of Jest's workers
 * has its own lock, which the programs that it starts inherit.
 */
process.env['PACEGATE_LOCK_FOLDER'] = join(
  tmpdir(),
  `pacegate-test-lock-${process.env['JEST_WORKER_ID'] ?? '1'}`,
);
