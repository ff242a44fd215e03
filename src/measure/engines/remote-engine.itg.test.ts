import { afterAll, expect, jest } from '@jest/globals';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import { withEngine } from '../../process/engine.test-support.ts';

/** An engine that is reached over TCP: one that sees this machine's folders, and one that does not, as beside a pod. */

jest.setTimeout(300_000);
const TOP = join(import.meta.dirname, '../../..');
const IMAGE = 'python:3.13-slim-trixie';
const servers: Server[] = [];
const folders: string[] = [];
afterAll(async () => {
  for (const server of servers) server.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** A TCP address of the shared engine. */
async function tcpAddress(): Promise<string> {
  // A docker client ends its own half of a connection first, and then reads the container's output.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: '/var/run/docker.sock', allowHalfOpen: true });
    client.pipe(engine).pipe(client);
    for (const end of [client, engine])
      end.on('error', () => [client, engine].forEach((one) => one.destroy()));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Asks an image's interpreter for its facts, in a process of its own whose folder the engine sees or not. */
async function factsBy(hidden: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-remote-'));
  folders.push(folder);
  await mkdir(join(folder, 'probe'));
  const script = `
    import { containerEngine } from '${TOP}/src/measure/engines/container.ts';
    import { ownerOfThisProcess } from '${TOP}/src/process/owner.ts';
    const [probe, facts] = ['probe.py', 'facts.py'].map((name) => '${folder}/probe/' + name);
    const engine = containerEngine({ sessionId: 'remote-${process.pid}', owner: ownerOfThisProcess(), probe, facts });
    const image = { variant: 'official', side: 'head', id: '${IMAGE}', engine: 'container' };
    const runnable = { image, python: 'python3', env: {}, flags: [], filesFrom: '${folder}' };
    const found = await engine.facts(runnable).catch(({ message }) => ({ message }));
    console.log(found.version ?? JSON.stringify(found));
  `;
  // A file system that is mounted in a namespace of its own is not there for the engine.
  const cover = hidden ? `mount -t tmpfs none ${folder}/probe &&` : '';
  const scripts = join(TOP, 'src/measure/probe');
  return await runCommand(
    'unshare',
    [
      ...['--mount', 'sh', '-c', `${cover} cp ${scripts}/*.py ${folder}/probe && exec "$0" "$@"`],
      ...[process.execPath, '--input-type=module', '--eval', script],
    ],
    { env: { ...process.env, DOCKER_HOST: await tcpAddress() }, timeoutSeconds: 120 },
  );
}

withEngine('an engine over TCP that sees the folders is one like any other', async () => {
  const { stdout, stderr } = await factsBy(false);
  expect(`${stdout}${stderr}`).toMatch(/3\.13\.\d+/);
});

withEngine('an engine that does not see the folders is named, with what to do', async () => {
  const { stdout } = await factsBy(true);
  expect(stdout).toMatch(/bind source path does not exist/);
  expect(stdout).toMatch(/The Docker engine does not see this path, .*\(DOCKER_HOST\).*TMPDIR/);
});
