import { afterEach, expect } from '@jest/globals';
import { startGitHubServer, type GitHubServer, type ServerOptions } from './server.test-support.ts';

/**
 * For the servers of a test file: each one is closed after its test, and the test fails if a request or an answer broke
 * GitHub's description.
 * @returns starts a server
 */
export function checkedServers(): (options?: ServerOptions) => Promise<GitHubServer> {
  const servers: GitHubServer[] = [];
  afterEach(async () => {
    const started = servers.splice(0);
    await Promise.all(started.map(({ close }) => close()));
    expect(started.flatMap(({ violations }) => violations)).toEqual([]);
  });
  return async (options) => {
    const server = await startGitHubServer(options);
    servers.push(server);
    return server;
  };
}
