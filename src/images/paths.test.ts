import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import { checkBuildPaths, checkContexts, folderHash, pathsIn } from './paths.ts';

/** What a committed link can make a build read or write: nothing outside of the checkout. */

const top = realpathSync(mkdtempSync(join(tmpdir(), 'pacegate-paths-')));
afterAll(() => rmSync(top, { recursive: true, force: true }));

let root: string;
let number = 0;
beforeEach(() => {
  root = join(top, String((number += 1)), 'checkout');
  mkdirSync(join(root, 'mirror'), { recursive: true });
  mkdirSync(join(root, '..', 'secrets'));
  writeFileSync(join(root, 'mirror', 'a.tgz'), 'a');
  writeFileSync(join(root, '..', 'secrets', 'token'), 'token');
});

const check = async (value: string) =>
  await checkContexts({ name: 'official', contexts: { 'python-source': value } }, root);

test('a folder of the checkout, one behind a link inside of it, and an absolute one are contexts', async () => {
  symlinkSync('mirror', join(root, 'link'));
  expect(await check('mirror')).toEqual({ 'python-source': join(root, 'mirror') });
  expect(await check('link')).toEqual({ 'python-source': join(root, 'mirror') });
  const outside = join(root, '..', 'secrets');
  expect(await check(outside)).toEqual({ 'python-source': realpathSync(outside) });
  expect(await check('docker-image://debian:trixie')).toEqual({});
});

test('a context that leads out of the checkout is refused by its name', async () => {
  symlinkSync('../secrets', join(root, 'link'));
  mkdirSync(join(root, 'x:'));
  symlinkSync('../../secrets', join(root, 'x:', 'r'));
  for (const value of ['link', 'x:/r', '../secrets', join(root, 'link'), 'mirror/../../secrets'])
    await expect(check(value)).rejects.toThrow(
      `variants.official.contexts.python-source is ${JSON.stringify(value)}, which is outside the checkout (at ${join(root, '..', 'secrets')})`,
    );
  await expect(check('none')).rejects.toThrow('there is no such folder');
  await expect(check('mirror/a.tgz')).rejects.toThrow('there is no such folder');
});

test('a secret, an authority and a local cache do not lead out of the checkout', async () => {
  symlinkSync('../secrets/token', join(root, 'token'));
  symlinkSync('../secrets', join(root, '.cache'));
  const plain = {
    cacheFrom: [],
    cacheTo: [],
    secrets: [],
    ca: undefined,
    registry: undefined,
    cold: 'quick',
  };
  const wrong = [
    { secrets: ['id=x,src=token'] },
    { ca: 'token' },
    { cacheTo: ['type=local,dest=.cache/{variant}'] },
    { cacheFrom: ['type=local,"src=.cache"'] },
  ];
  for (const build of wrong)
    await expect(checkBuildPaths({ ...plain, cold: 'quick', ...build }, root)).rejects.toThrow(
      ConfigurationError,
    );
  const right = {
    secrets: ['id=x,env=TOKEN', `id=y,src=${join(root, '..', 'secrets', 'token')}`, 'id=z,src=none'],
    cacheTo: ['type=local,dest=new/folder', 'type=gha,mode=max'],
  };
  await expect(checkBuildPaths({ ...plain, cold: 'quick', ...right }, root)).resolves.toBeUndefined();
  expect(pathsIn('id=a,source=b')).toEqual(['b']);
});

test('a folder’s hash follows its content: bytes, names, modes and links', async () => {
  const folder = join(root, 'mirror');
  const hashes = new Set([await folderHash(folder)]);
  writeFileSync(join(folder, 'a.tgz'), 'b');
  hashes.add(await folderHash(folder));
  chmodSync(join(folder, 'a.tgz'), 0o755);
  hashes.add(await folderHash(folder));
  symlinkSync('a.tgz', join(folder, 'l'));
  hashes.add(await folderHash(folder));
  mkdirSync(join(folder, 'deep'));
  writeFileSync(join(folder, 'deep', 'a'), '');
  hashes.add(await folderHash(folder));
  expect(hashes.size).toBe(5);
  expect(await folderHash(folder)).toBe([...hashes].at(-1));
});
