import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../../plan/plan.ts';
import { runCommand } from '../../process/command.ts';
import { converse } from '../../process/conversation.ts';
import { freePort } from '../../process/engine.test-support.ts';
import { serverProbe } from '../engines/command-line.ts';
import { processesWith } from '../../process/host-processes.ts';
import { hostEngine } from '../engines/host.ts';
import { resolveInterpreter } from '../engines/host-interpreter.ts';
import { FAKE_ANSWER, never, runRequest } from '../engines/run-request.test-support.ts';
import { until } from '../../process/patience.test-support.ts';
import { measureServer, type Program } from './server.ts';
import { loadCommand, serverCommand, serverSettings } from './server.test-support.ts';
import { runWithoutFigures } from '../run-failure.ts';

/** Servers of this machine's own Python under a load of it: the whole conversation, without a container. */

jest.setTimeout(600_000);
const probe = join(import.meta.dirname, '../probe/probe.py');
let python: string;
let folder: string;
let port: number;
beforeAll(async () => {
  python = await resolveInterpreter('python3');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-server-'));
  port = await freePort();
});
afterEach(async () => {
  // Whatever became of the run, nothing of it is left.
  expect(await processesWith(`PACEGATE_METRICS=${folder}/`)).toEqual([]);
  await rm(folder, { recursive: true });
});

interface Case {
  readonly server: readonly string[];
  readonly load?: readonly string[];
  readonly settings?: Partial<Server>;
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}

async function run({ server, load = ['get("/")'], settings, timeoutSeconds = 30, signal = never }: Case) {
  const request = runRequest(serverCommand(port, server), {
    runnable: { python, workingDirectory: folder },
    workload: {
      timeoutSeconds,
      server: serverSettings(port, { load: loadCommand(port, load), ...settings }),
    },
  });
  return await hostEngine({ probe, facts: '', workFolder: folder }).run(request, signal);
}

const written = async (name: string) => await readFile(join(folder, name), 'utf8');

