import { join } from 'node:path';
import { afterAll, expect, jest } from '@jest/globals';
import { withEngine } from '../../process/engine.test-support.ts';
import { containerEngine } from '../engines/container.ts';
import { ownerOfThisProcess } from '../../process/owner.ts';
import { runRequest } from '../engines/run-request.test-support.ts';

jest.setTimeout(600_000);
const engine = containerEngine({
  sessionId: `itg-facts-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: '',
  facts: join(import.meta.dirname, 'facts.py'),
});
afterAll(() => engine.cleanUp());

const ask = async (python: string) =>
  await engine.facts(
    runRequest([], {
      runnable: {
        python,
        image: { variant: 'debian', side: 'head', id: 'python:3.13-slim-trixie' } as never,
      },
    }).runnable,
  );

withEngine('Debian’s own interpreter is recognised by its binary, not by its sysconfig', async () => {
  const facts = await ask('/usr/bin/python3');
  expect(facts).toMatchObject({
    executable: '/usr/bin/python3.13',
    compiler: expect.stringMatching(/^GCC 14\./),
    libc: expect.stringMatching(/^glibc 2\.41/),
    // With the point release, which os-release does not have.
    system: expect.stringMatching(/^Debian GNU\/Linux 13\.\d+ \(trixie\)$/),
    allocator: 'pymalloc on glibc',
    libraries: { openssl: expect.stringMatching(/^3\./), sqlite: expect.stringMatching(/^3\./) },
    brokenModules: {},
  });
  expect(facts.systemPackages).toBeGreaterThan(50);
  const { properties } = facts;
  expect(properties).toMatchObject({
    pgo: { declared: 'unknown', observed: 'yes' },
    shared_libpython: { declared: 'yes', observed: 'no' },
    gil: { observed: 'yes' },
    march: { observed: 'no' },
    frame_pointers: { observed: 'no' },
    bytecode: { observed: 'yes' },
    assertions: { observed: 'no' },
  });
  expect(properties.lto?.observed).not.toBe('no');
  expect(Object.values(properties).map(({ declared }) => declared)).not.toContain('no');
});

withEngine('a program that is not Python is an error with its output', async () => {
  await expect(ask('/bin/echo')).rejects.toThrow(
    /^debian \(head\): the interpreter's facts cannot be read\..*found "-I -S \/pacegate\/facts\.py"$/,
  );
});
