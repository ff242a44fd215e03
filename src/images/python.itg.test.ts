import { expect, jest } from '@jest/globals';
import { join } from 'node:path';
import { containerEngine } from '../measure/engines/container.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import type { Plan } from '../plan/plan.ts';
import { portsWith } from '../pipeline/ports.test-support.ts';
import { prepareSides } from '../pipeline/sides.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { tryDocker } from './docker.ts';
import { inspectImage } from './inspect.ts';
import {
  builderOf,
  failure,
  folderWith,
  lines,
  never,
  official,
  ready,
  startRegistry,
} from './images.test-support.ts';
import { removeImages } from './store.ts';

/** Whose Python a built image runs: an application's Dockerfile has many ways to another one than its variant's. */

jest.setTimeout(600_000);

const containers = containerEngine({
  sessionId: `itg-python-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: '',
  facts: join(import.meta.dirname, '../measure/probe/facts.py'),
});

/** What the pipeline makes of a head with this Dockerfile: an image, or the sentence that refuses it. */
async function gated(dockerfile: string): Promise<{ message: string; python: string; build: string }> {
  const { builder } = builderOf({ dockerfile: 'Dockerfile' });
  const tree = { directory: await folderWith({ 'app.py': 'print(1)\n', Dockerfile: dockerfile }) };
  const ports = portsWith({
    images: { prepare: builder.prepare.bind(builder) },
    facts: containers.facts.bind(containers),
  });
  const plan = { variants: [official] } as Partial<Plan> as Plan;
  const { variants, failures } = await prepareSides(
    plan,
    [{ side: 'head', tree }],
    tree.directory,
    ports,
    never,
    () => 600,
  );
  const facts = variants[0]?.sides.head?.image.facts;
  return {
    message: failures.map(({ stage, message }) => `${stage}: ${message}`).join('\n'),
    python: facts?.python ?? '',
    build: facts?.build ?? '',
  };
}

withEngine(
  'the interpreter, and a virtual environment of it by links or copies, is the variant’s',
  async () => {
    const plain = await gated('FROM python\nCOPY app.py .\n');
    expect(plain).toEqual({
      message: '',
      python: expect.stringMatching(/^3\.13\./),
      build: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    for (const options of ['', '--copies '])
      expect(
        await gated(
          `FROM python\nRUN python -m venv --without-pip ${options}/v\nENV PATH=/v/bin:$PATH\nCOPY app.py .\n`,
        ),
      ).toEqual(plain);
  },
);

withEngine.each([
  // A program that is longer by a byte is another build of the same version, and runs as well.
  [
    'over the interpreter',
    'RUN cp --remove-destination /usr/bin/python3.13 /usr/local/bin/python && printf x >> /usr/local/bin/python',
    '/usr/local/bin/python,',
  ],
  [
    'before it in the PATH',
    'RUN mkdir /own && cp /usr/bin/python3.13 /own/python && printf x >> /own/python\nENV PATH=/own:$PATH',
    '/own/python,',
  ],
])('another Python %s is refused with both of them', async (_where, lines, found) => {
  const { message } = await gated(`FROM python\n${lines}\nCOPY app.py .\n`);
  expect(message).toMatch(
    /^build: official \(head\): the image runs another Python than this variant's, so it would be measured under a wrong name\./,
  );
  expect(message).toContain(`Found \`python\` to be CPython 3.13.5 (${found} build `);
  expect(message).toContain('expected CPython 3.13.5 (/usr/bin/python3.13, build ');
  expect(message).toContain('python -m venv');
});

/** A last stage on the official image under a name that only BuildKit can read, so only the built layers tell. */
const ELSEWHERE =
  'ARG BASE=python:3.13-slim-trixie\nFROM python AS builder\nCOPY . /a\nFROM ${BASE%%zzz}\nCOPY --from=builder /a /a\n';
const ELSEWHERE_LINE = '(line 4: `FROM ${BASE%%zzz}`)';

withEngine('the same Python from elsewhere is refused by its layers', async () => {
  const { message } = await gated(ELSEWHERE);
  expect(message).toMatch(
    /^build: official \(head\): the built image is not based on this variant's interpreter/,
  );
  expect(message).toContain(ELSEWHERE_LINE);
});