describe('a server under load', () => {
  test('has its own CPU between the words, the load’s wall time and business metrics', async () => {
    const { outcome, message, metrics, noise, declared } = await run({
      server: [
        'spin(0.5)',
        'def handle(path):',
        '    if path == "/work": spin(0.05)',
        '    return 200, str(time.process_time())',
        'serve()',
      ],
      load: [
        'before = float(get("/"))',
        'for _ in range(8): get("/work")',
        'own = sum(os.times()[:2])',
        'report(requests={"value": 8, "unit": "requests", "better": "higher"}, server_cpu_s=float(get("/")) - before, own_cpu_s=own)',
      ],
    });
    expect({ outcome, message }).toEqual({ outcome: 'ok', message: undefined });
    expect(declared['requests']).toEqual({ unit: 'requests', better: 'higher' });
    // As the server's own clock has it, and what its part before and behind the two questions takes; the half second
    // before it was ready is in neither.
    const { server_cpu_s: own = 0, cpu_time_s: cpu = 0 } = metrics;
    expect(own).toBeGreaterThan(0.4);
    expect(cpu).toBeGreaterThan(own - 0.001);
    expect(cpu).toBeLessThan(own + 0.1);
    expect(metrics['user_time_s']! + metrics['system_time_s']!).toBeCloseTo(cpu, 9);
    expect(metrics['user_time_s']).toBeGreaterThan(0);
    expect(metrics['wall_time_s']).toBeGreaterThan(0.4);
    expect(metrics['ready_time_s']).toBeGreaterThan(0.5);
    expect(metrics['load_cpu_time_s']).toBeGreaterThan(metrics['own_cpu_s']! - 0.02);
    for (const name of ['max_rss_bytes', 'stop_time_s', 'startup_time_s'])
      expect(metrics[name]).toBeGreaterThan(0);
    // What has no exact figure in the window has none at all; nor has what only the two programs tell each other.
    for (const name of ['page_faults_minor', 'io_read_bytes', 'context_switches_voluntary', 'window_s'])
      expect(metrics).not.toHaveProperty(name);
    expect(noise.load_1m).toBeGreaterThanOrEqual(0);
  });

  test('of several processes has the CPU of all of them, ended ones too', async () => {
    const { message, metrics } = await run({
      server: [
        'def work():',
        '    pid = os.fork()',
        '    if pid == 0:',
        '        spin(0.1)',
        '        os._exit(0)',
        '    return pid',
        'def handle(path):',
        '    if path == "/fork": os.waitpid(work(), 0)',
        '    elif path == "/thread": spin(0.1)',
        '    elif path == "/orphan": os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", ORPHAN], os.environ), 0)',
        '    return 200, ""',
        "ORPHAN = \"import os, time\\nif os.fork(): os._exit(0)\\nend = time.process_time() + 0.1\\nwhile time.process_time() < end: pass\\nopen('orphan', 'w').close()\"",
        'serve()',
      ],
      load: [
        'get("/fork")',
        'get("/thread")',
        'get("/orphan")',
        'while not os.path.exists("orphan"): time.sleep(0.01)',
      ],
    });
    expect(message).toBeUndefined();
    // Three times a tenth of a second, of ticks of 10 ms where a process has ended.
    expect(metrics['cpu_time_s']).toBeGreaterThan(0.27);
    expect(metrics['cpu_time_s']).toBeLessThan(0.6);
  });

  test('is warmed up by rounds of its load that do not count', async () => {
    const { metrics } = await run({
      server: ['def handle(path):', '    if path == "/warm": spin(0.2)', '    return 200, ""', 'serve()'],
      load: [
        'open("rounds", "a").write("x")',
        'round = len(open("rounds").read())',
        'get("/warm" if round < 3 else "/")',
        'report(round=round)',
      ],
      settings: { warmUp: 2 },
    });
    expect(await written('rounds')).toBe('xxx');
    expect(metrics['round']).toBe(3);
    expect(metrics['cpu_time_s']).toBeLessThan(0.15);
  });

  test('whose first process ends well may be a daemon', async () => {
    const { message, metrics } = await run({
      server: ['if os.fork(): os._exit(0)', 'os.setsid()', 'serve()'],
    });
    expect(message).toBeUndefined();
    expect(metrics['stop_time_s']).toBeLessThan(5);
  });

  test('that ignores SIGTERM is killed, and is still measured', async () => {
    const { message, metrics } = await run({
      server: ['signal.signal(signal.SIGINT, signal.SIG_IGN)', 'serve()'],
      settings: { stop: 'SIGINT', stopTimeoutSeconds: 0.5 },
    });
    expect(message).toBeUndefined();
    expect(metrics['stop_time_s']).toBeGreaterThanOrEqual(0.5);
  });

  test('gets the signal that the configuration names, and neither Pacegate’s words nor its pipe', async () => {
    await run({
      server: [
        'def end(*_):',
        '    open("ended", "w").write("by SIGHUP, " + repr(sys.stdin.read()))',
        '    os._exit(0)',
        'signal.signal(signal.SIGHUP, end)',
        'serve()',
      ],
      settings: { stop: 'SIGHUP' },
    });
    expect(await written('ended')).toBe("by SIGHUP, ''");
  });

  test('that floods its output is still measured', async () => {
    const { outcome } = await run({
      server: ['def handle(path):', '    os.write(1, b"x" * 20_000_000)', '    return 200, ""', 'serve()'],
    });
    expect(outcome).toBe('ok');
  });

  test('whose readiness is only an open port', async () => {
    const { outcome } = await run({ server: ['serve()'], settings: { ready: port } });
    expect(outcome).toBe('ok');
  });
});

