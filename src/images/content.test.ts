import { expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { contentOf, layerContent } from './content.ts';

const entry = (
  name: string,
  body: string | Uint8Array = '',
  header: Partial<TarEntry['header']> = {},
): TarEntry => ({
  header: {
    name,
    size: Buffer.byteLength(body),
    mtime: new Date(1000),
    mode: 0o644,
    uid: 0,
    gid: 0,
    ...header,
  },
  body,
});
const stream = (bytes: Uint8Array) =>
  new ReadableStream<Uint8Array>({
    start: (controller) => {
      // In pieces: bytecode's header may come in several.
      for (let at = 0; at < bytes.length; at += 700) controller.enqueue(bytes.subarray(at, at + 700));
      controller.close();
    },
  });
const layer = async (...entries: readonly TarEntry[]) => {
  const content = await layerContent(stream(await packTar([...entries])));
  if (content === undefined) throw new Error('not read');
  return content;
};
const of = async (...entries: readonly TarEntry[]) => contentOf([await layer(...entries)]);

/** Bytecode by time (PEP 552): magic, flags, time, size, code. */
const pyc = (stamp: number, code = 'code', flags = 0) => {
  const head = Buffer.alloc(16);
  head.writeUInt32LE(0xdf3, 0);
  head.writeUInt32LE(flags, 4);
  head.writeUInt32LE(stamp, 8);
  return Buffer.concat([head, Buffer.from(code)]);
};
const at = (seconds: number) => ({ mtime: new Date(seconds * 1000) });
const CACHED = 'app/__pycache__/a.cpython-313.opt-1.pyc';

test('times and the order of files do not count', async () => {
  expect(await of(entry('b', 'x', at(5)), entry('./a/', '', { type: 'directory', mode: 0o755 }))).toBe(
    await of(entry('a', '', { type: 'directory', mode: 0o755, ...at(9) }), entry('b', 'x', at(7))),
  );
});

test.each<[string, TarEntry]>([
  ['the path', entry('c', 'x')],
  ['the bytes', entry('b', 'y')],
  ['the mode', entry('b', 'x', { mode: 0o755 })],
  ['the owner', entry('b', 'x', { uid: 7 })],
  ['the group', entry('b', 'x', { gid: 7 })],
  ['the kind', entry('b', '', { type: 'symlink', linkname: 'x', size: 0 })],
  ['attributes such as capabilities', entry('b', 'x', { pax: { 'SCHILY.xattr.security.capability': '1' } })],
])('%s counts', async (_, changed) => {
  expect(await of(changed)).not.toBe(await of(entry('b', 'x')));
});

test('where a link leads counts', async () => {
  const link = (linkname: string) => entry('l', '', { type: 'symlink', linkname, size: 0 });
  expect(await of(link('a'))).not.toBe(await of(link('b')));
});

test("bytecode's time does not count where it is its source's in both, or in neither", async () => {
  const compiled = (source: number, stamp: number) =>
    of(entry('app/a.py', 'a = 1', at(source)), entry(CACHED, pyc(stamp)));
  expect(await compiled(100, 100)).toBe(await compiled(200, 200));
  // Stale bytecode is compiled again at each start.
  expect(await compiled(100, 100)).not.toBe(await compiled(200, 100));
  expect(await compiled(100, 90)).toBe(await compiled(200, 190));
});

test('the source may lie in another layer; without one the time itself counts', async () => {
  const image = async (source: number, stamp: number) =>
    contentOf([await layer(entry('app/a.py', 'a', at(source))), await layer(entry(CACHED, pyc(stamp)))]);
  expect(await image(100, 100)).toBe(await image(200, 200));
  expect(await image(100, 100)).not.toBe(await image(200, 100));
  expect(await of(entry(CACHED, pyc(100)))).not.toBe(await of(entry(CACHED, pyc(200))));
});

test("bytecode's code counts, and by hash its whole header", async () => {
  const compiled = (code: string, flags: number, stamp: number) =>
    of(entry('app/a.py', 'a', at(1)), entry(CACHED, pyc(stamp, code, flags)));
  expect(await compiled('x', 0, 1)).not.toBe(await compiled('y', 0, 1));
  expect(await compiled('x', 1, 1)).not.toBe(await compiled('x', 1, 2));
});

test('a packed and an unpacked layer are the same; a file that is not a layer, or has a device, is not compared', async () => {
  const tar = await packTar([entry('a', 'x')]);
  expect(await layerContent(stream(gzipSync(tar)))).toEqual(await layerContent(stream(tar)));
  expect(await layerContent(stream(Buffer.from('{"no": "layer"}'.padEnd(600))))).toBeUndefined();
  const device = await packTar([entry('null', '', { type: 'character-device', size: 0 }), entry('a', 'x')]);
  expect(await layerContent(stream(device))).toBeUndefined();
});

test('layers are compared in order: adding a file and then removing it differs from the reverse', async () => {
  const [adds, removes] = [await layer(entry('a', 'x')), await layer(entry('.wh.a'))];
  expect(contentOf([adds, removes])).not.toBe(contentOf([removes, adds]));
});
