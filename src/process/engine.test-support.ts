import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { test } from '@jest/globals';

const answers = spawnSync('docker', ['version'], { stdio: 'ignore' }).status === 0;

/**
 * A test that needs a real engine with its base images. Without one it is skipped, unless
 * PACEGATE_REQUIRE_ENGINE=1 says that there has to be one: then it fails.
 */
export const withEngine: typeof test | typeof test.skip =
  answers || process.env['PACEGATE_REQUIRE_ENGINE'] === '1' ? test : test.skip;

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
