import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../../process/command.ts';
import type { Image } from '../../session/session.ts';
import { containerEngine } from './container.ts';
import type { ContainerEngineOptions } from './container-arguments.ts';
import { hostEngine } from './host.ts';
import { resolveInterpreter } from './host-interpreter.ts';
import { until } from '../../process/patience.test-support.ts';
import { never, runRequest } from './run-request.test-support.ts';

/**
 * One run of several processes with threads, one of them an orphan, measured twice: by the probe, and from outside by
 * the engine (its API's statistics, which `docker stats` shows) and by the kernel's own account of each process.
 *
 * The workload stands still at two points until it is told to go on, so what is read from outside does not depend on when.
 */

/** Figures of one run. */
export interface Agreement {
  /** CPU time between the two points, in seconds. */
  readonly cpuSeconds: Pair;
  /** Of the largest process, in bytes. */
  readonly maxRssBytes: Pair;
  /** Of all processes but the probe, in bytes. */
  readonly anonymousBytes: Pair;
}

export interface Pair {
  readonly probe: number;
  readonly outside: number;
}

const DEFINITIONS = [
  'import json, os, threading, time',
  'reader, writer = os.pipe()',
  'def burn(seconds):',
  '    end = time.thread_time() + seconds',
  '    while time.thread_time() < end: pass',
  'def wait_for(name):',
  '    while not os.path.exists("/srv/go/" + name): time.sleep(0.02)',
  'def say(name):',
  '    with open("/proc/self/comm", "w") as file: file.write(name)',
  'def work(mebibytes):',
  '    held = bytearray(b"x") * (mebibytes << 20)',
  '    threads = [threading.Thread(target=burn, args=(0.15,)) for _ in range(2)]',
  '    for thread in threads: thread.start()',
  '    for thread in threads: thread.join()',
  '    os.write(writer, b".")',
  '    wait_for("end")',
  'def fork(body):',
  '    pid = os.fork()',
  '    if pid == 0:',
  '        body()',
  '        os._exit(0)',
  '    return pid',
];

const WORKLOAD = [
  ...DEFINITIONS,
  'before = time.process_time()',
  'say("ready")',
  'wait_for("begin")',
  'child = fork(lambda: work(48))',
  // An orphan: the one that started it has long ended.
  'os.waitpid(fork(lambda: fork(lambda: work(24))), 0)',
  'burn(0.3)',
  'for _ in range(2): os.read(reader, 1)',
  'say("done")',
  'wait_for("end")',
  'os.waitpid(child, 0)',
  'with open(os.environ["PACEGATE_METRICS"], "w") as file:',
  '    json.dump({"before_ready": before}, file)',
].join('\n');

/** What is burnt between the points at least, in seconds: two processes of two threads, and the first. */
export const BURNT_SECONDS = 0.9;

export async function measureFromOutside(
  folder: string,
  options: ContainerEngineOptions,
  image: string,
): Promise<Agreement> {
  const go = join(folder, 'go');
  await mkdir(go);
  const containerIdFile = join(folder, 'container.id');
  const request = {
    ...runRequest(['python', '-c', WORKLOAD], {
      runnable: {
        image: { variant: 'official', side: 'head', id: image } as Image,
        filesFrom: folder,
        workingDirectory: '/srv',
      },
      workload: { files: ['go'] },
    }),
    traces: { containerIdFile, onProcess: () => undefined },
  };
  const running = containerEngine(options).run(request, never);
  let id = '';
  await until(async () => (id = await readFile(containerIdFile, 'utf8').catch(() => '')) !== '');
  const processes = async () => {
    const { stdout } = await runCommand('docker', ['top', id, '-eo', 'pid,ppid,comm']);
    return stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/));
  };
  const isAt = async (name: string) => (await processes()).some(([, , comm]) => comm === name);
  await until(() => isAt('ready'));
  const first = await statistics(id);
  await writeFile(join(go, 'begin'), '');
  await until(() => isAt('done'));
  const second = await statistics(id);
  const all = await processes();
  const pids = all.map(([pid = '']) => pid);
  // The probe is the container's first process, so its parent is none of them.
  const probe = all.find(([, parent = '']) => !pids.includes(parent))?.[0] ?? '';
  const peaks = await Promise.all(
    pids.filter((pid) => pid !== probe).map((pid) => statusBytes(pid, 'VmHWM')),
  );
  const ownAnonymous = await statusBytes(probe, 'RssAnon');
  // Several of the probe's samples of memory fall into this.
  await delay(300);
  await writeFile(join(go, 'end'), '');
  const { outcome, message, metrics } = await running;
  if (outcome !== 'ok') throw new Error(`the run ended as ${outcome}: ${message ?? ''}`);
  const metric = (name: string) => metrics[name] ?? Number.NaN;
  return {
    cpuSeconds: {
      probe: metric('cpu_time_s') - metric('before_ready'),
      outside: second.cpuSeconds - first.cpuSeconds,
    },
    maxRssBytes: { probe: metric('max_rss_bytes'), outside: Math.max(...peaks) },
    anonymousBytes: {
      probe: metric('anonymous_memory_bytes'),
      outside: second.anonymousBytes - ownAnonymous,
    },
  };
}

