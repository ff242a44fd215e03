import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { connect } from './client.ts';
import { textIn } from './zip.ts';
import { artifactsOf, BOUNDS, sessionTexts } from './run-artifact.ts';
import { checkedServers } from './checked-servers.test-support.ts';
import type { ServerOptions } from './server.test-support.ts';
import type { StoredArtifact } from './server-state.test-support.ts';

/** The artifacts of a stranger's run: which are read, and which attacks fail. */

const startServer = checkedServers();

/** Makes an archive with Python, which can write bad paths, duplicates and false sizes. */
function zip(program: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-zip-'));
  try {
    const file = join(folder, 'a.zip');
    const text = `import io, struct, sys, warnings, zipfile\nwarnings.simplefilter('ignore')\nz = zipfile.ZipFile(${JSON.stringify(file)}, 'w', zipfile.ZIP_DEFLATED)\n${program}\nz.close()\n`;
    writeFileSync(join(folder, 'make.py'), text);
    execFileSync('python3', [join(folder, 'make.py')]);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const GOOD = zip("z.writestr('session.json', '{}')\nz.writestr('profiles/a.callgrind', 'x')");

async function read(
  artifacts: readonly Partial<StoredArtifact>[],
  options: ServerOptions = {},
  bounds = BOUNDS,
) {
  const server = await startServer(options);
  server.artifacts.push(
    ...artifacts.map((artifact, index) => ({
      ...{ id: index + 1, run: 5, name: 'pacegate-pacegate', archive: GOOD },
      ...artifact,
    })),
  );
  const octokit = await connect('token', server.url, { limits: { answer: 3, wait: 1, total: 20 } });
  const request = { owner: 'owner', repo: 'name', run: 5, name: 'pacegate-pacegate' };
  return await sessionTexts(octokit, request, bounds);
}

test('the session of the gate is read, and the storage does not see the token', async () =>
  expect(await read([{}])).toEqual([{ name: 'artifact 1 of run 5', text: '{}' }]));

test('a run without an artifact of the name has no session', async () =>
  expect(await read([{ name: 'coverage' }, { run: 4 }])).toEqual([]));

describe('which artifacts are taken', () => {
  const taken = (...names: readonly string[]) =>
    artifactsOf(
      'pacegate-pacegate',
      names.map((name, id) => ({ id, name })),
    ).map(({ name }) => name);
  test('the newest attempt of the gate, and no other configuration', () =>
    expect(
      taken(
        'pacegate-pacegate',
        'pacegate-pacegate-mf3k2j1a',
        'pacegate-orders',
        'pacegate-pacegate-nightly',
      ),
    ).toEqual(['pacegate-pacegate-mf3k2j1a']));
  test('the shards if there is no gate, each once', () =>
    expect(
      taken(
        'pacegate-pacegate-shard-1-of-2',
        'pacegate-pacegate-shard-2-of-2',
        'pacegate-pacegate-shard-1-of-2-mf3k2j1a',
      ),
    ).toEqual(['pacegate-pacegate-shard-1-of-2-mf3k2j1a', 'pacegate-pacegate-shard-2-of-2']));
  test('a name is not a pattern', () =>
    expect(artifactsOf('pacegate-(a+)+$', [{ id: 1, name: `pacegate-${'a'.repeat(40)}` }])).toEqual([]));
});

describe('a hostile archive is refused with a message', () => {
  const small = { ...BOUNDS, compressed: 100_000, unpacked: 1_000_000, entries: 100 };
  test.each<[string, () => Buffer, RegExp]>([
    [
      'a bomb',
      () => zip("z.writestr('session.json', b'0' * 50_000_000)"),
      /has 50000000 bytes; must be at most 1000000/,
    ],
    [
      'a bomb that says it is small',
      () => {
        const bomb = zip("z.writestr('session.json', b'0' * 50_000_000)");
        for (const [signature, offset] of [
          [0x04034b50, 22],
          [0x02014b50, 24],
        ] as const) {
          const mark = Buffer.alloc(4);
          mark.writeUInt32LE(signature);
          bomb.writeUInt32LE(1000, bomb.indexOf(mark) + offset);
        }
        return bomb;
      },
      /is not an archive that GitHub made \(.*(?:too many bytes|invalid|expected)/i,
    ],
    [
      'a path that leads out',
      () => zip("z.writestr('../../session.json', 'x')"),
      /is not an archive that GitHub made/,
    ],
    [
      'an absolute path',
      () => zip("z.writestr('/etc/session.json', 'x')"),
      /is not an archive that GitHub made/,
    ],
    [
      'two sessions',
      () => zip("z.writestr('session.json', '1')\nz.writestr('session.json', '2')"),
      /has two files session\.json/,
    ],
    [
      'files without number',
      () => zip("for i in range(101): z.writestr(f'f{i}', '')"),
      /has 101 files; must be at most 100/,
    ],
    [
      'no session',
      () => zip("z.writestr('folder/session.json', '{}')"),
      /has no session\.json; the gate ended without a verdict/,
    ],
    ['no archive', () => Buffer.from('PK but no archive'), /is not an archive that GitHub made/],
    ['an empty file', () => Buffer.alloc(0), /is not an archive that GitHub made/],
    ['one that is cut off', () => GOOD.subarray(0, GOOD.length - 30), /is not an archive that GitHub made/],
  ])('%s', async (_, make, words) => {
    const archive = make();
    const begun = process.cpuUsage();
    await expect(textIn(archive, 'session.json', small, 'artifact 1 of run 5')).rejects.toThrow(words);
    expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(5);
  });

  test('an archive with a declared size above the limit is not downloaded', async () => {
    const requests: string[] = [];
    const meanwhile = (request: string) => void requests.push(request);
    await expect(read([{ size: 100_001 }], { meanwhile }, small)).rejects.toThrow('larger than 100000 bytes');
    expect(requests).toEqual(['GET /repos/owner/name/actions/runs/5/artifacts']);
  });
  test('an archive larger than its declared size is refused', async () => {
    const archive = Buffer.alloc(200_000);
    await expect(read([{ archive, size: 100 }], {}, small)).rejects.toThrow('larger than 100000 bytes');
  });
  test('archives that are too large together are given up', async () => {
    const shards = [1, 2, 3].map((index) => ({ name: `pacegate-pacegate-shard-${index}-of-3` }));
    await expect(read(shards, {}, { ...BOUNDS, together: 2 * GOOD.length })).rejects.toThrow(
      'The artifact 3 of run 5 is larger than 0 bytes',
    );
  });
  test('one that has expired is named', async () =>
    await expect(read([{ expired: true }])).rejects.toThrow('artifact 1 of run 5 has expired'));
});

test.each([
  [403, 'Resource not accessible by integration', /the job needs the permission `actions: read`/],
  [404, 'Not Found', /does not show the artifacts of run 5 of owner\/name/],
  [410, 'Gone', /no longer has the artifacts of run 5/],
])('where GitHub answers %i the message says what the job needs', async (status, message, words) => {
  await expect(read([{}], { fault: () => ({ status, message }) })).rejects.toThrow(words);
});
