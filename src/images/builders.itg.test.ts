import { afterAll, afterEach, beforeAll, expect, jest } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { InterpreterVariant } from '../plan/plan.ts';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { tryDocker } from './docker.ts';
import {
  builderOf,
  carried,
  folderWith,
  never,
  output,
  ready,
  startRegistry,
  top,
} from './images.test-support.ts';

/**
 * A builder beside the engine's own, as docker/setup-buildx-action makes one: it does not see the engine's images, and
 * can write the caches that the engine's cannot. Each is new: what it has, it has from a cache or a registry.
 */
jest.setTimeout(600_000);
const buildkitd = toolPath('buildkitd');

let registry: Awaited<ReturnType<typeof startRegistry>> | undefined;
/** `127.0.0.1:port/debian:trixie-slim@sha256:…`: this builder has no other way to a base image. */
let base = '';
const running: { readonly name: string; readonly child: ChildProcess }[] = [];
let count = 0;
const environment = process.env['BUILDX_BUILDER'];

beforeAll(async () => {
  if (buildkitd === '' || (await tryDocker(['version']).catch(() => undefined))?.status !== 0) return;
  registry = await startRegistry();
  const name = `127.0.0.1:${registry.port}/debian:trixie-slim`;
  await tryDocker(['tag', 'debian:trixie-slim', name]);
  const pushed = await tryDocker(['push', '--quiet', name], { timeoutSeconds: 300 });
  if (pushed.status !== 0) throw new Error(pushed.stderr);
  const digest = await tryDocker(['image', 'inspect', '--format', '{{index .RepoDigests 0}}', name]);
  base = `${name}@${digest.stdout.trim().split('@')[1] ?? ''}`;
  await tryDocker(['image', 'rm', name]);
});
afterEach(async () => {
  for (const { name, child } of running.splice(0)) {
    await tryDocker(['buildx', 'rm', name]);
    child.kill();
    await new Promise((resolve) => child.once('exit', resolve));
  }
  if (environment === undefined) Reflect.deleteProperty(process.env, 'BUILDX_BUILDER');
  else process.env['BUILDX_BUILDER'] = environment;
});
afterAll(() => {
  registry?.stop();
});

