import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from '@jest/globals';

const required = process.env['PACEGATE_REQUIRE_ENGINE'] === '1';
const answers = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;

/**
 * A test that needs a real engine with its base images. Without an engine it is skipped, or fails if
 * PACEGATE_REQUIRE_ENGINE=1 is set.
 */
export const withEngine: typeof test | typeof test.skip = answers || required ? test : test.skip;

/** The same for a test that needs one of the tools of `.ci/tools`. */
export const withTool = (path: string): typeof test | typeof test.skip =>
  existsSync(path) || required ? test : test.skip;

/** For a test that needs the engine and this machine's valgrind. */
export const withValgrind = existsSync('/usr/bin/valgrind') || required ? withEngine : test.skip;

/** The path of a tool that `.ci/tools` installs. */
export const toolPath = (name: string): string =>
  join(process.env['PACEGATE_TOOLS'] ?? '/opt/pacegate-tools', 'bin', name);

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
