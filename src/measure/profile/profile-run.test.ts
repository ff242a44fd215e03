import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { profileOf, type CallGraph } from '../../session/profile.ts';
import { freePort } from '../../process/engine.test-support.ts';
import type { Engine, ProfileRequest } from '../engine.ts';
import { hostEngine } from '../engines/host.ts';
import { resolveInterpreter } from '../engines/host-interpreter.ts';
import { profileRun } from './profile-run.ts';
import { never, runRequest, type RequestChange } from '../engines/run-request.test-support.ts';

/** Real interpreters under the real profilers, on this machine; what is asserted is counted, never timed. */

let python: string;
let folder: string;
let engine: Engine;
beforeAll(async () => {
  python = await resolveInterpreter('python3');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-profile-'));
  await mkdir(join(folder, 'work'));
  await mkdir(join(folder, 'project'));
  engine = hostEngine({
    probe: join(import.meta.dirname, '../probe/probe.py'),
    facts: join(import.meta.dirname, '../probe/facts.py'),
    workFolder: join(folder, 'work'),
  });
});
afterEach(async () => {
  await engine.cleanUp();
  await rm(folder, { recursive: true });
});

const scripts = join(import.meta.dirname, '../probe/profiler');

async function profiled(
  kind: ProfileRequest['kind'],
  program: string,
  { runnable, workload, repetitions = 1 }: RequestChange & { repetitions?: number } = {},
): Promise<CallGraph | string> {
  await writeFile(join(folder, 'project', 'bench.py'), program);
  const request = runRequest(['python', 'bench.py'], {
    runnable: { python, workingDirectory: join(folder, 'project'), ...runnable },
    ...(workload === undefined ? {} : { workload }),
  });
  const result = await profileRun(
    engine,
    { ...request, repetitions, longestSeconds: 10, profile: { kind, profiler: 'cprofile', scripts } },
    never,
  );
  // Whatever happened, nothing is left of it.
  expect(await readdir(join(folder, 'work'))).toEqual([]);
  return result;
}

const graphOf = (result: CallGraph | string): CallGraph => {
  if (typeof result === 'string') throw new Error(result);
  return result;
};
const find = (graph: CallGraph, name: string) => graph.functions.find((one) => one.name === name);

const WORK = `
def work(n):
    return sum(i * i for i in range(n))
`;

describe('time', () => {
  test('each function of the workload with its place, its calls and who called it', async () => {
    const graph = graphOf(
      await profiled('time', `${WORK}\ndef outer():\n    for _ in range(7):\n        work(1000)\nouter()\n`),
    );
    expect(find(graph, 'work')).toMatchObject({ file: 'bench.py', line: 2, calls: 7 });
    const [outer, work] = ['outer', 'work'].map((name) =>
      graph.functions.findIndex((one) => one.name === name),
    );
    expect(graph.calls.find(({ caller, callee }) => caller === outer && callee === work)).toMatchObject({
      calls: 7,
    });
    // Nothing of the profiler's own.
    expect(graph.functions.filter(({ file }) => file.includes('sitecustomize'))).toEqual([]);
  });

  test('every process: forked, spawned, of a pool that is ended by a signal, and a program of its own', async () => {
    const graph = graphOf(
      await profiled(
        'time',
        `import multiprocessing, subprocess, sys
from concurrent.futures import ProcessPoolExecutor
${WORK}
if __name__ == '__main__':
    for how in ('fork', 'spawn'):
        context = multiprocessing.get_context(how)
        child = context.Process(target=work, args=(10,)); child.start(); child.join()
        with context.Pool(1) as pool:
            pool.map(work, [10, 10])
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            list(executor.map(work, [10, 10, 10]))
    subprocess.run([sys.executable, '-c', 'def alone(): pass\\nalone()'], check=True)
`,
      ),
    );
    expect(find(graph, 'work')?.calls).toBe(2 * (1 + 2 + 3));
    expect(find(graph, 'alone')?.calls).toBe(1);
    // The program itself, three children of each way and the program of its own; a resource tracker may be one more.
    expect(graph.processes).toBeGreaterThanOrEqual(8);
  });

  test('threads', async () => {
    const graph = graphOf(
      await profiled(
        'time',
        `import threading\n${WORK}\nthreads = [threading.Thread(target=work, args=(10,)) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
`,
      ),
    );
    expect(find(graph, 'work')?.calls).toBe(4);
  });

  test('repetitions are few, and those of one file and name are one function', async () => {
    const graph = graphOf(await profiled('time', `${WORK}\nwork(10)\n`, { repetitions: 300 }));
    expect(find(graph, 'work')?.calls).toBe(5);
    expect(graph.processes).toBe(5);
  });

  test('an existing sitecustomize is still imported, and PYTHONPATH is kept', async () => {
    await mkdir(join(folder, 'project', 'site'));
    await writeFile(
      join(folder, 'project', 'site', 'sitecustomize.py'),
      'import builtins\nbuiltins.THERE = 1\n',
    );
    const graph = graphOf(
      await profiled(
        'time',
        'def seen(): return THERE\nseen()\nimport sitecustomize\nassert "site/" in sitecustomize.__file__\n',
        {
          runnable: { env: { PYTHONPATH: join(folder, 'project', 'site') } },
        },
      ),
    );
    expect(find(graph, 'seen')?.calls).toBe(1);
  });

  test('an interpreter that ignores its environment leaves no profile, and this is reported', async () => {
    expect(await profiled('time', 'pass', { runnable: { flags: ['-I'] } })).toMatch(
      /no process left a profile.*-I/,
    );
  });

  test('a workload that dies under the profiler gives its message and no profile', async () => {
    expect(await profiled('time', 'raise SystemExit(3)')).toMatch(/exit status 3/);
  });

  test('files that a workload puts in place of profiles are not trusted, not followed and not waited for', async () => {
    const graph = graphOf(
      await profiled(
        'time',
        `import json, os
${WORK}
place = os.environ['PACEGATE_PROFILES']
def leave(name, text):
    with open(os.path.join(place, name), 'w') as file: file.write(text)
leave('0.json', 'no json')
leave('1.json', json.dumps({"threads": 1, "shared": False, "own": -5, "functions": [], "calls": []}))
leave('2.json', 'x' * (4 << 20))
os.symlink('/etc/passwd', os.path.join(place, '3.json'))
os.mkfifo(os.path.join(place, '4.json'))
os.mkdir(os.path.join(place, '5.json'))
work(10)
`,
      ),
    );
    expect(find(graph, 'work')?.calls).toBe(1);
    expect(graph.notes.join()).toMatch(
      /more of its processes left a profile that is too large or incomplete/,
    );
  });
});

