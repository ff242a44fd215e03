import { expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { appendFile, cp, readdir } from 'node:fs/promises';
import { inspectImage } from './inspect.ts';
import { join } from 'node:path';
import { withEngine } from '../process/engine.test-support.ts';
import { tryDocker } from './docker.ts';
import {
  builderOf,
  carried,
  CERTIFICATE,
  debian,
  failure,
  folderWith,
  lines,
  official,
  output,
  ownVariants,
  ready,
  startRegistry,
  tagged,
  top,
} from './images.test-support.ts';
import { removeImages, removeLeftovers } from './store.ts';

jest.setTimeout(600_000);

withEngine('the engine is checked and named', async () => {
  const versions = await builderOf().builder.check();
  expect(versions.engine).toMatch(/^Docker \d+\./);
  expect(versions.buildx).toMatch(/^\d+\.\d+/);
});

withEngine('two interpreters carry an application that has no Dockerfile', async () => {
  const baseline = await folderWith({ 'bench.py': 'print("one")\n', 'README.md': 'words\n' });
  const prose = await folderWith({
    'bench.py': 'print("one")\n',
    'README.md': 'other words\n',
    'docs/more.md': 'x\n',
  });
  const changed = await folderWith({ 'bench.py': 'print("two")\n', 'README.md': 'words\n' });
  const { builder, sessionId, prepare } = builderOf();

  for (const variant of [official, debian]) {
    const first = ready(await prepare(variant, 'baseline', baseline));
    expect(await output(first.image.id, first.python, 'bench.py')).toBe('one\n');
    expect(first.image).toMatchObject({ engine: 'container', origin: 'built', variant: variant.name });
    expect(first.image.layers.length).toBeGreaterThan(3);
    expect(first.workingDirectory).toBe('/app');

    lines.length = 0;
    const same = ready(await prepare(variant, 'head', prose));
    expect(same.image.identity).toBe(first.image.identity);
    expect(same.image.layers).toEqual(first.image.layers);
    // The interpreter was made once: every step of the head's that is not an export comes from the cache.
    expect(lines.filter((line) => line.includes(' RUN '))).not.toHaveLength(0);
    expect(lines.filter((line) => line.includes(' RUN ') && !line.endsWith('CACHED'))).toEqual([]);

    const other = ready(await prepare(variant, 'head', changed));
    expect(other.image.identity).not.toBe(first.image.identity);
    expect(other.image.definitionHash).toBe(first.image.definitionHash);
    expect(other.image.layers.slice(0, 4)).toEqual(first.image.layers.slice(0, 4));
    expect(await output(other.image.id, 'python', 'bench.py')).toBe('two\n');
  }

  // Two sides of two variants, and the interpreters that they are built upon.
  expect(await tagged(sessionId)).toHaveLength(6);
  await builder.cleanUp();
  expect(await tagged(sessionId)).toEqual([]);
  expect(await readdir(join(top, 'work'))).toEqual([]);
});

withEngine(
  'a step with a secret that is cached upon an earlier build of the interpreter is taken',
  async () => {
    const tree = await folderWith({
      Dockerfile: `FROM python\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size-${randomUUID()}\n`,
      token: '12345',
    });
    const layers = [];
    for (const build of ['one', 'two']) {
      const variantsFolder = await folderWith({});
      await cp(ownVariants, variantsFolder, { recursive: true });
      // The same files at another time: the promises are checked by a mounted script.
      await appendFile(join(variantsFolder, 'promises/compile.py'), `# ${build} ${randomUUID()}\n`);
      const { prepare } = builderOf({
        root: tree,
        dockerfile: 'Dockerfile',
        variantsFolder,
        build: { secrets: ['id=token,src=token'] },
      });
      layers.push(ready(await prepare(official, 'head', tree)).image.layers);
    }
    // Else BuildKit did not take it from its cache, and this test tests nothing.
    expect(layers[1]).toEqual(layers[0]);
  },
);

withEngine('an interpreter that another job builds meanwhile is not the one of this session', async () => {
  const variantsFolder = await folderWith({});
  await cp(ownVariants, variantsFolder, { recursive: true });
  // A key of its own: the tag that is moved below must be nobody else's.
  await appendFile(join(variantsFolder, 'official/Dockerfile'), `# ${randomUUID()}\n`);
  const tree = await folderWith({ 'bench.py': 'print("one")\n' });
  const changed = await folderWith({ 'bench.py': 'print("two")\n' });
  const { prepare, sessionId, builder } = builderOf({ variantsFolder });
  const baseline = ready(await prepare(official, 'baseline', tree));
  const own = (await tagged('pacegate/interpreter-')).find((name) => name.endsWith(`:${sessionId}`)) ?? '';
  const key = /interpreter-(.*):/.exec(own)?.[1] ?? '';
  const shared = `pacegate-interpreter/official:${key}`;
  expect((await tryDocker(['image', 'inspect', '--format', '{{.Id}}', shared])).stdout).toBe(
    (await tryDocker(['image', 'inspect', '--format', '{{.Id}}', own])).stdout,
  );
  const other = await folderWith({ Dockerfile: `FROM ${shared}\nRUN echo another > /another\n` });
  await tryDocker(['build', '--quiet', '--tag', shared, other]);
  const head = ready(await prepare(official, 'head', changed));
  expect(await output(head.image.id, 'ls', '/')).not.toContain('another');
  expect(head.image.layers.slice(0, 3)).toEqual(baseline.image.layers.slice(0, 3));
  await builder.cleanUp();
  expect(await tagged(own)).toEqual([]);
  await tryDocker(['image', 'rm', shared]);
});

withEngine("a project's own .dockerignore is kept beside the default Dockerfile's", async () => {
  const tree = await folderWith({
    'bench.py': '',
    'secret.txt': 'secret',
    'README.md': 'wanted',
    'CHANGES.md': 'not wanted',
    '.dockerignore': 'secret.txt\n!README.md\n',
  });
  const { prepare } = builderOf();
  const { image } = ready(await prepare(official, 'head', tree));
  expect((await output(image.id, 'ls', '/app')).split('\n').filter(Boolean).sort()).toEqual([
    'README.md',
    '__pycache__',
    'bench.py',
  ]);
});

withEngine('a failed step is named, and the next variant continues', async () => {
  const tree = await folderWith({
    Dockerfile:
      "FROM python\nRUN python -c \"import sys, platform; print('\\033[31mlast words\\033[0m'); sys.exit(7 if sys.prefix == '/usr' and not __import__('os').path.exists('/usr/local/bin/python') else 0)\"\n",
  });
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const result = await prepare(debian, 'baseline', tree);
  expect(result).toMatchObject({
    kind: 'failed',
    failure: { variant: 'debian-13.x', side: 'baseline', stage: 'build' },
  });
  expect(failure(result)).toMatch(
    /^debian-13\.x \(baseline\): the build stopped at `RUN python -c .*of the application's Dockerfile: exit code: 7\.\nIts last lines:\n {2}last words\n/,
  );
  ready(await prepare(official, 'baseline', tree));
});

withEngine('a mistake in the variant and a missing base have different messages', async () => {
  const tree = await folderWith({ 'bench.py': '' });
  const { prepare } = builderOf();
  const old = { ...debian, name: 'old', args: { DEBIAN_RELEASE: 'trixie', PYTHON_VERSION: '3.9' } };
  expect(failure(await prepare(old, 'head', tree))).toMatch(
    /^old: .*of the interpreter's Dockerfile[^]*has Python 3\.13\.\d+, not 3\.9/,
  );
  const none = { ...official, name: 'none', args: { PYTHON_VERSION: '3.99', DEBIAN_RELEASE: 'trixie' } };
  expect(failure(await prepare(none, 'head', tree))).toMatch(
    /^none: the base image docker\.io\/library\/python:3\.99-slim-trixie could not be pulled/,
  );
});

withEngine(
  'a Dockerfile without the base, and one that is not there, are refused before building',
  async () => {
    const tree = await folderWith({ Dockerfile: 'FROM ubuntu:24.04\n' });
    expect(failure(await builderOf({ dockerfile: 'Dockerfile' }).prepare(official, 'head', tree))).toMatch(
      /no image called python .*\(found: ubuntu:24\.04\)/,
    );
    expect(failure(await builderOf({ dockerfile: 'Other' }).prepare(official, 'head', tree))).toMatch(
      /Other \(workload\.dockerfile\) is not in this side's files/,
    );
    expect(lines).toEqual([]);
  },
);

withEngine('secrets and the extra certificate authority reach the build and not the image', async () => {
  const tree = await folderWith({
    Dockerfile:
      'FROM python\nRUN --mount=type=secret,id=token --mount=type=secret,id=ca wc -c < /run/secrets/token > /sizes && wc -c < /run/secrets/ca >> /sizes\n',
    'ca, ours.pem': CERTIFICATE,
    token: '12345',
  });
  const { prepare } = builderOf({
    root: tree,
    dockerfile: 'Dockerfile',
    build: { secrets: ['id=token,src=token'], ca: 'ca, ours.pem' },
  });
  const { image } = ready(await prepare(official, 'head', tree));
  expect(await output(image.id, 'sh', '-c', 'cat /sizes; ls /run/secrets 2>/dev/null | wc -l')).toBe(
    `5\n${CERTIFICATE.length}\n0\n`,
  );
});

withEngine(
  "a target of the project's own bake file is a variant; a group and a typo are explained",
  async () => {
    const tree = await folderWith({
      'docker-bake.hcl':
        'group "all" { targets = ["app"] }\ntarget "app" {\n  context = "."\n  tags = ["example/own:latest"]\n}\n',
      Dockerfile: 'FROM debian:trixie-slim\nWORKDIR /srv\nCOPY bench.py .\n',
      'bench.py': '',
    });
    const own = {
      ...carried,
      name: 'own',
      kind: 'bake',
      file: 'docker-bake.hcl',
      python: '/usr/bin/python3',
    } as const;
    const { prepare, sessionId } = builderOf();
    const runnable = ready(await prepare({ ...own, target: 'app' }, 'head', tree));
    expect(runnable).toMatchObject({ python: '/usr/bin/python3', workingDirectory: '/srv' });
    expect(await tagged('example/own')).toEqual([]);
    expect(await tagged(sessionId)).toEqual([`pacegate/own-head:${sessionId}`]);

    expect(failure(await prepare({ ...own, target: 'all' }, 'head', tree))).toMatch(/^own \(head\): .*/);
    expect(failure(await prepare({ ...own, target: 'typo' }, 'head', tree))).toMatch(/typo/);
    expect(failure(await prepare({ ...own, target: '--push' }, 'head', tree))).toMatch(
      /not the name of a bake target/,
    );
    expect(failure(await prepare({ ...own, file: 'none.hcl', target: 'app' }, 'head', tree))).toMatch(
      /none\.hcl is not in this side's files/,
    );
  },
);

withEngine(
  "a change's bake file is built for this machine with what is laid over it, and reads nothing of the runner",
  async () => {
    const outside = await folderWith({ token: 'secret' });
    const bake = (secret: string) =>
      `target "dep" {\n  dockerfile-inline = "FROM scratch\\nCOPY bench.py /"\n  output = ["type=local,dest=${outside}/written"]\n}\ntarget "app" {\n  contexts = { dep = "target:dep" }\n  platforms = ["linux/amd64", "linux/arm64"]\n  secret = [${secret}]\n}\n`;
    const files = {
      'docker-bake.override.hcl': 'target "app" {\n  args = { NAME = "laid $${over}" }\n}\n',
      Dockerfile: 'FROM debian:trixie-slim\nARG NAME\nCOPY --from=dep bench.py .\nLABEL name="$NAME"\n',
      'bench.py': '',
      'pip.conf': '',
    };
    const own = { ...carried, name: 'own', kind: 'bake', target: 'app', file: 'docker-bake.hcl' } as const;
    const variant = { ...own, python: 'python3' };
    const { prepare } = builderOf({ confined: true });
    const tree = await folderWith({ ...files, 'docker-bake.hcl': bake('"id=pip,src=pip.conf"') });
    const { image } = ready(await prepare(variant, 'head', tree));
    expect((await inspectImage(image.id))?.labels['name']).toBe('laid ${over}');
    expect(await readdir(outside)).toEqual(['token']);

    const hostile = await folderWith({ ...files, 'docker-bake.hcl': bake(`"id=t,src=${outside}/token"`) });
    expect(failure(await prepare(variant, 'head', hostile))).toContain(
      `target.app.secret of the bake file is "${outside}/token", which is outside the checkout`,
    );
  },
);

withEngine('an image that exists is a variant, for each side its own', async () => {
  const { prepare, sessionId } = builderOf();
  const existing = {
    ...carried,
    name: 'existing',
    kind: 'image',
    image: 'python:3.13-slim-trixie',
    baselineImage: 'debian:trixie-slim',
    python: 'python3',
  } as const;
  const head = ready(await prepare(existing, 'head', top));
  const baseline = ready(await prepare(existing, 'baseline', top));
  expect(head).toMatchObject({ python: 'python3', workingDirectory: '/', image: { origin: 'existing' } });
  expect(head.image.identity).not.toBe(baseline.image.identity);
  expect(failure(await prepare({ ...existing, image: 'pacegate.invalid/none:1' }, 'head', top))).toMatch(
    /^existing \(head\): the image pacegate\.invalid\/none:1 is not on this machine and could not be pulled/,
  );
  expect(failure(await prepare({ ...existing, image: '--help' }, 'head', top))).toMatch(
    /not the name of an image/,
  );
  expect(await tagged(sessionId)).toEqual([]);
});

withEngine('an image is pushed and pulled by digest, and the other side is built on its layers', async () => {
  const registry = await startRegistry();
  try {
    const tree = await folderWith({ 'bench.py': 'print("one")\n' });
    const changed = await folderWith({ 'bench.py': 'print("two")\n' });
    const build = { registry: `127.0.0.1:${registry.port}/images` };
    const nightly = builderOf({ build, pushInterpreters: true });
    const stored = ready(await nightly.prepare(official, 'baseline', tree));
    const digest = await nightly.builder.push(stored, 'c0ffee');
    expect(digest).toMatch(/^127\.0\.0\.1:\d+\/images\/official@sha256:[0-9a-f]{64}$/);
    // The image carries its own cache: on another machine the head is built upon the same interpreter.
    expect(await registry.configurationOf('images/official', digest)).toHaveProperty([
      'moby.buildkit.cache.v0',
    ]);
    await nightly.builder.cleanUp();
    expect(await tagged(`:${registry.port}/images/official`)).toEqual([]);

    const gate = builderOf({ build });
    const baseline = ready(await gate.prepare(official, 'baseline', changed, digest));
    // Pulled, not built from the tree that was given.
    expect(await output(baseline.image.id, 'python', 'bench.py')).toBe('one\n');
    expect(baseline.image).toMatchObject({ origin: 'pulled', digest, identity: stored.image.identity });
    const head = ready(await gate.prepare(official, 'head', tree));
    expect(head.image.identity).toBe(stored.image.identity);

    lines.length = 0;
    const gone = `127.0.0.1:${registry.port}/images/official@sha256:${'0'.repeat(64)}`;
    const rebuilt = ready(await gate.prepare(official, 'baseline', tree, gone));
    expect(rebuilt.image.origin).toBe('built');
    expect(lines[0]).toMatch(/cannot be pulled, so it is built here/);
    await gate.builder.cleanUp();
    expect((await tryDocker(['image', 'inspect', digest])).status).not.toBe(0);
  } finally {
    registry.stop();
  }
});

withEngine(
  'a registry that does not answer and one that is not configured are errors with advice',
  async () => {
    const tree = await folderWith({ 'bench.py': '' });
    const { builder, prepare } = builderOf({ build: { registry: '127.0.0.1:1/images' } });
    const runnable = ready(await prepare(official, 'baseline', tree));
    await expect(builder.push(runnable, 'c')).rejects.toThrow(
      /docker push 127\.0\.0\.1:1\/images\/official:c.*docker login/,
    );
    await expect(builderOf().builder.push(runnable, 'c')).rejects.toThrow(/build\.registry/);
  },
);

withEngine('a cancelled build ends at once', async () => {
  const tree = await folderWith({ Dockerfile: `FROM python\nRUN sleep 60; echo ${Date.now()}\n` });
  const { builder } = builderOf({ dockerfile: 'Dockerfile' });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 3000).unref();
  const started = Date.now();
  const result = await builder.prepare(
    { variant: official, side: 'head', tree, filesFrom: tree },
    controller.signal,
  );
  expect(failure(result)).toMatch(/^official \(head\): the build was cancelled after \d+ s/);
  expect(Date.now() - started).toBeLessThan(20_000);
});

withEngine('leftovers of earlier sessions go when they are old, and only ours', async () => {
  // A prefix of this test's own: sessions beside it keep their names.
  const prefix = `pacegate-itg-${process.pid}/`;
  const key = 'a'.repeat(20);
  const names = [`${prefix}interpreter-${key}:old`, `${prefix}left-head:old`, `${prefix}other:old`];
  const interpreters = `pacegate-itg-interpreter-${process.pid}/`;
  const interpreter = `${interpreters}debian:key`;
  await tryDocker(['tag', 'debian:trixie-slim', interpreter]);
  for (const name of names) await tryDocker(['tag', 'debian:trixie-slim', name]);
  try {
    expect(await removeLeftovers(new Date(), prefix, interpreters)).toEqual([]);
    const tomorrow = new Date(Date.now() + 25 * 3600 * 1000);
    expect((await removeLeftovers(tomorrow, prefix, interpreters)).sort()).toEqual(names.slice(0, 2));
    expect(await tagged(prefix)).toEqual(names.slice(2));
    const nextMonth = new Date(Date.now() + 31 * 24 * 3600 * 1000);
    expect(await removeLeftovers(nextMonth, prefix, interpreters)).toEqual([interpreter]);
  } finally {
    await removeImages([...names, interpreter]);
  }
});

test('a host variant has no image', async () => {
  const host = { ...carried, name: 'here', kind: 'host', python: 'python3' } as const;
  await expect(builderOf().prepare(host, 'head', top)).rejects.toThrow(/host variant/);
});