describe('the ready check', () => {
  test('continues until the answer is a success', async () => {
    const { metrics } = await run({
      server: [
        'began = time.monotonic()',
        'def handle(path):',
        '    good = time.monotonic() > began + 0.7',
        '    return 204 if good else 503, ""',
        'serve()',
      ],
    });
    expect(metrics['ready_time_s']).toBeGreaterThan(0.7);
  });

  test.each([
    ['no listener', ['time.sleep(60)'], 'connection refused'],
    ['no answer', ['def handle(path): time.sleep(300)', 'serve()'], 'no answer'],
    [
      'an answer that has no end',
      [
        'import socket',
        'listener = socket.create_server(("127.0.0.1", PORT))',
        'connection = listener.accept()[0]',
        'while True:',
        '    connection.sendall(b"x")',
        '    time.sleep(0.02)',
      ],
      'no answer',
    ],
    ['a bad answer', ['def handle(path): return 500, ""', 'serve()'], "'HTTP/1.0 500 Internal Server Error'"],
    [
      'no HTTP',
      [
        'import socket',
        'listener = socket.create_server(("127.0.0.1", PORT))',
        'while True:',
        '    connection = listener.accept()[0]',
        // Unread words would make the end of it a reset.
        '    connection.recv(4096)',
        '    connection.close()',
      ],
      'a connection that was closed without an answer',
    ],
  ])('of a server with %s names what was tried and what was found', async (_, lines, found) => {
    const { outcome, message, metrics } = await run({
      server: ['print("last words", flush=True)', ...lines],
      settings: { startTimeoutSeconds: 1.5, stopTimeoutSeconds: 1 },
    });
    expect({ outcome, metrics }).toEqual({ outcome: 'timeout', metrics: {} });
    expect(message).toMatch(
      new RegExp(
        `^the server was not ready within 1\\.5 s: http://127\\.0\\.0\\.1:${port}/health was tried \\d+ times, at last with `,
      ),
    );
    expect(message).toContain(`at last with ${found}\nlast words`);
  });

  test('does not take its own connection for a server’s, on a port that the kernel gives to clients', async () => {
    const code = [
      'import json, sys',
      `sys.path.insert(0, ${JSON.stringify(join(import.meta.dirname, '../probe'))})`,
      'import serve',
      `check = serve.ReadyCheck("${port}")`,
      // Connections to itself happen once in some ten thousand; from this port they always do.
      'real = serve.socket.socket.connect',
      'def connect(self, address):',
      '    self.setsockopt(serve.socket.SOL_SOCKET, serve.socket.SO_REUSEADDR, 1)',
      '    self.bind(address)',
      '    real(self, address)',
      'serve.socket.socket.connect = connect',
      'print(json.dumps([check.ask(lambda: None), check.found]))',
    ];
    const { stdout, stderr } = await runCommand(python, ['-B', '-I', '-S', '-c', code.join('\n')]);
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: '[null, "connection refused"]', stderr: '' });
  });

  test('of a port that another program uses is an error before the server is started', async () => {
    const other = createServer().listen(port, '127.0.0.1');
    try {
      const { outcome, message } = await run({ server: ['open("started", "w")', 'serve()'] });
      expect(outcome).toBe('engine');
      expect(message).toMatch(
        /^http:\/\/127\.0\.0\.1:\d+\/health answers before the server is started: another program of this machine uses it, .* name another port\.$/,
      );
      await expect(written('started')).rejects.toThrow('ENOENT');
    } finally {
      other.close();
    }
  });

  test('that the engine does not get to make is the engine’s fault, and the load’s is too', async () => {
    const program = (script: string, seconds: number): Program => {
      const conversation = converse('sh', ['-c', script]);
      return {
        // Nobody waits for an engine's half minutes here.
        conversation: { ...conversation, hear: async (wanted) => await conversation.hear(wanted, seconds) },
        end: async (patience) => await conversation.finish(patience),
        withoutAnswer: () => runWithoutFigures('signal', 'ended by Pacegate itself'),
      };
    };
    const silent = () => program('exec sleep 300 < /dev/null', 0.3);
    const request = runRequest(['true']);
    expect(
      await measureServer(request, serverSettings(port), {
        server: () => {
          const own = silent();
          return { ...own, end: async () => await own.end(0) };
        },
        load: silent,
      }),
    ).toMatchObject({ outcome: 'engine', message: 'the engine did not start the server' });
    const answer = JSON.stringify({ ...(JSON.parse(FAKE_ANSWER) as object), metrics: {} });
    const ready = `echo '{"event": "ready"}'; read word; echo '${answer}'`;
    expect(
      await measureServer(request, serverSettings(port), { server: () => program(ready, 30), load: silent }),
    ).toMatchObject({ outcome: 'engine', message: 'load: the engine did not start it within 30 s' });
  });

  test('is not answered by lines that look like the probe’s', async () => {
    const { outcome } = await run({
      server: [
        `for line in ('{"event": "ready"}', '{"event": "begun"}', ${JSON.stringify(FAKE_ANSWER)}): print(line, flush=True)`,
        'time.sleep(60)',
      ],
      settings: { startTimeoutSeconds: 1, stopTimeoutSeconds: 1 },
    });
    expect(outcome).toBe('timeout');
  });
});

