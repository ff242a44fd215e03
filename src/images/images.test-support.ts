import { afterAll, afterEach } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Runnable } from '../measure/engine.ts';
import type { Install, InterpreterVariant, Plan, Variant } from '../plan/plan.ts';
import { freePort } from '../process/engine.test-support.ts';
import type { Side } from '../session/run.ts';
import { tryDocker } from './docker.ts';
import { createImageBuilder, type ImageBuilder, type ImageResult } from './images.ts';

/** What the tests of the images with the real engine share. */

export const ownVariants = join(import.meta.dirname, '..', '..', 'variants');
export const never = new AbortController().signal;
export const lines: string[] = [];
const builders: ImageBuilder[] = [];
export const top = mkdtempSync(join(tmpdir(), 'pacegate-images-'));
let count = 0;

afterAll(() => rm(top, { recursive: true, force: true }));
afterEach(async () => {
  for (const builder of builders.splice(0)) await builder.cleanUp();
  lines.length = 0;
});

/** In the form of one; what it certifies is nobody's concern here. */
export const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

export const carried = { flags: [], env: {} };
export const official: InterpreterVariant = {
  ...carried,
  name: 'official',
  kind: 'interpreter',
  interpreter: 'official',
  args: { PYTHON_VERSION: '3.13', DEBIAN_RELEASE: 'trixie' },
  contexts: {},
};
export const debian: InterpreterVariant = {
  ...carried,
  name: 'debian-13.x',
  kind: 'interpreter',
  interpreter: 'debian',
  args: { DEBIAN_RELEASE: 'trixie' },
  contexts: {},
};

export async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(top, 'tree-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

export function builderOf(
  change: {
    root?: string;
    dockerfile?: string;
    interpreterFrom?: readonly string[];
    install?: Install | undefined;
    build?: Partial<Plan['build']>;
    variantsFolder?: string;
    pushInterpreters?: boolean;
    confined?: true;
  } = {},
) {
  const plan = {
    root: change.root ?? top,
    ...(change.confined === undefined ? {} : { confined: change.confined }),
    workload: {
      context: '.',
      dockerfile: change.dockerfile,
      interpreterFrom: change.interpreterFrom,
      install: change.install,
      files: [],
    },
    variants: [],
    build: {
      cacheFrom: [],
      cacheTo: [],
      secrets: [],
      ca: undefined,
      registry: undefined,
      ...change.build,
    },
  } as unknown as Plan;
  const sessionId = `itg-${process.pid}-${(count += 1)}`;
  const builder = createImageBuilder({
    plan,
    sessionId,
    variantsFolder: change.variantsFolder ?? ownVariants,
    pushInterpreters: change.pushInterpreters ?? false,
    facts: join(import.meta.dirname, '../measure/probe/facts.py'),
    workFolder: join(top, 'work'),
    onLine: (line) => lines.push(line),
  });
  builders.push(builder);
  const prepare = (variant: Variant, side: Side, tree: string, known?: string) =>
    builder.prepare(
      { variant, side, tree, filesFrom: tree, ...(known === undefined ? {} : { known }) },
      never,
    );
  return { builder, sessionId, prepare };
}

export function ready(result: ImageResult): Runnable {
  if (result.kind === 'failed') throw new Error(result.failure.message);
  return result.runnable;
}

export const failure = (result: ImageResult) =>
  result.kind === 'failed' ? result.failure.message : 'no failure';

export async function output(image: string, ...command: string[]): Promise<string> {
  const { stdout, stderr } = await tryDocker(['run', '--rm', '--network', 'none', image, ...command]);
  return stdout + stderr;
}

export const tagged = async (part: string) =>
  (await tryDocker(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'])).stdout
    .split('\n')
    .filter((name) => name.includes(part));

/** Debian's docker-registry on a free port of loopback. */
export async function startRegistry() {
  const port = await freePort();
  const folder = await folderWith({
    'registry.yml': `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(top, 'registry')}}}\nhttp: {addr: "127.0.0.1:${port}"}\n`,
  });
  const child = spawn('docker-registry', ['serve', join(folder, 'registry.yml')], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}/v2/`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true)
      return {
        port,
        stop: () => child.kill(),
        async configurationOf(repository: string, reference: string): Promise<unknown> {
          const accept = 'application/vnd.docker.distribution.manifest.v2+json';
          const manifest = await fetch(`${url}${repository}/manifests/${reference.split('@').at(-1) ?? ''}`, {
            headers: { accept },
          });
          const { config } = (await manifest.json()) as { config: { digest: string } };
          return await (await fetch(`${url}${repository}/blobs/${config.digest}`)).json();
        },
      };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill();
  throw new Error('docker-registry did not answer');
}
