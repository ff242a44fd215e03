import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { exportTree } from './export.ts';
import { lfsPointers } from './lfs-pointers.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from './repository.test-support.ts';
import { hashFiles, hashFolder } from './workload-files.ts';

afterAll(removeTemporaryFolders);

const pointerTo = (content: string) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${createHash('sha256').update(content).digest('hex')}\nsize ${content.length}\n`;

test('a pointer is found by its first line and its size, wherever it lies', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'data/deep'), { recursive: true });
  const write = (name: string | Buffer, text: string) =>
    writeFileSync(typeof name === 'string' ? join(folder, name) : name, text);
  write('data/deep/model.bin', pointerTo('the model'));
  write('top.bin', pointerTo('top'));
  write(Buffer.concat([Buffer.from(`${folder}/data/caf`), Buffer.from([0xe9])]), pointerTo('coffee'));
  write('data/long.txt', pointerTo('x').padEnd(1024, '\n'));
  write('data/about.md', `A pointer begins with ${pointerTo('x')}`);
  write('data/empty', '');
  symlinkSync('top.bin', join(folder, 'link.bin'));
  expect(await lfsPointers(folder)).toEqual(['data/caf\\xe9', 'data/deep/model.bin', 'top.bin']);
  expect(await lfsPointers(folder, 'data/deep/')).toEqual(['data/deep/model.bin']);
  expect(await lfsPointers(folder, 'top.bin')).toEqual(['top.bin']);
  expect(await lfsPointers(folder, 'data/about.md')).toEqual([]);
  expect(await lfsPointers(folder, 'none')).toEqual([]);
});

/** A repository whose base stores a file in LFS and whose head does not. Objects are in a folder, as with git-lfs. */
function movedOutOfLfs() {
  const origin = repository();
  const objects = temporaryFolder();
  const keep = (content: string) => {
    writeFileSync(join(objects, createHash('sha256').update(content).digest('hex')), content);
    return pointerTo(content);
  };
  origin.write('.gitattributes', '*.bin filter=lfs\n');
  origin.write('model.bin', keep('the base’s model'));
  const base = origin.commit('base');
  origin.write('.gitattributes', '');
  origin.write('model.bin', 'the head’s model');
  const head = origin.commit('head');
  const smudge = `sh -c 'cat "${objects}/$(sed -n "s/^oid sha256://p")"'`;
  return { ...origin, base, head, smudge, objects };
}

test('if git has the filter, each side is written with its own attributes, and no pointer is left', async () => {
  const { path, git, base, head, smudge } = movedOutOfLfs();
  git('config', 'filter.lfs.smudge', smudge);
  git('config', 'filter.lfs.required', 'true');
  const [before, after] = [join(temporaryFolder(), 'base'), join(temporaryFolder(), 'head')];
  await exportTree(path, base, before);
  await exportTree(path, head, after);
  expect(readFileSync(join(before, 'model.bin'), 'utf8')).toBe('the base’s model');
  expect(readFileSync(join(after, 'model.bin'), 'utf8')).toBe('the head’s model');
  // The filter does not run in the user's work tree.
  expect(git('status', '--porcelain')).toBe('');
});

test('where it does not, the pointer is there to be found; a filter that fails is named with its words', async () => {
  const { path, git, base, objects } = movedOutOfLfs();
  const folder = join(temporaryFolder(), 'base');
  await exportTree(path, base, folder);
  expect(await lfsPointers(folder)).toEqual(['model.bin']);
  git('config', 'filter.lfs.smudge', `sh -c 'echo "object not found on the server" >&2; exit 2'`);
  git('config', 'filter.lfs.required', 'true');
  await expect(exportTree(path, base, join(objects, 'again'))).rejects.toThrow(
    new RegExp(
      `^The file model\\.bin of ${base.slice(0, 10)} cannot be written, because the filter lfs that \\.gitattributes names failed: .*object not found on the server.* Git LFS could not fetch it: .*git lfs fetch origin ${base}\\)\\.$`,
      's',
    ),
  );
});

test('a name that is not UTF-8 is written and hashed by its bytes, and is refused where it has to be shown', async () => {
  const origin = repository();
  origin.write('data/plain', 'plain');
  const odd = (folder: string, byte: number) =>
    Buffer.concat([Buffer.from(`${folder}/data/caf`), Buffer.from([byte])]);
  writeFileSync(odd(origin.path, 0xe9), 'odd');
  origin.commit('odd');
  const folder = join(temporaryFolder(), 'tree');
  await exportTree(origin.path, 'HEAD', folder);
  expect(readdirSync(join(folder, 'data'), { encoding: 'buffer' })).toContainEqual(
    Buffer.from([...Buffer.from('caf'), 0xe9]),
  );
  expect(readFileSync(odd(folder, 0xe9), 'utf8')).toBe('odd');

  const before = await hashFolder(folder);
  writeFileSync(odd(folder, 0xe9), 'changed');
  const edited = await hashFolder(folder);
  renameSync(join(folder, 'data/plain'), join(folder, 'data/other'));
  expect(new Set([before, edited, await hashFolder(folder)]).size).toBe(3);

  await expect(hashFiles(folder, ['data'])).rejects.toThrow(
    'workload.files names data, and the name of a file in it is not UTF-8 (data/caf\\xe9), so it cannot be mounted and recorded. Rename the file.',
  );
});