/** A builder with an empty store; the one that buildx uses from now on. */
async function newBuilder(): Promise<void> {
  const name = `pacegate-itg-${process.pid}-${(count += 1)}`;
  const folder = await folderWith({
    'buildkitd.toml': `[registry."127.0.0.1:${registry?.port ?? 0}"]\n  http = true\n  insecure = true\n`,
  });
  const address = `unix://${folder}/buildkitd.sock`;
  const child = spawn(
    buildkitd,
    ['--addr', address, '--root', join(folder, 'root'), '--config', join(folder, 'buildkitd.toml')],
    { stdio: 'ignore' },
  );
  running.push({ name, child });
  const created = await tryDocker(['buildx', 'create', '--name', name, '--driver', 'remote', address]);
  if (created.status !== 0) throw new Error(created.stderr);
  process.env['BUILDX_BUILDER'] = name;
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { stdout } = await tryDocker(['buildx', 'inspect']);
    if (/^Status:\s*running/m.test(stdout)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('buildkitd did not answer');
}

const compiled = (name: string): InterpreterVariant => ({
  ...carried,
  name,
  kind: 'interpreter',
  interpreter: 'pyenv-optimized',
  args: { BASE_IMAGE: base, NAME: `${name} ${process.pid}` },
  contexts: {},
});

/** Compiled in a stage of its own and different with every build, as a profile-guided CPython is. */
const DOCKERFILE = `ARG BASE_IMAGE
FROM \${BASE_IMAGE} AS build
ARG NAME
ARG CACHE_ID=apt
RUN mkdir /opt/python && cat /proc/sys/kernel/random/uuid > /opt/python/compiled
FROM \${BASE_IMAGE}
COPY --from=build /opt/python /opt/python
RUN printf '#!/bin/sh\\necho "{ \\\\"python\\\\": \\\\"3.13.5\\\\", \\\\"implementation\\\\": \\\\"$(cat /opt/python/compiled)\\\\", \\\\"executable\\\\": \\\\"$*\\\\" }" > /python.json\\n' > /usr/bin/python && chmod 755 /usr/bin/python
`;

async function files() {
  const variantsFolder = await folderWith({ 'pyenv/Dockerfile': DOCKERFILE });
  await mkdir(join(variantsFolder, 'promises'));
  const tree = (text: string) => folderWith({ Dockerfile: 'FROM python\nCOPY file /file\n', file: text });
  return { variantsFolder, baseline: await tree('one'), head: await tree('two') };
}

const uuidOf = async (image: string) => (await output(image, 'cat', '/opt/python/compiled')).trim();

withTool(buildkitd)(
  'without a registry the interpreter is linked, and made once for both sides',
  async () => {
    await newBuilder();
    const { variantsFolder, baseline, head } = await files();
    const { builder, prepare } = builderOf({ variantsFolder, dockerfile: 'Dockerfile' });
    expect((await builder.check()).driver).toBe('remote');
    const variant = compiled('linked');
    const first = await prepare(variant, 'baseline', baseline);
    const one = ready(first);
    const two = ready(await prepare(variant, 'head', head));
    expect(one.image.interpreter).toBeUndefined();
    expect(await uuidOf(one.image.id)).toMatch(/^[0-9a-f-]{36}$/);
    expect(await uuidOf(two.image.id)).toBe(await uuidOf(one.image.id));
    // Where the engine never has the interpreter, the builder asks it which Python it is.
    expect(first.kind === 'ready' ? await first.interpreter?.(never) : undefined).toEqual({
      kind: 'answered',
      python: {
        python: '3.13.5',
        implementation: await uuidOf(one.image.id),
        executable: '-B -I -S /pacegate/facts.py python /python.json',
      },
    });
    expect(two.image.base).toEqual(one.image.base);
    expect(one.image.base?.digest).toBe(base.split('@')[1]);
    const cold = await builder.coldBuild({ variant, side: 'head', tree: head, filesFrom: head }, never);
    expect(cold).toMatchObject({ kind: 'built' });
  },
);

withTool(buildkitd)(
  'a cache in a folder or a registry keeps what was compiled for the next builder',
  async () => {
    const { variantsFolder, baseline, head } = await files();
    for (const [name, to, from] of [
      ['local', `type=local,dest=${top}/cache-{variant},mode=max`, `type=local,src=${top}/cache-{variant}`],
      [
        'registry',
        `type=registry,ref=127.0.0.1:${registry?.port ?? 0}/cache:{variant},mode=max`,
        `type=registry,ref=127.0.0.1:${registry?.port ?? 0}/cache:{variant}`,
      ],
    ] as const) {
      const variant = compiled(name);
      await newBuilder();
      const nightly = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build: { cacheTo: [to] } });
      const stored = await uuidOf(ready(await nightly.prepare(variant, 'baseline', baseline)).image.id);
      await newBuilder();
      const gate = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build: { cacheFrom: [from] } });
      const both = [
        await uuidOf(ready(await gate.prepare(variant, 'baseline', baseline)).image.id),
        await uuidOf(ready(await gate.prepare(variant, 'head', head)).image.id),
      ];
      expect([name, ...both]).toEqual([name, stored, stored]);
    }
  },
);

