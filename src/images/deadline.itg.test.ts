import { expect, jest } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { startOwnEngine, withOwnEngine, type OwnEngine } from '../process/own-engine.test-support.ts';
import type { Variant } from '../plan/plan.ts';
import { builderOf, carried, folderWith, lines, never } from './images.test-support.ts';

/** Builds that do not end: by their own doing, and by the engine's. */
jest.setTimeout(600_000);
const shared = process.env['DOCKER_HOST'];
let own: OwnEngine | undefined;
afterAll(async () => {
  if (shared === undefined) Reflect.deleteProperty(process.env, 'DOCKER_HOST');
  else process.env['DOCKER_HOST'] = shared;
  await own?.stop();
});

const bake: Variant = {
  ...carried,
  name: 'own',
  kind: 'bake',
  file: 'docker-bake.json',
  target: 'image',
  python: 'python',
} as unknown as Variant;
const tree = (...steps: readonly string[]) =>
  folderWith({
    'docker-bake.json': JSON.stringify({ target: { image: { context: '.' } } }),
    Dockerfile: ['FROM debian:trixie-slim', ...steps].join('\n'),
  });
const bakeProcesses = (folder: string) =>
  readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });

async function prepare(folder: string, secondsLeft: number) {
  const { builder } = builderOf();
  await builder.check();
  const began = performance.now();
  const result = await builder.prepare(
    { variant: bake, side: 'head', tree: folder, filesFrom: folder, secondsLeft },
    never,
  );
  if (result.kind === 'ready') throw new Error('it was built');
  return { ...result.failure, seconds: (performance.now() - began) / 1000 };
}

withEngine('a step that hangs ends with the budget, is named, and decides nothing', async () => {
  const folder = await tree('RUN --network=none echo waiting for nothing; sleep 1000');
  const failure = await prepare(folder, 6);
  expect(failure).toMatchObject({ variant: 'own', side: 'head', stage: 'engine' });
  expect(failure.message).toMatch(
    /^own \(head\): the build did not end within the time that the budget left for it \(6 s\): it was ended after 6 s at `RUN --network=none echo waiting for nothing; sleep 1000` of the application's Dockerfile, which had run for [1-6] s\.\nIts last lines:\n {2}waiting for nothing\nIf the step is meant to take that long, raise rules\.budget; if not, it hangs\.$/,
  );
  expect(failure.seconds).toBeLessThan(13);
  expect(bakeProcesses(folder)).toEqual([]);
});

withEngine('nothing is begun when the budget is over', async () => {
  const failure = await prepare(await tree('RUN sleep 1000'), 0);
  expect(failure).toMatchObject({
    stage: 'engine',
    message: expect.stringContaining('the budget was spent'),
  });
  expect(failure.seconds).toBeLessThan(2);
});

withEngine('a failed step is an error of the Dockerfile, even if it prints an engine’s message', async () => {
  const words = 'rpc error: code = Unavailable, could not find bridge docker0, connection refused';
  const failure = await prepare(await tree(`RUN --network=none echo '${words}'; exit 3`), 60);
  expect(failure.stage).toBe('build');
  expect(failure.message).toMatch(
    /the build stopped at `RUN .* of the application's Dockerfile: exit code: 3\./,
  );
});

withOwnEngine('an engine that freezes, or is killed, in a build is not the Dockerfile’s fault', async () => {
  own = await startOwnEngine('debian:trixie-slim');
  const { host } = own;
  process.env['DOCKER_HOST'] = host;
  const folder = await tree('RUN --network=none sleep 1000');
  const frozen = prepare(folder, 8);
  setTimeout(() => process.kill(own?.pid() ?? 0, 'SIGSTOP'), 5000);
  const silent = await frozen;
  expect(silent.stage).toBe('engine');
  expect(silent.message).toMatch(/the build was ended after \d+ s: the Docker engine does not answer/);
  expect(silent.seconds).toBeLessThan(35);
  process.kill(own.pid(), 'SIGCONT');

  const killed = prepare(folder, 60);
  setTimeout(() => process.kill(own?.pid() ?? 0, 'SIGKILL'), 5000);
  const dead = await killed;
  expect(dead.stage).toBe('engine');
  expect(dead.message).toMatch(/the engine failed while it built the image/);
  expect(dead.message).toMatch(/The Dockerfile is not the cause/);
  expect(dead.message).toMatch(/This was tried 4 times, with waits between\.$/);
  expect(dead.seconds).toBeGreaterThan(15);
});

withOwnEngine(
  'an engine that is started again in a build is waited for, and the image is built',
  async () => {
    await own?.stop();
    own = await startOwnEngine('debian:trixie-slim');
    const { host, restart } = own;
    process.env['DOCKER_HOST'] = host;
    const folder = await tree('RUN --network=none sleep 6; echo built > /built');
    const { builder } = builderOf();
    await builder.check();
    setTimeout(() => void restart(4), 3000);
    const result = await builder.prepare(
      { variant: bake, side: 'head', tree: folder, filesFrom: folder, secondsLeft: 90 },
      never,
    );
    expect(result).toMatchObject({ kind: 'ready' });
    expect(lines.filter((line) => line.includes('Pacegate tries again in'))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^own \(head\): .* Pacegate tries again in 1 s\.$/)]),
    );
  },
);
