import { expect, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import type { ImageVariant } from '../plan/plan.ts';
import { withEngine } from '../process/engine.test-support.ts';
import { builderOf, carried, failure, folderWith, official, ready } from './images.test-support.ts';

jest.setTimeout(600_000);

withEngine('an image for another processor is not started, and the message has both', async () => {
  const tree = await folderWith({ 'a.txt': 'a' });
  const [own, other] = process.arch === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
  const name = `pacegate-itg-foreign-${process.pid}`;
  const archive = execFileSync('tar', ['c', '-C', tree, 'a.txt']);
  const variant = (architecture: string): ImageVariant => {
    const tag = `${name}:${architecture}`;
    execFileSync('docker', ['import', '--platform', `linux/${architecture}`, '-', tag], { input: archive });
    return {
      ...carried,
      name: 'foreign',
      kind: 'image',
      image: tag,
      baselineImage: undefined,
      python: 'python',
    };
  };
  const { prepare } = builderOf();
  try {
    expect(failure(await prepare(variant(other), 'head', tree))).toMatch(
      new RegExp(
        `^foreign \\(head\\): this image is for linux/${other}, and this machine is linux/${own}\\. .*emulator`,
      ),
    );
    expect(ready(await prepare(variant(own), 'head', tree)).image.origin).toBe('existing');
  } finally {
    for (const architecture of [own, other])
      execFileSync('docker', ['image', 'rm', `${name}:${architecture}`]);
  }
});

withEngine(
  'a Dockerfile whose last stage is for another processor is refused before it is built',
  async () => {
    const other = process.arch === 'arm64' ? 'amd64' : 'arm64';
    const tree = await folderWith({
      Dockerfile: `FROM --platform=linux/${other} python:3.12-slim\nRUN exit 1\n`,
    });
    expect(failure(await builderOf({ dockerfile: 'Dockerfile' }).prepare(official, 'head', tree))).toContain(
      `builds its last stage for linux/${other} (line 1:`,
    );
  },
);