withEngine(
  'layers are checked by the registry where the engine has no image of the interpreter',
  async () => {
    const registry = await startRegistry();
    try {
      const build = { registry: `127.0.0.1:${registry.port}/images` };
      const variant = { ...official, args: { ...official.args, REGISTRY: String(registry.port) } };
      const right = await folderWith({ Dockerfile: 'FROM python\nCOPY file /file\n', file: '1' });
      const nightly = builderOf({ dockerfile: 'Dockerfile', build, pushInterpreters: true });
      const { key = '', reference = '' } =
        ready(await nightly.prepare(variant, 'baseline', right)).image.interpreter ?? {};
      await nightly.builder.cleanUp();
      await removeImages([`pacegate-interpreter/official:${key}`]);
      await tryDocker(['image', 'rm', reference]);

      const gate = builderOf({ dockerfile: 'Dockerfile', build });
      const built = ready(await gate.prepare(variant, 'head', right)).image;
      expect(built.interpreter).toEqual({ key, reference, origin: 'registry' });
      expect((await tryDocker(['image', 'inspect', reference])).status).not.toBe(0);
      const wrong = await folderWith({ Dockerfile: ELSEWHERE, file: '1' });
      expect(failure(await gate.prepare(variant, 'head', wrong))).toContain(ELSEWHERE_LINE);
    } finally {
      registry.stop();
    }
  },
);

withEngine(
  'a stored baseline is asked for its Python too, and is built here where it is not of its interpreter',
  async () => {
    const registry = await startRegistry();
    try {
      const build = { registry: `127.0.0.1:${registry.port}/images` };
      const variant = { ...official, args: { ...official.args, REGISTRY: String(registry.port) } };
      const tree = await folderWith({ Dockerfile: 'FROM python\nCOPY file /file\n', file: '1' });
      const nightly = builderOf({ dockerfile: 'Dockerfile', build, pushInterpreters: true });
      const night = ready(await nightly.prepare(variant, 'baseline', tree));
      const known = await nightly.builder.push(night, 'c0ffee');

      /** What a gate makes of the baseline under a link. */
      const linked = async (reference: string) => {
        const gate = builderOf({ dockerfile: 'Dockerfile', build });
        const ports = portsWith({
          images: { prepare: gate.builder.prepare.bind(gate.builder) },
          facts: containers.facts.bind(containers),
        });
        const { variants, failures } = await prepareSides(
          { variants: [variant] } as Partial<Plan> as Plan,
          [{ side: 'baseline', tree: { directory: tree }, known: () => reference }],
          tree,
          ports,
          never,
          () => 600,
        );
        return {
          origin: variants[0]?.sides.baseline?.image.origin,
          message: failures.map(({ message }) => message).join('\n'),
        };
      };
      /** An image with these lines upon another, in the same registry. */
      const pushed = async (name: string, dockerfile: string) => {
        const folder = await folderWith({ Dockerfile: dockerfile });
        const tag = `127.0.0.1:${registry.port}/images/${name}:1`;
        expect((await tryDocker(['build', '--quiet', '--tag', tag, folder])).status).toBe(0);
        expect((await tryDocker(['push', '--quiet', tag])).status).toBe(0);
        const digest = await tryDocker(['image', 'inspect', '--format', '{{index .RepoDigests 0}}', tag]);
        await removeImages([tag]);
        return digest.stdout.trim();
      };

      expect(await linked(known)).toEqual({ origin: 'pulled', message: '' });

      const replaced = await pushed(
        'replaced',
        `FROM ${known}\nRUN cp --remove-destination /usr/bin/python3.13 /usr/local/bin/python && printf x >> /usr/local/bin/python\n`,
      );
      const { message } = await linked(replaced);
      expect(message).toContain("official (baseline): the image runs another Python than this variant's");

      const labels: Readonly<Record<string, string>> = (await inspectImage(known))?.labels ?? {};
      const forged = Object.entries(labels).map(([name, value]) => `LABEL ${name}="${value}"\n`);
      lines.length = 0;
      const other = await pushed('other', `FROM debian:trixie-slim\n${forged.join('')}`);
      expect(await linked(other)).toEqual({ origin: 'built', message: '' });
      expect(lines.join('\n')).toContain(
        `${other} is not used, and the image is built here: it is not based on ${night.image.interpreter?.reference ?? ''}`,
      );

      lines.length = 0;
      const unlabelled = await pushed('unlabelled', 'FROM python:3.13-slim-trixie\nRUN true\n');
      expect(await linked(unlabelled)).toEqual({ origin: 'built', message: '' });
      expect(lines.join('\n')).toContain("its labels do not name this variant's interpreter");
    } finally {
      registry.stop();
    }
  },
);
