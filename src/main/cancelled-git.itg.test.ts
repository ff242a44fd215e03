import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';

/** A cancelled run while git waits for a server that accepts connections and never answers. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CLI = join(import.meta.dirname, '..', 'cli.ts');
let server: Server | undefined;
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server?.close();
});

/** @returns its port, and a promise of the first connection */
async function silentServer() {
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).once('data', asked);
  });
  const made = server;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return { port: (made.address() as AddressInfo).port, isAsked };
}

const processesOf = (port: number) =>
  readdirSync('/proc').filter((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return /^\d+$/.test(name) && words.includes(`127.0.0.1:${port}/`);
    } catch {
      return false;
    }
  });

test.each(['http', 'git'])(
  '%s: a cancel ends it within seconds, with one sentence and no process left',
  async (scheme) => {
    const { port, isAsked } = await silentServer();
    const made = repository();
    made.write(
      '.github/pacegate.yml',
      'version: 1\nworkload: { files: [bench.py], command: [python, bench.py] }\nvariants:\n  here: { interpreter: host, python: python3 }\nrules: { blocks: 8 }\n',
    );
    made.write('bench.py', 'pass\n');
    made.commit('one');
    made.git('remote', 'add', 'origin', `${scheme}://127.0.0.1:${port}/project.git`);
    const temporary = temporaryFolder();
    const gate = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', CLI, 'gate', '--baseline', 'elsewhere'],
      { cwd: made.path, env: { ...process.env, TMPDIR: temporary }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let log = '';
    gate.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const ended = new Promise((resolve) => gate.once('close', resolve));
    await isAsked;
    const began = performance.now();
    gate.kill('SIGTERM');
    expect(await ended).toBe(3);
    expect((performance.now() - began) / 1000).toBeLessThan(8);
    expect(log).toContain('Cancelled');
    expect(log).toContain(
      'The run was cancelled while git worked (`git fetch`), so git was ended and there is no verdict.',
    );
    expect(log).not.toMatch(/^ {4}at /m);
    expect(processesOf(port)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  },
);
