import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { planOf } from '../plan/plan.test-support.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { placesFrom } from '../main/places.ts';
import { refusePointers } from './unfetched-files.ts';

afterAll(removeTemporaryFolders);

const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n';
const places = { ...placesFrom(import.meta.dirname), variants: join(import.meta.dirname, '../../variants') };

function look(
  files: Readonly<Record<string, string>>,
  { workload = '', variant = '{ interpreter: debian }' } = {},
) {
  const tree = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
  const plan = planOf({
    workload: `{ command: [python, bench.py]${workload} }`,
    variants: `{ python: ${variant} }`,
    root: tree,
  });
  return refusePointers(plan, tree, 'the head’s files', realPorts(places).source);
}

test('a pointer in an image’s files is refused before the build, with its name and what to do', async () => {
  await expect(look({ 'app/model.bin': POINTER })).rejects.toThrow(
    /^In the head’s files, app\/model\.bin is a Git LFS pointer: .*`lfs: true` for actions\/checkout, `git lfs install`.*\.dockerignore\.$/,
  );
  const many = Object.fromEntries(Array.from({ length: 7 }, (_, index) => [`${index}.bin`, POINTER]));
  await expect(look(many)).rejects.toThrow(
    '0.bin, 1.bin, 2.bin, 3.bin, 4.bin and 2 more are Git LFS pointers',
  );
});

test('files outside the image are not fetched, and the measuring code is', async () => {
  expect(await look({ 'docs/picture.bin': POINTER })).toEqual([]);
  expect(await look({ 'data/model.bin': POINTER, '.dockerignore': 'data' })).toEqual([]);
  await expect(
    look({ 'data/model.bin': POINTER, '.dockerignore': 'data' }, { workload: ', files: [data]' }),
  ).rejects.toThrow('data/model.bin is');
  const own = { Dockerfile: 'FROM python\n', 'docs/picture.bin': POINTER };
  await expect(look(own, { workload: ', dockerfile: Dockerfile' })).rejects.toThrow('docs/picture.bin is');
  expect(
    await look({ ...own, 'Dockerfile.dockerignore': '**/*.bin' }, { workload: ', dockerfile: Dockerfile' }),
  ).toEqual([]);
  expect(
    await look({ 'model.bin': POINTER, 'service/app.py': '' }, { workload: ', context: service' }),
  ).toEqual([]);
});

test('a host interpreter sees every file, a bake file may, an image that exists none but the measuring code', async () => {
  await expect(
    look(
      { 'docs/a.bin': POINTER, '.dockerignore': 'docs' },
      { variant: '{ interpreter: host, python: python3 }' },
    ),
  ).rejects.toThrow('docs/a.bin is');
  const image = '{ image: python, python: python3 }';
  expect(await look({ 'a.bin': POINTER }, { variant: image })).toEqual([]);
  await expect(look({ 'a.bin': POINTER }, { variant: image, workload: ', files: [a.bin]' })).rejects.toThrow(
    'a.bin is',
  );
  expect(await look({ 'a.bin': POINTER }, { variant: '{ bake: image, python: python3 }' })).toEqual([
    expect.stringMatching(
      /^In the head’s files, a\.bin is a Git LFS pointer, .*If the bake file puts it into an image/,
    ),
  ]);
});

test('a pointer in a named context is refused too, by its path from the top', async () => {
  const variant = (contexts: string) => ({ variant: `{ interpreter: debian, contexts: { ${contexts} } }` });
  const vendor = { 'app.py': '', 'vendor/python/Python.tgz': POINTER, '.dockerignore': 'vendor' };
  await expect(look(vendor, variant('python-source: vendor/python'))).rejects.toThrow(
    /^In the folders of named contexts \(`contexts`\), vendor\/python\/Python\.tgz is a Git LFS pointer: .*`lfs: true`/,
  );
  await expect(look(vendor, variant('a: ./vendor, b: vendor/python'))).rejects.toThrow(
    'vendor/python/Python.tgz is a Git LFS pointer',
  );
  // A context has its own ignore file. Addresses are not folders of this machine.
  const ignored = { ...vendor, 'vendor/python/.dockerignore': '*.tgz' };
  expect(await look(ignored, variant('python-source: vendor/python'))).toEqual([]);
  expect(await look(vendor, variant('a: "docker-image://vendor", b: "https://vendor/python"'))).toEqual([]);
});