withTool(buildkitd)(
  'a nightly pushes the interpreter from such a builder, and a gate on another takes it',
  async () => {
    const { variantsFolder, baseline, head } = await files();
    const build = { registry: `127.0.0.1:${registry?.port ?? 0}/images` };
    const variant = compiled('pushed');
    await newBuilder();
    const nightly = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build, pushInterpreters: true });
    const night = ready(await nightly.prepare(variant, 'baseline', baseline));
    expect(night.image.interpreter).toMatchObject({
      origin: 'built',
      reference: expect.stringMatching(/\/images\/interpreter-pyenv-optimized@sha256:[0-9a-f]{64}$/),
    });
    const known = await nightly.builder.push(night, 'c0ffee');
    const stored = await uuidOf(night.image.id);
    await nightly.builder.cleanUp();

    await newBuilder();
    const gate = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build });
    const pulled = ready(await gate.prepare(variant, 'baseline', baseline, known));
    const built = ready(await gate.prepare(variant, 'head', head));
    expect([pulled.image.origin, built.image.interpreter?.origin]).toEqual(['pulled', 'registry']);
    expect([await uuidOf(pulled.image.id), await uuidOf(built.image.id)]).toEqual([stored, stored]);
    // The same files again: the pulled image's own cache gives the very same image.
    const same = ready(await gate.prepare(variant, 'head', baseline));
    expect(same.image.identity).toBe(pulled.image.identity);
  },
);

/** As GitHub's runner has it: BuildKit reads the scopes in it, and checks no signature. */
const TOKEN = [
  { alg: 'HS256', typ: 'JWT' },
  { ac: JSON.stringify([{ Scope: 'refs/heads/main', Permission: 3 }]), nbf: 1, exp: 4_000_000_000 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('signature')
  .join('.');

/** GitHub's cache as far as a reader asks it, with nothing in it. */
async function startCache() {
  const seen: string[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    seen.push(`${headers.authorization ?? 'nobody'} ${url.split('?')[0] ?? ''}`);
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { seen, url: `http://127.0.0.1:${port}/`, stop: () => server.close() };
}

withTool(buildkitd)(
  'the runner’s token reaches GitHub’s cache from a bake variant and an interpreter’s, and no build',
  async () => {
    const cache = await startCache();
    const given: Record<string, string> = {
      GITHUB_ACTIONS: 'true',
      ACTIONS_RUNTIME_TOKEN: TOKEN,
      ACTIONS_CACHE_URL: cache.url,
    };
    const before = Object.keys(given).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, given);
    try {
      await newBuilder();
      const tree = await folderWith({
        'docker-bake.hcl':
          'variable "ACTIONS_RUNTIME_TOKEN" { default = "nothing" }\n' +
          'target "app" {\n  args = { VARIABLE = ACTIONS_RUNTIME_TOKEN, ACTIONS_CACHE_URL = null }\n}\n',
        Dockerfile: `FROM ${base}\nARG VARIABLE\nARG ACTIONS_RUNTIME_TOKEN\nARG ACTIONS_CACHE_URL\nRUN (echo "found $VARIABLE"; env) > /environment\n`,
      });
      const own = { ...carried, name: 'own', kind: 'bake', target: 'app', file: 'docker-bake.hcl' } as const;
      const variant = { ...own, python: 'python3' };
      const found = async (build: { cacheFrom?: string[] }) => {
        cache.seen.length = 0;
        const { image } = ready(await builderOf({ build }).prepare(variant, 'head', tree));
        return await output(image.id, 'cat', '/environment');
      };
      const environment = await found({ cacheFrom: ['type=gha'] });
      expect(cache.seen).toContainEqual(`Bearer ${TOKEN} /_apis/artifactcache/cache`);
      expect(environment).toContain('found nothing\n');
      expect(environment).not.toContain(TOKEN);
      expect(environment).not.toContain(cache.url);
      // Nothing of it where the configuration does not name that cache.
      await found({});
      expect(cache.seen).toEqual([]);

      const { variantsFolder, head } = await files();
      const { prepare } = builderOf({
        variantsFolder,
        dockerfile: 'Dockerfile',
        build: { cacheFrom: ['type=gha'] },
      });
      ready(await prepare(compiled('github'), 'head', head));
      expect(cache.seen.length).toBeGreaterThan(0);
    } finally {
      for (const [name, value] of before)
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      cache.stop();
    }
  },
);