test('a server under load: its own functions, not those of the load', async () => {
  const port = await freePort();
  await writeFile(
    join(folder, 'project', 'load.py'),
    `import urllib.request
for _ in range(20):
    urllib.request.urlopen('http://127.0.0.1:${port}/').read()
`,
  );
  const graph = graphOf(
    await profiled(
      'cpu',
      `import http.server
${WORK}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(work(100)).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(('127.0.0.1', ${port}), Handler).serve_forever()
`,
      {
        workload: {
          timeoutSeconds: 60,
          server: {
            ready: `http://127.0.0.1:${port}/`,
            load: ['python', 'load.py'],
            warmUp: 1,
            startTimeoutSeconds: 30,
            stop: 'SIGTERM',
            stopTimeoutSeconds: 10,
          },
        },
      },
    ),
  );
  // The ready check's, and two rounds of load.
  expect(find(graph, 'work')?.calls).toBe(41);
  expect(find(graph, 'urlopen')).toBeUndefined();
});

test('memory: who holds it when most is held, by the function that asked for it', async () => {
  const graph = graphOf(
    await profiled(
      'memory',
      `class Cache:
    def fill(self):
        self.rows = [bytes(10_000) for _ in range(3_000)]
    def empty(self):
        self.rows = []
cache = Cache()
import time
for _ in range(2):
    cache.fill()
    time.sleep(0.2)
    cache.empty()
`,
    ),
  );
  const [largest] = graph.functions;
  expect(largest).toMatchObject({ file: 'bench.py', name: 'Cache.fill', line: 2 });
  // The largest look need not be the last: on a busy machine it may miss some of the last pieces.
  expect(largest?.own).toBeGreaterThan(25e6);
  expect(largest?.own).toBeLessThan(45e6);
  expect(profileOf(graph).functions[0]).toEqual(largest);
});

test('imports: the modules that the interpreter imports at its start, with its flags', async () => {
  await mkdir(join(folder, 'project', 'site'));
  await writeFile(join(folder, 'project', 'site', 'sitecustomize.py'), 'import time\ntime.sleep(0.05)\n');
  const env = { PYTHONPATH: join(folder, 'project', 'site') };
  const [slow, isolated] = [
    graphOf(await profiled('imports', 'raise SystemExit("is not run")', { runnable: { env } })),
    graphOf(await profiled('imports', '', { runnable: { env, flags: ['-I'] } })),
  ];
  expect(slow.functions[0]).toMatchObject({ name: 'sitecustomize', calls: 1 });
  expect(slow.functions[0]?.own).toBeGreaterThan(0.05);
  // It was looked for, and not found.
  expect(find(isolated, 'sitecustomize')?.own ?? 0).toBeLessThan(0.05);
  expect(find(isolated, 'site')).toBeDefined();
});

describe('py-spy', () => {
  /** A program in its place: loses its first `lost` processes and then sees one stack. */
  const pySpyThatLoses = async (lost: number): Promise<string> => {
    const program = join(folder, 'py-spy');
    const attempts = join(folder, 'attempts');
    await writeFile(
      program,
      `#!/bin/sh
echo attempt >> ${attempts}
if [ "$(wc -l < ${attempts})" -le ${lost} ]; then echo 'Error: No child process (os error 10)' >&2; exit 1; fi
while [ "$1" != --output ]; do shift; done
echo 'work (bench.py:1) 3' > "$2"
`,
      { mode: 0o755 },
    );
    return program;
  };
  const sampled = async (pySpy: string) => {
    await writeFile(join(folder, 'project', 'bench.py'), '');
    const request = runRequest(['python', 'bench.py'], {
      runnable: { python, workingDirectory: join(folder, 'project') },
    });
    const profile: ProfileRequest = { kind: 'time', profiler: 'py-spy', pySpy, scripts };
    return profileRun(engine, { ...request, repetitions: 1, longestSeconds: 10, profile }, never);
  };

  test('gets a second attempt after it lost a process that ended while it attached', async () => {
    const graph = graphOf(await sampled(await pySpyThatLoses(1)));
    expect(find(graph, 'work')?.own).toBeGreaterThan(0);
  });

  test('is believed where it fails only after it wrote its profile', async () => {
    const program = join(folder, 'py-spy');
    await writeFile(
      program,
      `#!/bin/sh
while [ "$1" != --output ]; do shift; done
echo 'work (bench.py:1) 3' > "$2"
echo 'Error: No child process (os error 10)' >&2
exit 1
`,
      { mode: 0o755 },
    );
    expect(find(graphOf(await sampled(program)), 'work')?.own).toBeGreaterThan(0);
  });

  test('gets no third', async () => {
    expect(await sampled(await pySpyThatLoses(2))).toMatch(/No child process \(os error 10\)/);
  });
});
