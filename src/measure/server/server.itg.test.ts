import { afterAll, afterEach, beforeAll, describe, expect, jest } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../../plan/plan.ts';
import { runCommand } from '../../process/command.ts';
import { withEngine } from '../../process/engine.test-support.ts';
import type { Image } from '../../session/session.ts';
import { containerEngine } from '../engines/container.ts';
import {
  serverArguments,
  SESSION_LABEL,
  type ContainerEngineOptions,
} from '../engines/container-arguments.ts';
import type { RunRequest, RunResult } from '../engine.ts';
import { processesWith } from '../../process/host-processes.ts';
import { ownerOfThisProcess } from '../../process/owner.ts';
import { never, runRequest } from '../engines/run-request.test-support.ts';
import { until } from '../../process/patience.test-support.ts';
import { loadCommand, serverCommand, serverSettings } from './server.test-support.ts';
import { timelineFile } from '../timeline.ts';
import { findCgroup, type Found } from '../usage-sources.ts';

/** Servers and their load in real containers. */

jest.setTimeout(600_000);
const docker = async (...args: readonly string[]) =>
  await runCommand('docker', args, { timeoutSeconds: 100 });

const FIXTURE = join(import.meta.dirname, '../../../fixtures/server');
const options: ContainerEngineOptions = {
  sessionId: `itg-server-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, '../probe/probe.py'),
  facts: join(import.meta.dirname, '../probe/facts.py'),
};
const engine = containerEngine(options);
const PORT = 8000;
let folder: string;

/** Names of this session's containers, ended ones too. */
const ours = async (): Promise<readonly string[]> =>
  (
    await docker(
      ...['ps', '--all', '--format', '{{.Names}}'],
      ...['--filter', `label=${SESSION_LABEL}=${options.sessionId}`],
    )
  ).stdout
    .split('\n')
    .filter(Boolean);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-server-'));
});
afterEach(async () => {
  const left = await ours();
  await engine.cleanUp();
  expect(left).toEqual([]);
});
afterAll(() => rm(folder, { recursive: true }));

const image = {
  variant: 'official',
  side: 'head',
  id: 'python:3.13-slim-trixie',
  engine: 'container',
} as Image;

function requested(server: readonly string[], load: readonly string[], settings: Partial<Server> = {}) {
  return runRequest(serverCommand(PORT, server), {
    runnable: { image },
    workload: {
      timeoutSeconds: 60,
      server: serverSettings(PORT, { load: loadCommand(PORT, load), ...settings }),
    },
  });
}

/** The fixture's service as it is, or with something changed in it. */
async function service(
  name: string,
  change: (text: string) => string = (text) => text,
  settings: Partial<Server> = {},
): Promise<RunRequest> {
  const files = join(folder, name);
  await cp(FIXTURE, files, { recursive: true });
  const path = join(files, 'service/summary.py');
  await writeFile(path, change(await readFile(path, 'utf8')));
  return runRequest(['python', '-m', 'service'], {
    runnable: { image, workingDirectory: '/app', filesFrom: files },
    workload: {
      files: ['service', 'load.py'],
      timeoutSeconds: 60,
      server: serverSettings(PORT, { load: ['python', 'load.py'], warmUp: 1, ...settings }),
    },
  });
}

withEngine('a service is measured under load, and leaves no container', async () => {
  const { outcome, message, metrics, noise } = await engine.run(await service('plain'), never);
  expect({ outcome, message }).toEqual({ outcome: 'ok', message: undefined });
  expect(metrics['requests']).toBe(600);
  for (const name of [
    ...['wall_time_s', 'cpu_time_s', 'user_time_s', 'max_rss_bytes', 'ready_time_s', 'stop_time_s'],
    ...['startup_time_s', 'load_cpu_time_s', 'requests_per_s', 'latency_p50_s', 'latency_p99_s'],
    ...['memory_peak_bytes', 'anonymous_memory_bytes'],
  ])
    expect({ name, positive: metrics[name]! > 0 }).toEqual({ name, positive: true });
  expect(metrics['throttled_time_s']).toBe(0);
  expect(metrics['user_time_s']! + metrics['system_time_s']!).toBeCloseTo(metrics['cpu_time_s']!, 9);
  // The service's threads share one processor's time (the GIL), and C code may give it back for a moment.
  expect(metrics['cpu_time_s']).toBeLessThan(metrics['wall_time_s']! * 1.5);
  expect(noise.sampling_s).toBeGreaterThan(0.04);
});

withEngine('CPU time matches the cgroup’s from outside, without the server’s start and end', async () => {
  const series: (readonly [number, number])[] = [];
  let found: Found | undefined;
  const name = join(folder, 'outside.id');
  const looking = setInterval(() => {
    void (async () => {
      found ??= findCgroup((await readFile(name, 'utf8').catch(() => '')).trim());
      const look = found?.look();
      if (look !== undefined) series.push([performance.now() / 1000, look[0]]);
    })();
  }, 20);
  let result: RunResult;
  try {
    result = await engine.run(
      {
        ...requested(
          [
            'spin(0.4)',
            'def handle(path):',
            '    if path == "/work": spin(0.1)',
            '    return 200, ""',
            'def end(*_):',
            '    spin(0.3)',
            '    os._exit(0)',
            'signal.signal(signal.SIGTERM, end)',
            'serve()',
          ],
          ['time.sleep(1.5)', 'for _ in range(8): get("/work")', 'time.sleep(1.5)'],
        ),
        traces: { containerIdFile: name, onProcess: () => undefined },
      },
      never,
    );
  } finally {
    clearInterval(looking);
  }
  expect(result.message).toBeUndefined();
  // Where nothing happened for a second the load slept: before its work and behind it.
  const quiet = series.flatMap(([time, cpu]) => {
    const later = series.find(([other]) => other >= time + 1);
    return later !== undefined && later[1] - cpu < 0.05 ? [cpu] : [];
  });
  const rises = quiet.map((cpu, index) => cpu - (quiet[index - 1] ?? cpu));
  const work = Math.max(...rises);
  expect(work).toBeGreaterThan(0.7);
  // Within 3 % and 30 ms, which are the probe's own looks and what the kernel has not yet counted.
  expect(Math.abs(result.metrics['cpu_time_s']! - work)).toBeLessThan(0.03 * work + 0.03);
});

withEngine('more work in each request is found in the CPU of a request', async () => {
  const short = { load: ['python', 'load.py', '--requests', '200'], warmUp: 0 };
  const plain = await service('as-it-is', undefined, short);
  const slower = await service('slower', (text) => text.replace('ROUNDS = 12', 'ROUNDS = 24'), short);
  const costs: Record<'plain' | 'slower', number[]> = { plain: [], slower: [] };
  for (let pair = 0; pair < 3; pair++)
    for (const [name, request] of [
      ['plain', plain],
      ['slower', slower],
    ] as const) {
      const { message, metrics } = await engine.run({ ...request, load: plain.runnable }, never);
      expect(message).toBeUndefined();
      costs[name].push(metrics['cpu_time_s']! / metrics['requests']!);
    }
  const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[1] ?? 0;
  expect(middle(costs.slower) / middle(costs.plain)).toBeGreaterThan(1.3);
});

withEngine('the load has the server’s loopback, and nothing else of it', async () => {
  const { message, metrics } = await engine.run(
    requested(
      ['serve()'],
      [
        'import socket',
        'server = [pid for pid in os.listdir("/proc") if pid.isdigit() and b"serve_" + b"forever" in open("/proc/" + pid + "/cmdline", "rb").read()]',
        'devices = open("/proc/net/dev").read().splitlines()[2:]',
        'report(fine=int(get("/") == "fine"), servers=len(server), devices=len(devices), first=os.getppid())',
      ],
    ),
    never,
  );
  expect(message).toBeUndefined();
  expect(metrics).toMatchObject({ fine: 1, servers: 0, devices: 1, first: 1 });
});

describe('nothing is left of a server', () => {
  /** Waits until a container whose name ends in these words has a process of these arguments. */
  const running = async (ending: string, words: string) => {
    await until(async () => {
      const name = (await ours()).find((one) => one.endsWith(ending));
      return name !== undefined && (await docker('top', name, '-eo', 'pid,args')).stdout.includes(words);
    });
  };

  withEngine('that is never ready', async () => {
    const { outcome, message } = await engine.run(
      requested(['print("last words", flush=True)', 'time.sleep(300)'], [], {
        startTimeoutSeconds: 3,
        stopTimeoutSeconds: 1,
      }),
      never,
    );
    expect(outcome).toBe('timeout');
    expect(message).toMatch(
      /^the server was not ready within 3 s: .* was tried \d+ times, at last with connection refused\nlast words$/,
    );
  });

  withEngine('that dies under load, whose load waits for it', async () => {
    const { outcome, message } = await engine.run(
      requested(
        ['def handle(path):', '    if path == "/die": os._exit(9)', '    return 200, ""', 'serve()'],
        ['try: get("/die")', 'except OSError: time.sleep(300)'],
      ),
      never,
    );
    expect({ outcome, message }).toEqual({
      outcome: 'nonzero',
      message: 'the server ended with exit status 9 under load',
    });
  });

  withEngine('of which a process is killed at its memory limit', async () => {
    const request = requested(
      [
        'def work():',
        '    if os.fork() == 0: b"x" * (512 << 20)',
        'def handle(path):',
        '    if path == "/grow": work()',
        '    return 200, ""',
        'serve()',
      ],
      ['get("/grow")', 'time.sleep(1)'],
    );
    const { outcome, message } = await engine.run(
      { ...request, workload: { ...request.workload, memoryBytes: 128 << 20 } },
      never,
    );
    expect(outcome).toBe('oom');
    expect(message).toContain('the kernel killed a process of the server: its memory limit was reached');
  });

  withEngine('that is aborted under load', async () => {
    const controller = new AbortController();
    const result = engine.run(requested(['serve()'], ['time.sleep(300)']), controller.signal);
    await running('-load-0', 'time.sleep(300)');
    controller.abort();
    expect(await result).toMatchObject({ metrics: {} });
  });

  withEngine('whose clients are killed', async () => {
    process.env['PACEGATE_TEST'] = options.sessionId;
    try {
      const result = engine.run(requested(['serve()'], ['time.sleep(300)']), never);
      await running('-load-0', 'time.sleep(300)');
      for (const pid of await processesWith(`PACEGATE_TEST=${options.sessionId}`))
        process.kill(pid, 'SIGKILL');
      expect(await result).toMatchObject({
        outcome: 'engine',
        message: 'the docker client was ended by SIGKILL',
      });
      // Without its client the server's container also ends by itself, and the engine may be at removing it already.
      await until(async () => (await ours()).length === 0);
    } finally {
      delete process.env['PACEGATE_TEST'];
    }
  });

  withEngine('whose Pacegate is gone', async () => {
    const request = requested(['serve()'], []);
    const server = request.workload.server ?? serverSettings(PORT);
    const words = serverArguments(request, server, `pacegate-${options.sessionId}-gone`, options);
    expect(await runCommand('docker', words, { input: '', timeoutSeconds: 60 })).toMatchObject({
      status: 143,
    });
  });

  withEngine('whose load fails, which is reported as a failure of the load', async () => {
    const { outcome, message } = await engine.run(
      requested(['print("of the server", flush=True)', 'serve()'], ['sys.exit("wrong answer")']),
      never,
    );
    expect({ outcome, message }).toEqual({
      outcome: 'nonzero',
      message:
        "load: the command ended with exit status 1\nwrong answer\nThe server's last lines:\nof the server",
    });
  });
});

withEngine('a server that would speak to its probe in Pacegate’s place is shut out of it', async () => {
  const { outcome, message, metrics, openProbe } = await engine.run(
    requested(
      [
        'refused = []',
        'def speak():',
        '    for name in ("fd/0", "fd/3", "fd/4", "mem"):',
        '        try: os.write(os.open("/proc/1/" + name, os.O_WRONLY | os.O_NONBLOCK), b"end\\n")',
        '        except OSError as error: refused.append(error.errno)',
        'def handle(path):',
        '    if path == "/work":',
        '        speak()',
        '        spin(0.3)',
        '    return 200, " ".join(map(str, refused))',
        'serve()',
      ],
      ['get("/work")', 'time.sleep(0.2)', 'report(refused=get("/").split().count("13"))'],
    ),
    never,
  );
  expect({ outcome, message, openProbe }).toEqual({
    outcome: 'ok',
    message: undefined,
    openProbe: undefined,
  });
  expect(metrics['refused']).toBe(4);
  expect(metrics['cpu_time_s']).toBeGreaterThan(0.29);
});

describe('the kernel’s count of a server’s container, around the round that counts', () => {
  /** As the session has it: with the timeline, which looks at the container from outside. */
  async function watched(asked: RunRequest): Promise<RunResult> {
    return await timelineFile(join(folder, 'timeline.jsonl'), 's1', folder).watched(engine).run(asked, never);
  }

  withEngine('is believed of an honest service', async () => {
    const { outcome, message, metrics } = await watched(await service('honest'));
    expect({ outcome, message }).toEqual({ outcome: 'ok', message: undefined });
    expect(metrics['cpu_time_s']).toBeGreaterThan(0.1);
  });

  withEngine('detects an interpreter that edits the answer of the server’s probe', async () => {
    const lying = `pacegate-itg-lying-server:${process.pid}`;
    const wrapper = [
      '#!/usr/bin/python3.13',
      'import json, os, subprocess, sys',
      'real = "/usr/bin/python3.13"',
      'if "/pacegate/serve.py" not in sys.argv: os.execv(real, [real] + sys.argv[1:])',
      'probe = subprocess.Popen([real] + sys.argv[1:], stdout=subprocess.PIPE, text=True)',
      'for line in probe.stdout:',
      '    if line.startswith("{") and "outcome" in line:',
      '        answer = json.loads(line)',
      '        for name in ("cpu_time_s", "user_time_s", "system_time_s"): answer["metrics"][name] *= 0.124',
      '        if answer["cgroupCpu"] is not None: answer["cgroupCpu"] *= 0.124',
      '        line = json.dumps(answer) + "\\n"',
      '    sys.stdout.write(line)',
      '    sys.stdout.flush()',
      'sys.exit(probe.wait())',
    ];
    await writeFile(join(folder, 'python'), wrapper.join('\n'), { mode: 0o755 });
    await writeFile(
      join(folder, 'Dockerfile'),
      `FROM ${image.id}\nRUN --network=none rm -f /usr/local/bin/python\nCOPY --chmod=755 python /usr/local/bin/python\n`,
    );
    await writeFile(join(folder, '.dockerignore'), '*\n!python\n');
    const built = await docker('build', '--quiet', '--tag', lying, folder);
    expect(built.stderr + String(built.status)).toMatch(/0$/);
    try {
      const asked = requested(
        ['def handle(path):', '    spin(0.1)', '    return 200, ""', 'serve()'],
        ['for _ in range(10): get("/")'],
      );
      const { outcome, message, metrics } = await watched({
        ...asked,
        runnable: { ...asked.runnable, image: { ...image, id: lying } },
        load: asked.runnable,
      });
      expect({ outcome, metrics }).toEqual({ outcome: 'nonzero', metrics: {} });
      expect(message).toMatch(
        /^the figures from inside and outside differ: the run reports that its container used 0\.\d\d s of CPU time, and the kernel counted [01]\.\d\d s\. /,
      );
    } finally {
      await docker('image', 'rm', '--force', lying);
    }
  });
});