/** On the host, the same work under GNU time: three processes, two of them with threads. It sees no orphan, so there is none. */
export async function measureWithTime(
  folder: string,
  probe: string,
  interpreter: string,
): Promise<Pick<Agreement, 'cpuSeconds' | 'maxRssBytes'>> {
  const body = [
    ...DEFINITIONS,
    'children = [fork(lambda: work(48)), fork(lambda: work(24))]',
    'burn(0.3)',
    'for child in children: os.waitpid(child, 0)',
  ];
  const python = await resolveInterpreter(interpreter);
  await mkdir(join(folder, 'go'));
  await writeFile(join(folder, 'go', 'end'), '');
  const { outcome, message, metrics } = await hostEngine({ probe, facts: '', workFolder: folder }).run(
    runRequest(
      [
        '/usr/bin/time',
        '-v',
        '-o',
        'said',
        python,
        '-c',
        body.join('\n').replaceAll('/srv/go', join(folder, 'go')),
      ],
      { runnable: { python, workingDirectory: folder } },
    ),
    never,
  );
  if (outcome !== 'ok') throw new Error(`the run ended as ${outcome}: ${message ?? ''}`);
  const text = await readFile(join(folder, 'said'), 'utf8');
  const said = (name: string): number => Number(text.split(`${name}: `)[1]?.split('\n')[0]);
  return {
    cpuSeconds: {
      probe: metrics['cpu_time_s'] ?? Number.NaN,
      outside: said('User time (seconds)') + said('System time (seconds)'),
    },
    maxRssBytes: {
      probe: metrics['max_rss_bytes'] ?? Number.NaN,
      outside: said('Maximum resident set size (kbytes)') * 1024,
    },
  };
}

/** A figure of a process as the kernel has it, in bytes. */
async function statusBytes(pid: string, field: string): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024;
}

interface EngineStatistics {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly stats: Readonly<Record<string, number>> };
}

/** What the engine's API says of a container, as `docker stats` reads it. */
async function statistics(id: string): Promise<{ cpuSeconds: number; anonymousBytes: number }> {
  const { stdout } = await runCommand('docker', [
    ...['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'],
  ]);
  const text = await new Promise<string>((resolve, reject) => {
    const asked = httpRequest(
      {
        socketPath: stdout.trim().replace(/^unix:\/\//, ''),
        path: `/containers/${id}/stats?stream=false&one-shot=true`,
        headers: { host: 'docker' },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          resolve(body);
        });
      },
    );
    asked.on('error', reject).end();
  });
  const { cpu_stats: cpu, memory_stats: memory } = JSON.parse(text) as EngineStatistics;
  return {
    cpuSeconds: cpu.cpu_usage.total_usage / 1e9,
    // Of cgroup version 2 the first, of version 1 the second.
    anonymousBytes: memory.stats['anon'] ?? memory.stats['total_rss'] ?? Number.NaN,
  };
}