describe('a server that ends by itself', () => {
  const dying = (how: string) => [
    'def handle(path):',
    `    if path == "/die": print("last words", flush=True); ${how}`,
    '    return 200, ""',
    'serve()',
  ];
  test.each<[string, Case, object]>([
    [
      'before it is ready',
      { server: ['print("last words", flush=True)', 'sys.exit(3)'] },
      {
        outcome: 'nonzero',
        exitStatus: 3,
        message: 'the server ended with exit status 3 before it was ready\nlast words',
      },
    ],
    [
      'well, and all the same too early',
      { server: ['print("last words", flush=True)'] },
      {
        outcome: 'nonzero',
        exitStatus: 0,
        message: 'the server ended with exit status 0 before it was ready\nlast words',
      },
    ],
    [
      'while it is warmed up',
      {
        server: dying('os.kill(os.getpid(), signal.SIGSEGV)'),
        load: ['get("/die")'],
        settings: { warmUp: 1 },
      },
      {
        outcome: 'signal',
        message: 'the server was ended by SIGSEGV before the load that counts\nlast words',
      },
    ],
    [
      'under load, which does not notice',
      {
        server: dying('os._exit(4)'),
        load: ['try: get("/die")', 'except OSError: time.sleep(300)'],
      },
      {
        outcome: 'nonzero',
        exitStatus: 4,
        message: 'the server ended with exit status 4 under load\nlast words',
      },
    ],
    [
      'under load, which fails at once',
      { server: dying('os._exit(4)'), load: ['get("/die")'] },
      { outcome: 'nonzero', message: expect.stringMatching(/^the server ended with exit status 4 /) },
    ],
  ])('%s', async (_, what, expected) => {
    expect(await run(what)).toMatchObject({ metrics: {}, ...expected });
  });

  test('because the program does not exist', async () => {
    const request = runRequest(['no-such-program'], {
      runnable: { python, workingDirectory: folder },
      workload: { server: serverSettings(port) },
    });
    expect(await hostEngine({ probe, facts: '', workFolder: folder }).run(request, never)).toMatchObject({
      outcome: 'nonzero',
      message: 'the command could not be started: no-such-program: not found in the PATH',
    });
  });
});

describe('a load', () => {
  test('that fails is named, with the last lines of both', async () => {
    const { outcome, exitStatus, message } = await run({
      server: ['print("Traceback of the server", file=sys.stderr, flush=True)', 'serve()'],
      load: ['sys.exit("load: wrong answer")'],
    });
    expect({ outcome, exitStatus }).toEqual({ outcome: 'nonzero', exitStatus: 1 });
    expect(message).toBe(
      "load: the command ended with exit status 1\nload: wrong answer\nThe server's last lines:\nTraceback of the server",
    );
  });

  test('that does not end is ended at its time limit', async () => {
    const { outcome, message } = await run({
      server: ['serve()'],
      load: ['time.sleep(300)'],
      timeoutSeconds: 1,
    });
    expect(outcome).toBe('timeout');
    expect(message).toBe('load: the command was still running at the limit of 1 s');
  });

  test('whose metrics cannot be read is named', async () => {
    const { outcome, message } = await run({ server: ['serve()'], load: ['report(requests="many")'] });
    expect(outcome).toBe('nonzero');
    expect(message).toMatch(/^load: .*requests/);
  });

  test('is run with the interpreter and the files that it is given', async () => {
    const other = await mkdtemp(join(tmpdir(), 'pacegate-load-'));
    try {
      await writeFile(join(other, 'load.py'), 'open("here", "w")');
      const request = runRequest(serverCommand(port, ['serve()']), {
        runnable: { python, workingDirectory: folder },
        workload: { server: serverSettings(port, { load: ['python', 'load.py'] }) },
      });
      const load = { ...request.runnable, workingDirectory: other };
      const result = await hostEngine({ probe, facts: '', workFolder: folder }).run(
        { ...request, load },
        never,
      );
      expect(result.message).toBeUndefined();
      expect(await readFile(join(other, 'here'), 'utf8')).toBe('');
    } finally {
      await rm(other, { recursive: true });
    }
  });
});

describe('nothing is left', () => {
  test.each([
    ['before the server is ready', ['time.sleep(300)'], []],
    ['under load', ['serve()'], ['open("loaded", "w")', 'time.sleep(300)']],
  ])('of a run that is aborted %s', async (_, server, load) => {
    const controller = new AbortController();
    const result = run({ server: ['open("started", "w")', ...server], load, signal: controller.signal });
    const mark = load.length === 0 ? 'started' : 'loaded';
    await until(
      async () =>
        await written(mark).then(
          () => true,
          () => false,
        ),
    );
    controller.abort();
    expect(await result).toMatchObject({ metrics: {} });
  });

  test('of a server whose Pacegate is gone', async () => {
    const words = ['-I', '-S', serverProbe(probe), `--ready=${port}`, '--start-timeout=60', '--'];
    const result = await runCommand(python, [...words, ...serverCommand(port, ['serve()'])], {
      env: { PACEGATE_METRICS: `${folder}/` },
      input: '',
    });
    expect(result).toMatchObject({ status: 143, stdout: '' });
  });

  test('of a load whose Pacegate is gone before its word', async () => {
    const result = await runCommand(python, [
      '-I',
      '-S',
      probe,
      'run',
      '--wait',
      '--',
      'touch',
      `${folder}/x`,
    ]);
    expect(result).toMatchObject({ status: 1, stderr: 'probe: nobody said when to begin\n' });
    await expect(written('x')).rejects.toThrow('ENOENT');
  });
});
