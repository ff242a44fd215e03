import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { InterpreterVariant } from '../plan/plan.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { cpuFlags } from '../session/cpu.ts';
import { readFileSync } from 'node:fs';
import { tryDocker } from './docker.ts';
import {
  builderOf,
  carried,
  failure,
  folderWith,
  lines,
  never,
  output,
  ready,
  startRegistry,
  tagged,
} from './images.test-support.ts';
import { removeImages } from './store.ts';

jest.setTimeout(600_000);

/** An interpreter of this test's own: what takes half an hour elsewhere takes a second here. */
const pyenv: InterpreterVariant = {
  ...carried,
  name: 'compiled',
  kind: 'interpreter',
  interpreter: 'pyenv-optimized',
  args: { DEBIAN_RELEASE: 'trixie', RUN: String(process.pid) },
  contexts: {},
};

/** Its bytes differ with every build, as those of a profile-guided one do. */
const DOCKERFILE = `ARG DEBIAN_RELEASE=trixie
ARG BASE_IMAGE=debian:\${DEBIAN_RELEASE}-slim
FROM \${BASE_IMAGE}
ARG RUN
ARG CACHE_ID=apt
ARG MARCH=
RUN cat /proc/sys/kernel/random/uuid > /interpreter; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done
ARG CPU_FLAGS=
LABEL org.pacegate.cpu-flags="\${CPU_FLAGS}"
`;
const APPLICATION = { Dockerfile: 'FROM python\nCOPY file /file\n' };

async function interpreters(dockerfile = DOCKERFILE) {
  const folder = await folderWith({ 'pyenv/Dockerfile': dockerfile, 'debian/Dockerfile': dockerfile });
  await mkdir(join(folder, 'promises'));
  return folder;
}

/** The interpreters of this machine stay, and those of this test go. */
let before: readonly string[] = [];
beforeAll(async () => {
  before = await tagged('pacegate-interpreter/pyenv-');
});
afterAll(async () => {
  await removeImages((await tagged('pacegate-interpreter/pyenv-')).filter((tag) => !before.includes(tag)));
});

const thisMachine = cpuFlags(readFileSync('/proc/cpuinfo', 'utf8'));

withEngine('an interpreter is made once: for both sides, and for the sessions after this one', async () => {
  const variantsFolder = await interpreters();
  const baseline = await folderWith({ ...APPLICATION, file: 'one' });
  const head = await folderWith({ ...APPLICATION, file: 'two' });
  const first = builderOf({ variantsFolder, dockerfile: 'Dockerfile' });
  const one = ready(await first.prepare(pyenv, 'baseline', baseline));
  const two = ready(await first.prepare(pyenv, 'head', head));
  const { interpreter } = one.image;
  expect(interpreter).toMatchObject({ origin: 'built' });
  expect(two.image.interpreter).toEqual(interpreter);
  const tag = `pacegate-interpreter/pyenv-optimized:${interpreter?.key ?? ''}`;
  const uuid = await output(one.image.id, 'cat', '/interpreter');
  expect(await output(two.image.id, 'cat', '/interpreter')).toBe(uuid);
  expect(one.image.base?.reference).toBe('debian:trixie-slim');
  expect(one.image.layerSizes?.length).toBeGreaterThan(1);
  await first.builder.cleanUp();

  // Another session on this machine; even the build cache may be gone by then.
  expect(await tagged('pacegate-interpreter/')).toContain(tag);
  lines.length = 0;
  const second = builderOf({ variantsFolder, dockerfile: 'Dockerfile' });
  const again = ready(await second.prepare(pyenv, 'head', head));
  expect(again.image.interpreter).toEqual({ ...interpreter, origin: 'engine' });
  expect(await output(again.image.id, 'cat', '/interpreter')).toBe(uuid);
  expect(again.image.identity).toBe(two.image.identity);
  expect(lines.join('\n')).toMatch(/its interpreter is on this machine/);

  // Another definition is another interpreter.
  const other = { ...pyenv, args: { ...pyenv.args, MARCH: 'x86-64-v2' } };
  const third = ready(await second.prepare(other, 'head', head));
  expect(third.image.interpreter?.key).not.toBe(interpreter?.key);
});

withEngine(
  'a nightly puts the interpreter into the registry, and a gate on another machine takes it',
  async () => {
    const registry = await startRegistry();
    try {
      const variantsFolder = await interpreters();
      const variant = { ...pyenv, args: { ...pyenv.args, REGISTRY: String(registry.port) } };
      const base = await folderWith({ ...APPLICATION, file: 'one' });
      const change = await folderWith({ ...APPLICATION, file: 'two' });
      const build = { registry: `127.0.0.1:${registry.port}/images` };
      const nightly = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build, pushInterpreters: true });
      const night = ready(await nightly.prepare(variant, 'baseline', base));
      const known = await nightly.builder.push(night, 'c0ffee');
      const { key = '', reference = '' } = night.image.interpreter ?? {};
      expect(reference).toMatch(
        /^127\.0\.0\.1:\d+\/images\/interpreter-pyenv-optimized@sha256:[0-9a-f]{64}$/,
      );
      const uuid = await output(night.image.id, 'cat', '/interpreter');
      await nightly.builder.cleanUp();
      // The other machine has neither the images nor the build cache of this one.
      await removeImages([`pacegate-interpreter/pyenv-optimized:${key}`]);
      await tryDocker(['image', 'rm', reference]);

      const gate = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build });
      const baseline = ready(await gate.prepare(variant, 'baseline', base, known));
      expect(baseline.image.origin).toBe('pulled');
      expect(baseline.image.base).toEqual(night.image.base);
      const head = ready(await gate.prepare(variant, 'head', change));
      expect(head.image.interpreter).toEqual({ key, reference, origin: 'registry' });
      expect(await output(head.image.id, 'cat', '/interpreter')).toBe(uuid);

      // Where no night has this commit both sides are built, upon the same interpreter.
      const first = builderOf({ variantsFolder, dockerfile: 'Dockerfile', build });
      const built = ready(await first.prepare(variant, 'baseline', base));
      expect(built.image).toMatchObject({ origin: 'built', interpreter: { reference, origin: 'registry' } });
      expect(await output(built.image.id, 'cat', '/interpreter')).toBe(uuid);
    } finally {
      registry.stop();
    }
  },
);

withEngine(
  'an image compiled for another processor is refused, with the flags that are missing',
  async () => {
    const variantsFolder = await interpreters(
      DOCKERFILE.replace('"${CPU_FLAGS}"', '"sse2 avx512_imaginary ${CPU_FLAGS} quantum"'),
    );
    const tree = await folderWith({ ...APPLICATION, file: 'one' });
    const native: InterpreterVariant = {
      ...pyenv,
      name: 'native',
      interpreter: 'pyenv-native',
      march: 'native',
    };
    const refused = await builderOf({ variantsFolder, dockerfile: 'Dockerfile' }).prepare(
      native,
      'head',
      tree,
    );
    expect(failure(refused)).toMatch(
      /^native \(head\): this image was compiled for a processor with avx512_imaginary, quantum, which this machine's processor lacks\..*SIGILL.*march: x86-64-v3/,
    );

    const own = await interpreters();
    const taken = ready(
      await builderOf({ variantsFolder: own, dockerfile: 'Dockerfile' }).prepare(native, 'head', tree),
    );
    expect(taken.image.cpuFlags).toEqual(expect.arrayContaining(['sse2']));
    expect(thisMachine).toEqual(expect.arrayContaining(taken.image.cpuFlags ?? []));
  },
);

withEngine(
  'a cold build takes nothing from a cache, says its processor time, and is not wasted',
  async () => {
    const variantsFolder = await interpreters();
    const tree = await folderWith({ ...APPLICATION, file: 'one' });
    const variant = { ...pyenv, name: 'cold', args: { ...pyenv.args, COLD: '1' } };
    const { builder, prepare, sessionId } = builderOf({ variantsFolder, dockerfile: 'Dockerfile' });
    const request = { variant, side: 'head', tree, filesFrom: tree } as const;
    const first = await builder.coldBuild(request, never);
    if (first?.kind !== 'built') throw new Error(first?.message ?? 'no cold build');
    expect(first.cost.seconds).toBeGreaterThan(0.2);
    expect(first.cost.cpuSeconds).toBeGreaterThan(0.01);
    expect(first.cost.cpuSeconds).toBeLessThan(first.cost.seconds * 2);
    // The interpreter that was made is the one that is used.
    const runnable = ready(await prepare(variant, 'head', tree));
    expect(runnable.image.interpreter?.origin).toBe('engine');
    const uuid = await output(runnable.image.id, 'cat', '/interpreter');

    const second = await builder.coldBuild(request, never);
    expect(second?.kind).toBe('built');
    expect(await output(runnable.image.id, 'cat', '/interpreter')).toBe(uuid);

    // What a registry would keep of it is smaller than what is unpacked, and the same at every look.
    const bytes = await builder.compressedSize(runnable, never);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(runnable.image.sizeBytes ?? 0);
    expect(await builder.compressedSize(runnable, never)).toBe(bytes);
    // Another image with the same base: its layers are known by now.
    const other = ready(
      await prepare(variant, 'baseline', await folderWith({ ...APPLICATION, file: 'two' })),
    );
    const close = await builder.compressedSize(other, never);
    expect(Math.abs(close - bytes)).toBeLessThan(1000);

    await builder.cleanUp();
    expect(await tagged(sessionId)).toEqual([]);
  },
);

withEngine('an image in `contexts` whose tag moved makes another interpreter', async () => {
  const registry = await startRegistry();
  try {
    const name = `127.0.0.1:${registry.port}/mirror:1`;
    const publish = async (text: string) => {
      const folder = await folderWith({ Dockerfile: 'FROM scratch\nCOPY file /file\n', file: text });
      expect((await tryDocker(['build', '--quiet', '--tag', name, folder])).status).toBe(0);
      expect((await tryDocker(['push', '--quiet', name])).status).toBe(0);
      await removeImages([name]);
    };
    const variantsFolder = await interpreters(`${DOCKERFILE}COPY --from=source /file /mirrored\n`);
    const tree = await folderWith({ ...APPLICATION, file: 'one' });
    const variant = { ...pyenv, name: 'mirrored', contexts: { source: `docker-image://${name}` } };
    const interpreterAt = async () => {
      const { builder, prepare } = builderOf({ variantsFolder, dockerfile: 'Dockerfile' });
      const { image } = ready(await prepare(variant, 'head', tree));
      const found = [image.interpreter?.key, await output(image.id, 'cat', '/mirrored')];
      await builder.cleanUp();
      return found;
    };
    await publish('first');
    const before = await interpreterAt();
    expect(await interpreterAt()).toEqual(before);
    await publish('second');
    const after = await interpreterAt();
    expect([before[1], after[1]]).toEqual(['first', 'second']);
    expect(after[0]).not.toBe(before[0]);
  } finally {
    registry.stop();
  }
});
