import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import { withTool } from '../../process/engine.test-support.ts';
import type { RunResult } from '../engine.ts';
import { processesWith } from '../../process/host-processes.ts';
import { hostEngine } from '../engines/host.ts';
import { resolveInterpreter } from '../engines/host-interpreter.ts';
import { readProbeAnswer } from './probe-answer.ts';
import { FAKE_ANSWER, never, runRequest, type RequestChange } from '../engines/run-request.test-support.ts';

const probe = join(import.meta.dirname, 'probe.py');
let python: string;
/** Working directory and metrics folder of the test's runs. */
let folder: string;
beforeAll(async () => {
  python = await resolveInterpreter('python3');
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacegate-probe-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(
  command: readonly string[],
  { runnable, workload, ...rest }: RequestChange = {},
): Promise<RunResult> {
  const request = runRequest(command, {
    runnable: { python, workingDirectory: folder, ...runnable },
    workload: { timeoutSeconds: 60, ...workload },
    ...rest,
  });
  return await hostEngine({ probe, facts: '', workFolder: folder }).run(request, never);
}

const shell = (...lines: readonly string[]) => ['sh', '-c', lines.join('\n')];
/** A Python workload; the first word is the interpreter that the probe runs under. */
const script = (...lines: readonly string[]) => ['python3', '-I', '-S', '-c', lines.join('\n')];
const lines = async (name: string) => (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n');
const metric = ({ metrics, message }: RunResult, name: string): number => {
  expect(message).toBeUndefined();
  return metrics[name] ?? Number.NaN;
};

/** Runs a snippet that has the probe as a module, and gives back what it prints as JSON. */
async function inside(...code: readonly string[]): Promise<unknown> {
  const importing = [
    'import sys, json',
    `sys.path.insert(0, ${JSON.stringify(dirname(probe))})`,
    'import probe',
  ];
  const { stdout, stderr } = await runCommand(python, [
    '-B',
    '-I',
    '-S',
    '-c',
    [...importing, ...code].join('\n'),
  ]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('CPU time', () => {
  /** burn(): a fifth of a second of this process's CPU, then the process notes its sum as the kernel has it. */
  const BURN = [
    'import os, resource, signal, threading, time',
    'def used():',
    '    usage = resource.getrusage(resource.RUSAGE_SELF)',
    '    return usage.ru_utime + usage.ru_stime',
    'def spin(seconds=0.2):',
    '    end = time.thread_time() + seconds',
    '    while time.thread_time() < end: pass',
    'def note():',
    '    with open("burnt", "a") as file: file.write("{}\\n".format(used()))',
    'def burn():',
    '    spin()',
    '    note()',
    'def fork(body):',
    '    pid = os.fork()',
    '    if pid == 0:',
    '        body()',
    '        os._exit(0)',
    '    return pid',
  ];

  test.each<[string, number, readonly string[]]>([
    ['one process', 1, ['burn()']],
    [
      'threads',
      1,
      [
        'threads = [threading.Thread(target=spin) for _ in range(3)]',
        'for thread in threads: thread.start()',
        'for thread in threads: thread.join()',
        'note()',
      ],
    ],
    ['child processes', 3, ['for pid in [fork(burn), fork(burn)]: os.waitpid(pid, 0)', 'burn()']],
    [
      'a grandchild that its parent waited for',
      2,
      ['def parent():', '    os.waitpid(fork(burn), 0)', '    note()', 'os.waitpid(fork(parent), 0)'],
    ],
    ['children that nobody waited for', 3, ['fork(burn)', 'fork(burn)', 'note()']],
    [
      'a daemon: forked twice, in a session of its own, still at work when the command has long ended',
      2,
      ['def daemon():', '    os.setsid()', '    fork(lambda: (spin(), burn()))', 'fork(daemon)', 'note()'],
    ],
  ])('of %s is what these burnt', async (_, notes, body) => {
    const seconds = metric(await run(script(...BURN, ...body, 'os._exit(0)')), 'cpu_time_s');
    const burnt = (await lines('burnt')).map(Number);
    expect(burnt).toHaveLength(notes);
    const sum = burnt.reduce((all, one) => all + one, 0);
    // Never less than they counted themselves (10 ms for the kernel's rounding); more by what a process takes
    // before its interpreter runs and after its note.
    expect(seconds).toBeGreaterThan(sum - 0.01);
    expect(seconds).toBeLessThan(sum * 1.1 + 0.1);
  });

  test('is not the wall time: a command that sleeps has next to none', async () => {
    const result = await run(['sleep', '1']);
    expect(metric(result, 'wall_time_s')).toBeGreaterThan(1);
    expect(metric(result, 'cpu_time_s')).toBeLessThan(0.2);
  });
});

test('wall time ends when the last process has, not when the command has', async () => {
  const result = await run(shell('setsid sleep 1 &'));
  expect(metric(result, 'wall_time_s')).toBeGreaterThan(1);
});

describe('max RSS', () => {
  test('is that of the largest process, and no sum', async () => {
    const result = await run(
      script(
        'import os, resource, time',
        'for mebibytes in (96, 160, 128):',
        '    if os.fork() == 0:',
        '        data = b"x" * (mebibytes << 20)',
        '        time.sleep(0.2)',
        '        with open("sizes", "a") as file:',
        '            file.write("{}\\n".format(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))',
        '        os._exit(0)',
      ),
    );
    const sizes = (await lines('sizes')).map(Number);
    expect(sizes).toHaveLength(3);
    // As these counted it themselves; the kernel may touch a page more at the end.
    expect(metric(result, 'max_rss_bytes') / Math.max(...sizes)).toBeCloseTo(1, 2);
  });

  test('of a small command is not that of the probe which started it', async () => {
    const own = (await inside(
      'import ctypes, resource',
      'print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)',
    )) as number;
    expect(metric(await run(['true']), 'max_rss_bytes')).toBeLessThan(0.9 * own);
  });
});

describe('what wait4 counts', () => {
  test('user time is the program’s, system time the kernel’s for it, and together they are the CPU time', async () => {
    const until = (which: string, body: string) =>
      script(
        'import os, resource',
        'zero = os.open("/dev/zero", os.O_RDONLY)',
        `while resource.getrusage(resource.RUSAGE_SELF).${which} < 0.5: ${body}`,
      );
    const spinning = await run(until('ru_utime', 'sum(range(100_000))'));
    expect(metric(spinning, 'user_time_s')).toBeGreaterThanOrEqual(0.5);
    expect(metric(spinning, 'system_time_s')).toBeLessThan(0.25);
    const reading = await run(until('ru_stime', 'os.read(zero, 1 << 20)'));
    // The workload ends at half a second, which a clock of ticks may give exactly.
    expect(metric(reading, 'system_time_s')).toBeGreaterThanOrEqual(0.5);
    expect(metric(reading, 'user_time_s')).toBeLessThan(0.25);
    for (const result of [spinning, reading])
      expect(metric(result, 'user_time_s') + metric(result, 'system_time_s')).toBeCloseTo(
        metric(result, 'cpu_time_s'),
        9,
      );
  });

  /** Faults in as many pages one by one, in two processes. */
  const faulting = (pages: number) =>
    script(
      'import mmap, os',
      `memory = mmap.mmap(-1, ${pages} * mmap.PAGESIZE)`,
      'if hasattr(mmap, "MADV_NOHUGEPAGE"):',
      '    try: memory.madvise(mmap.MADV_NOHUGEPAGE)',
      '    except OSError: pass',
      'pid = os.fork()',
      `for page in range(${pages}): memory[page * mmap.PAGESIZE] = 1`,
      'if pid == 0: os._exit(0)',
      'os.waitpid(pid, 0)',
    );

  test('minor page faults are those of all processes, for one repetition', async () => {
    const none = metric(await run(faulting(1)), 'page_faults_minor');
    for (const repetitions of [1, 3]) {
      const faults = metric(await run(faulting(20_000), { repetitions }), 'page_faults_minor') - none;
      // Shared, so each page is filled once and mapped twice; the kernel may map neighbours with it.
      expect(faults).toBeGreaterThan(20_000);
      expect(faults).toBeLessThan(45_000);
    }
  });

  test('a thread that waits has voluntary context switches', async () => {
    const exchange = (times: number) =>
      script(
        'import os',
        '(a, b), (c, d) = os.pipe(), os.pipe()',
        'pid = os.fork()',
        `for _ in range(${times}):`,
        '    if pid: os.write(b, b"x"); os.read(c, 1)',
        '    else: os.read(a, 1); os.write(d, b"x")',
      );
    const none = metric(await run(exchange(0)), 'context_switches_voluntary');
    const many = metric(await run(exchange(3000)), 'context_switches_voluntary');
    expect(many - none).toBeGreaterThan(3000);
    expect(many - none).toBeLessThan(7000);
  });

  test('bytes are those that storage gave and took, not those of pipes and the page cache', async () => {
    const bytes = 8 << 20;
    const write = script(
      'import os',
      'with open("data", "wb") as file:',
      `    file.write(b"x" * ${bytes})`,
      '    file.flush()',
      '    os.fsync(file.fileno())',
      '    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)',
    );
    // Behind the write of a page that is not on a disk (tmpfs) nothing is counted.
    const onDisk = (await statfs(folder)).type !== 0x01021994;
    const written = await run(write);
    expect(metric(written, 'io_write_bytes') >= bytes).toBe(onDisk);
    expect(metric(written, 'io_write_bytes')).toBeLessThan(2 * bytes);
    const read = await run(['cat', 'data', 'data', 'data']);
    expect(metric(read, 'io_read_bytes') >= bytes).toBe(onDisk);
    // The second and the third time it is in the page cache.
    expect(metric(read, 'io_read_bytes')).toBeLessThan(2 * bytes);
    expect(metric(read, 'io_write_bytes')).toBeLessThan(bytes / 8);
    const piped = await run(shell(`head -c ${bytes} /dev/zero | cat > /dev/null`));
    expect(metric(piped, 'io_write_bytes')).toBeLessThan(bytes / 8);
  });

  const TIME = '/usr/bin/time';
  withTool(TIME)('several processes together match time(1)', async () => {
    const work = script(
      'import os, time',
      'zero = os.open("/dev/zero", os.O_RDONLY)',
      'def work(size, body):',
      '    data = bytearray(size << 20)',
      '    for _ in range(40): time.sleep(0.001)',
      '    end = time.thread_time() + 0.2',
      '    while time.thread_time() < end: body()',
      'for size, body in (16, lambda: os.read(zero, 1 << 16)), (32, lambda: sum(range(1000))):',
      '    if os.fork() == 0:',
      '        work(size, body)',
      '        os._exit(0)',
      'with open("data", "wb") as file:',
      '    file.write(b"x" * (4 << 20))',
      '    os.fsync(file.fileno())',
      'for _ in range(2): os.wait()',
    );
    const result = await run([TIME, '-v', '-o', 'said', python, ...work.slice(1)]);
    const text = await readFile(join(folder, 'said'), 'utf8');
    const said = (name: string): number => Number(text.split(`${name}: `)[1]?.split('\n')[0]);
    const all = (name: string) => metric(result, name);
    // time rounds to a hundredth; the probe's figure has time's own process and the fork before it as well.
    expect(Math.abs(all('user_time_s') - said('User time (seconds)'))).toBeLessThan(0.03);
    expect(Math.abs(all('system_time_s') - said('System time (seconds)'))).toBeLessThan(0.03);
    expect(all('max_rss_bytes')).toBe(said('Maximum resident set size (kbytes)') * 1024);
    const more = (name: string, saying: string) => all(name) - said(saying);
    expect(more('page_faults_minor', 'Minor (reclaiming a frame) page faults')).toBeGreaterThanOrEqual(0);
    expect(more('page_faults_minor', 'Minor (reclaiming a frame) page faults')).toBeLessThan(600);
    expect(more('page_faults_major', 'Major (requiring I/O) page faults')).toBeLessThan(20);
    expect(more('context_switches_voluntary', 'Voluntary context switches')).toBeLessThan(10);
    expect(said('Voluntary context switches')).toBeGreaterThan(80);
    // On a busy machine time itself is put aside too, while its many pages are read in.
    expect(more('context_switches_involuntary', 'Involuntary context switches')).toBeGreaterThanOrEqual(0);
    expect(more('context_switches_involuntary', 'Involuntary context switches')).toBeLessThan(200);
    // What time itself writes at its end is a few blocks of the file system.
    const written = all('io_write_bytes') - said('File system outputs') * 512;
    expect(written).toBeGreaterThanOrEqual(0);
    expect(written).toBeLessThanOrEqual(8 * 4096);
  });
});

describe('the start of the interpreter', () => {
  /** Runs a stand-in for an interpreter, which notes its words and does what the lines say. */
  async function started(
    interpreterWords: number,
    ...body: readonly string[]
  ): Promise<RunResult | undefined> {
    const path = join(folder, 'python');
    await writeFile(path, ['#!/bin/sh', 'echo "$*" >> words', ...body].join('\n'), { mode: 0o755 });
    const { status, stdout, stderr } = await runCommand(
      python,
      [
        ...['-I', '-S', probe, 'run', `--interpreter=${interpreterWords}`, '--'],
        ...[path, '-O', '-X', 'utf8', 'main.py', '-v'],
      ],
      { cwd: folder },
    );
    return readProbeAnswer({ status, stdout, stderr });
  }
  const START = '-O -X utf8 -c pass';
  const WORKLOAD = '-O -X utf8 main.py -v';

  test('is the median of several, with only the variant’s flags, after the workload', async () => {
    // The first one takes long, as one does that has to compile what it imports.
    const slow = 'case "$*" in *pass) test -e cold || { touch cold; sleep 0.3; };; esac';
    const result = await started(4, slow);
    expect(result).toMatchObject({ outcome: 'ok' });
    expect(result?.metrics['startup_time_s']).toBeGreaterThan(0.0002);
    expect(result?.metrics['startup_time_s']).toBeLessThan(0.15);
    expect((await lines('words'))[0]).toBe(WORKLOAD);
    expect(new Set((await lines('words')).slice(1))).toEqual(new Set([START]));
  });

  test('counts in no other figure', async () => {
    const burn = 'case "$*" in *pass) i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done;; esac';
    const metrics = (await started(4, burn))?.metrics ?? {};
    const startup = metrics['startup_time_s'] ?? 0;
    expect(startup).toBeGreaterThan(0.03);
    expect(metrics['cpu_time_s']).toBeLessThan(startup / 2);
    expect(metrics['wall_time_s']).toBeLessThan(startup);
  });

  test.each([
    ['of a slow one is taken fewer times', 4, 'sleep 0.3', [WORKLOAD, START, START], true],
    ['that fails is none, and no failure of the run', 4, 'test "$5" != pass', [WORKLOAD, START], false],
    ['is not asked of a command that is none', 0, '', [WORKLOAD], false],
    ['says nothing of a run that failed', 4, 'exit 3', [WORKLOAD], false],
  ])('%s', async (_, interpreterWords, body, words, has) => {
    const result = await started(interpreterWords, body);
    expect(result?.outcome).toBe(body === 'exit 3' ? 'nonzero' : 'ok');
    expect(await lines('words')).toEqual(words);
    expect(result?.metrics['startup_time_s'] !== undefined).toBe(has);
  });

  test('that hangs is ended', async () => {
    const began = performance.now();
    expect(
      await inside(
        'probe.STARTS_LIMIT_SECONDS = 0.5',
        'probe.become_subreaper()',
        'print(json.dumps(probe.startup_seconds(["sh", "-c", "sleep 300 & sleep 300", "sh"], dict(probe.os.environ))))',
      ),
    ).toBeNull();
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  test('is measured for a python only', async () => {
    expect(metric(await run(script('pass')), 'startup_time_s')).toBeGreaterThan(0.001);
    expect((await run(['true'])).metrics).not.toHaveProperty('startup_time_s');
  });
});

describe('samples of anonymous memory', () => {
  /** A watch over what a look gives, one value after the other, in a process that sleeps in between. */
  const watched = (values: readonly (number | null)[], ...body: readonly string[]) =>
    inside(
      'import time',
      `values = json.loads('${JSON.stringify(values)}')`,
      'probe.SAMPLE_SECONDS = 0.02',
      'watch = probe.Watch(lambda: values.pop(0) if len(values) > 1 else values[0])',
      'watch.start(60)',
      ...body,
      'watch.stop()',
      'print(json.dumps([watch.peak_bytes(), watch.longest_gap, watch.samples]))',
    ) as Promise<[number | null, number, number]>;

  test('give the highest, minus the memory before the run', async () => {
    const [peak, gap, samples] = await watched([100, 150, 400, 120, 90], 'time.sleep(0.4)');
    expect(peak).toBe(300);
    expect(samples).toBeGreaterThanOrEqual(3);
    expect(gap).toBeGreaterThan(0.015);
    expect(gap).toBeLessThan(0.4);
  });

  test('that are too few, or of a cgroup without figures, give no peak', async () => {
    expect((await watched([100, 150, 400], 'time.sleep(0.03)'))[0]).toBeNull();
    expect(await watched([null], 'time.sleep(0.2)')).toEqual([null, expect.anything(), 0]);
  });

  test('become rarer if one of them is slow, and stop on request', async () => {
    const [, , samples] = await watched(
      [1],
      'quick = watch.look',
      'def slow():',
      '    end = time.process_time() + 0.002',
      '    while time.process_time() < end: pass',
      '    return quick()',
      'watch.look = slow',
      'time.sleep(1.5)',
    );
    // 2 ms are half a per cent of 400 ms.
    expect(samples).toBeGreaterThanOrEqual(1);
    expect(samples).toBeLessThanOrEqual(4);
    const [, , after] = await watched([1], 'watch.stop()', 'time.sleep(0.3)');
    expect(after).toBe(0);
  });
});

describe('a kernel’s counter', () => {
  test('that does not exist is left out without a message', async () => {
    expect(
      await inside(
        'unknown = probe.open_counter(9999, 0)',
        'probe.open_counter = lambda kind, which: None',
        'print(json.dumps([unknown, probe.open_counters()]))',
      ),
    ).toEqual([null, {}]);
    expect(
      await inside(
        'probe.os.uname = lambda: type("Machine", (), {"machine": "riscv64"})',
        'print(json.dumps(probe.open_counters()))',
      ),
    ).toEqual({});
  });

  test('counts children and theirs from their exec on, and this process not at all', async () => {
    // Page faults are counted by the kernel itself, on machines without counters in the hardware too.
    const [counted, faults] = (await inside(
      'import os, resource',
      'SOFTWARE, PAGE_FAULTS = 1, 2',
      'counter = probe.open_counter(SOFTWARE, PAGE_FAULTS)',
      'own = bytearray(50 << 20)',
      'command = "{0} -I -S -c \'x = bytearray(50 << 20)\' & {0} -I -S -c pass; wait"',
      'os.system(command.format(sys.executable))',
      'faults = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt',
      'print(json.dumps([counter and probe.read_counter(counter), faults]))',
    )) as [number | null, number];
    // Where the machine forbids it (perf_event_paranoid), there is nothing to see.
    if (counted === null) return;
    expect(counted).toBeLessThan(faults);
    expect(counted).toBeGreaterThan(0.8 * faults);
  });
});

describe('valgrind’s files', () => {
  /** Writes files by name, and reads them as the probe does after a counted run. */
  const counted = async (
    files: Readonly<Record<string, string>>,
    profileBytes = 0,
    ...more: readonly string[]
  ) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return (await inside(
      'import os',
      `folder = ${JSON.stringify(folder)}`,
      ...more,
      `print(json.dumps(probe.diagnostics().read_counts(folder, ${profileBytes})))`,
    )) as [
      { instructions: number; processes: number; profiles: { name: string; text: string }[] } | null,
      string | null,
    ];
  };
  const cachegrind = (n: number | string) => `desc: x\nevents: Ir\nfn=main\n1 ${n}\nsummary: ${n}\n`;
  const callgrind = (n: number | string) =>
    `# callgrind format\nevents: Ir\nsummary: 7\nfn=(1) main\n1 ${n}\n\ntotals: ${n}\n`;

  test('of several processes are summed, and other files are not read', async () => {
    expect(
      await counted({ 1: cachegrind(1000), 17: cachegrind(200), 42: cachegrind(30), launcher: '#!', x: '' }),
    ).toEqual([{ instructions: 1230, processes: 3, profiles: [] }, null]);
  });

  test('of callgrind: the parts of a process that forked are one process, the largest are kept as far as there is room', async () => {
    const files = { 7: callgrind(400), '7.1': callgrind(5000), '7.2': callgrind(3), 9: callgrind(600) };
    const room = callgrind(5000).length + callgrind(600).length;
    expect(await counted(files, room)).toEqual([
      {
        instructions: 6003,
        processes: 2,
        profiles: [
          { name: '7.1', text: callgrind(5000) },
          { name: '9', text: callgrind(600) },
        ],
      },
      null,
    ]);
    const [all] = await counted(files, 1e6);
    // Three of six thousand are nothing to look at.
    expect(all?.profiles.map(({ name }) => name)).toEqual(['7.1', '9', '7']);
  });

  test.each<[string, string]>([
    ['cut off', 'events: Ir\nfn=main\n1 10'],
    ['empty', ''],
    ['followed by something', 'summary: 10\nmore'],
    ['a number of sixteen digits', cachegrind('9'.repeat(16))],
    ['a number below zero', cachegrind('-1')],
    ['not a number', cachegrind('1e9')],
    ['far from the end', `summary: 10\n${' '.repeat(5000)}`],
  ])('that are incomplete (%s) give no count', async (_, text) => {
    expect(await counted({ 1: cachegrind(5), 2: text })).toEqual([
      null,
      'what valgrind counted of the process 2 is not whole',
    ]);
  });

  test.each<[string, string]>([
    ['a pipe', 'os.mkfifo(folder + "/2")'],
    ['a link to another file', 'os.symlink(folder + "/1", folder + "/2")'],
    ['a folder', 'os.mkdir(folder + "/2")'],
    ['a link to endless zeros', 'os.symlink("/dev/zero", folder + "/2")'],
  ])('that are not regular files (%s) are neither read nor waited for', async (_, hostile) => {
    expect(await counted({ 1: cachegrind(5) }, 1e6, hostile)).toEqual([
      null,
      'what valgrind counted of the process 2 is not whole',
    ]);
  });

  test('that are missing, empty or too many give no count', async () => {
    expect(await counted({ 1: cachegrind(0) })).toEqual([null, 'valgrind counted no instruction at all']);
    await rm(join(folder, '1'));
    expect(await counted({ launcher: '' })).toEqual([
      null,
      'valgrind wrote no count: no process of the workload ended by itself',
    ]);
    expect(
      await counted({}, 0, 'for n in range(10001): open("{}/{}".format(folder, n), "w").close()'),
    ).toEqual([null, 'valgrind wrote more than 10000 files']);
  });

  test('that are large are read only at their end', async () => {
    // A hole of a gigabyte takes no space.
    const [found] = await counted(
      {},
      1e6,
      'with open(folder + "/3", "wb") as file:',
      '    file.seek(1 << 30)',
      '    file.write(b"\\nsummary: 12\\n")',
    );
    expect(found).toEqual({ instructions: 12, processes: 1, profiles: [] });
  });
});

describe('the activity of the machine during the run', () => {
  const stat = (user: number, steal = 0) =>
    `cpu  ${user} 100 200 50000 900 10 20 ${steal} 40 7\ncpu0 1 2 3\n`;
  /** A probe whose /proc/stat, /proc/cpuinfo and processors are files of the test's own. */
  async function beside(files: Readonly<Record<string, string>>, ...code: readonly string[]) {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return await inside(
      `folder = ${JSON.stringify(folder)}`,
      'probe.STAT, probe.CPUINFO, probe.PROCESSORS = folder + "/stat", folder + "/cpuinfo", folder + "/cpu"',
      'probe.os.sched_getaffinity = lambda pid: {0, 1, 2}',
      ...code,
    );
  }
  const print = (value: string) => `print(json.dumps(${value}))`;

  test.each<[string, string | undefined, readonly (number | null)[]]>([
    ['user, nice, system and interrupts; guests are in user already', stat(1000, 300), [13.3, 3]],
    ['an old kernel that knows no steal', 'cpu  1 2 3 4 5 6 7\n', [null, null]],
    ['words for numbers', 'cpu  a b c d e f g h\n', [null, null]],
    ['no file', undefined, [null, null]],
  ])('busy and stolen seconds: %s', async (_, text, expected) => {
    const seen = (await beside(
      text === undefined ? {} : { stat: text },
      print('probe.machine_seconds()'),
    )) as (number | null)[];
    expect(seen.map((seconds) => (seconds === null ? null : Number(seconds.toFixed(6))))).toEqual(expected);
  });

  test('other processes used the busy time during the run, minus the run’s own', async () => {
    // The workload is the machine's clock: while it runs, 3 s become busy and 0.25 s are stolen.
    const { noise, metrics, cgroupCpu } = (await beside(
      { stat: stat(1000), work: stat(1300, 25) },
      'probe.cgroup_folders = lambda contained: (None, None)',
      'command = ["sh", "-c", "cat work > stat; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]',
      'probe.os.chdir(folder)',
      'probe.run({"contained": True, "timeout": 60.0, "repetitions": 2, "metrics": "", "interpreter": 0, "counters": False, "counts": "", "profiles": "", "profiler": ""}, command)',
    )) as { noise: Record<string, number>; metrics: Record<string, number>; cgroupCpu: null };
    expect(cgroupCpu).toBeNull();
    const own = 2 * (metrics['cpu_time_s'] ?? Number.NaN);
    expect(own).toBeGreaterThan(0.05);
    // The probe's own time counts with the run's, in which it is little.
    expect(noise['other_cpu_s']).toBeLessThanOrEqual(3 - own + 1e-6);
    expect(noise['other_cpu_s']).toBeGreaterThan(3 - own - 0.1);
    expect(noise['steal_s']).toBeCloseTo(0.25, 9);
  });

  test.each([
    ['others', 3, 1, 2],
    ['nobody else, and ticks that came a little late', 0.98, 1, 0],
    ['a machine that shows no work at all (gVisor)', 0, 1, null],
    ['and where the run was too short to be seen, nobody', 0, 0.02, 0],
  ])('of %s', async (_, busy, own, expected) => {
    expect(await inside(print(`probe.other_seconds(${busy}, ${own})`))).toBe(expected);
  });

  test('a run that was stopped at its limit on a host does not give the CPU time of others, because its own is unknown', async () => {
    const result = await run(['sleep', '300'], { workload: { timeoutSeconds: 0.3 } });
    expect(result.outcome).toBe('timeout');
    expect(result.noise).toHaveProperty('load_1m');
    expect(result.noise).not.toHaveProperty('other_cpu_s');
  });

  const cpufreq = (index: number, kilohertz: string) => ({
    [`cpu/cpu${index}/cpufreq/scaling_cur_freq`]: kilohertz,
  });
  const CPUINFO = 'processor\t: 0\ncpu MHz\t\t: 2600.500\n\nprocessor\t: 1\ncpu MHz\t\t: 2400.000\n';
  test.each<[string, Readonly<Record<string, string>>, number | null]>([
    [
      'is that of the fastest processor: the others have nothing to do',
      { ...cpufreq(0, '800000\n'), ...cpufreq(1, '3600000\n'), ...cpufreq(2, '800000\n'), cpuinfo: CPUINFO },
      3.6e9,
    ],
    [
      'is not that of a processor which the run may not use',
      { ...cpufreq(0, '2000000\n'), ...cpufreq(7, '3600000\n') },
      2e9,
    ],
    ['is taken from cpuinfo where nothing scales it', { cpuinfo: CPUINFO }, 2_600_500_000],
    ['is not known where neither says it (ARM)', { cpuinfo: 'processor\t: 0\nFeatures\t: fp\n' }, null],
    ['is not known where it is 0', cpufreq(0, '0\n'), null],
    ['is not known where there is nothing', {}, null],
  ])('the frequency %s', async (_, files, expected) => {
    expect(await beside(files, print('probe.frequency_hz()'))).toBe(expected);
  });

  test('of many processors as many are asked as there is time for', async () => {
    const many = Object.assign(
      {},
      ...Array.from({ length: 40 }, (_, at) => cpufreq(at, `${at + 1}\n`)),
    ) as object;
    const asked = await beside(
      many as Readonly<Record<string, string>>,
      'probe.os.sched_getaffinity = lambda pid: set(range(40))',
      'slow = probe.number',
      'asked = []',
      'def number(path):',
      '    asked.append(path)',
      '    probe.time.sleep(0.02)',
      '    return slow(path)',
      'probe.number = number',
      'probe.frequency_hz()',
      print('len(asked)'),
    );
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThan(6);
  });

  test('a run on this machine has all readings of Linux', async () => {
    const { noise } = await run(shell('i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'));
    expect(noise.other_cpu_s).toBeGreaterThanOrEqual(0);
    const says = /^cpu MHz/m.test(await readFile('/proc/cpuinfo', 'utf8'));
    if (says) expect(noise.frequency_hz).toBeGreaterThan(1e8);
  });
});

test('a workload that sends SIGALRM to the probe is measured too', async () => {
  const result = await run(shell('kill -ALRM $PPID', 'sleep 0.3'));
  expect(metric(result, 'wall_time_s')).toBeGreaterThan(0.3);
});

test('the probe has imported everything before the first run', async () => {
  const late = await inside(
    'before = set(sys.modules)',
    'import io, contextlib',
    'known = before | set(sys.modules)',
    'with contextlib.redirect_stdout(io.StringIO()):',
    '    probe.run({"contained": True, "timeout": 60.0, "repetitions": 2, "metrics": "", "interpreter": 1, "counters": False, "counts": "", "callgrind_bytes": 0, "profiles": "", "profiler": ""}, [sys.executable, "-c", "pass"])',
    'print(json.dumps(sorted(set(sys.modules) - known)))',
  );
  // It shuts the workload out by this one, when the first process is forked and has not begun.
  expect(late).toEqual(['_ctypes']);
});

test('a Python without ctypes measures too, and reports that its probe was not protected', async () => {
  const answer = await inside(
    'import io, contextlib',
    'sys.modules["_ctypes"] = None',
    'said = io.StringIO()',
    'with contextlib.redirect_stdout(said):',
    '    probe.run({"contained": True, "timeout": 60.0, "repetitions": 2, "metrics": "", "interpreter": 0, "counters": False, "counts": "", "callgrind_bytes": 0, "profiles": "", "profiler": ""}, ["true"])',
    'print(said.getvalue())',
  );
  expect(answer).toMatchObject({ outcome: 'ok', open: true });
  expect(
    readProbeAnswer({ status: 0, stdout: JSON.stringify({ ...(answer as object) }), stderr: '' }),
  ).toMatchObject({ outcome: 'ok', openProbe: true });
});

describe('how a run ended', () => {
  const PLAIN = 'plain.txt';
  test.each<[string, readonly string[], Partial<RunResult>, number?]>([
    ['well', ['true'], { outcome: 'ok', exitStatus: 0, message: undefined }],
    [
      'with a status',
      shell('echo last words >&2; exit 7'),
      { outcome: 'nonzero', exitStatus: 7, message: 'the command ended with exit status 7\nlast words' },
    ],
    [
      'by a signal',
      shell('kill -SEGV $$'),
      { outcome: 'signal', exitStatus: null, message: 'the command was ended by SIGSEGV' },
    ],
    [
      'by a signal without a name',
      shell('kill -40 $$'),
      { outcome: 'signal', message: 'the command was ended by signal 40' },
    ],
    [
      'by a closed pipe, which Python would ignore',
      shell('kill -PIPE $$'),
      { outcome: 'signal', message: 'the command was ended by SIGPIPE' },
    ],
    [
      'without a program in the PATH',
      ['no-such-program', 'x'],
      {
        outcome: 'nonzero',
        exitStatus: 127,
        message: 'the command could not be started: no-such-program: not found in the PATH',
      },
    ],
    [
      'with a file of the working directory, which is not in the PATH',
      [PLAIN],
      { outcome: 'nonzero', message: `the command could not be started: ${PLAIN}: not found in the PATH` },
    ],
    [
      'without a file',
      ['./none/at all'],
      {
        outcome: 'nonzero',
        message: 'the command could not be started: ./none/at all: No such file or directory',
      },
    ],
    [
      'with a file that is no program',
      [`./${PLAIN}`],
      { outcome: 'nonzero', message: `the command could not be started: ./${PLAIN}: Permission denied` },
    ],
    [
      'at its time limit',
      ['sleep', '300'],
      { outcome: 'timeout', exitStatus: null, message: 'the command was still running at the limit of 1 s' },
      1,
    ],
    [
      'at its time limit, in processes that had left the command’s session and ignored being asked to end',
      shell('setsid sh -c \'trap "" TERM HUP; setsid sleep 300; sleep 300\' & exit 0'),
      {
        outcome: 'timeout',
        exitStatus: null,
        message: expect.stringMatching(
          /^the command itself ended after \d\.\d s, but it left processes that were still running at the limit of 2 s$/,
        ) as unknown as string,
      },
      2,
    ],
  ])('%s', async (_, command, expected, timeoutSeconds = 60) => {
    await writeFile(join(folder, PLAIN), 'no program\n');
    const result = await run(command, { workload: { timeoutSeconds } });
    expect(result).toMatchObject(expected);
    if (result.outcome !== 'ok') expect(result.metrics).toEqual({});
    expect(await processesWith(`PACEGATE_METRICS=${folder}/`)).toEqual([]);
  });

  test('the time limit of a run is that of all its repetitions', async () => {
    const limited = (timeoutSeconds: number) =>
      run(['sleep', '1'], { repetitions: 3, workload: { timeoutSeconds } });
    expect(await limited(2.5)).toMatchObject({ outcome: 'ok' });
    expect(await limited(0.25)).toMatchObject({
      outcome: 'timeout',
      message: 'the command was still running at the limit of 0.75 s',
    });
  });

  test.each(['', './'])('a name in %j that is too long for a message is still an answer', async (folder) => {
    const result = await run([folder + 'ö'.repeat(5000)]);
    expect(result.outcome).toBe('nonzero');
    expect(result.message).toMatch(/^the command could not be started: [./]*ö+$/);
  });
});

describe('repetitions', () => {
  const BODY = [
    'import os, time',
    'with open("seen", "a") as file: file.write("x\\n")',
    'end = time.process_time() + 0.1',
    'while time.process_time() < end: pass',
  ];

  test('run as often as asked, and the values are those of one', async () => {
    const one = await run(script(...BODY));
    const started = performance.now();
    const four = await run(script(...BODY), { repetitions: 4 });
    const seconds = (performance.now() - started) / 1000;
    expect(await lines('seen')).toHaveLength(1 + 4);
    expect(metric(four, 'cpu_time_s')).toBeGreaterThan(0.1);
    expect(metric(four, 'cpu_time_s')).toBeLessThan(2 * metric(one, 'cpu_time_s'));
    expect(metric(four, 'wall_time_s')).toBeGreaterThan(0.1);
    expect(metric(four, 'wall_time_s')).toBeLessThan(seconds / 4);
  });

  test('end with the first one that fails', async () => {
    const result = await run(shell('echo x >> seen', 'test "$(wc -l < seen)" -ne 2 || exit 3'), {
      repetitions: 4,
    });
    expect(result).toMatchObject({ outcome: 'nonzero', exitStatus: 3 });
    expect(await lines('seen')).toHaveLength(2);
  });
});

describe('the file of business metrics', () => {
  test.each<[string, readonly string[], object]>([
    [
      'is read',
      shell(`echo '{"tasks": 12}' > "$PACEGATE_METRICS"`),
      { outcome: 'ok', metrics: { tasks: 12 } },
    ],
    ['need not be written', ['true'], { outcome: 'ok', declared: {} }],
    [
      'is judged as text: NaN is no number',
      script(
        'import json, os',
        'json.dump({"tasks": float("nan")}, open(os.environ["PACEGATE_METRICS"], "w"))',
      ),
      { outcome: 'nonzero', message: expect.stringContaining('{\\"tasks\\": NaN}') },
    ],
    [
      'may not be larger than 1 MiB',
      shell('head -c 1048577 /dev/zero > "$PACEGATE_METRICS"'),
      {
        outcome: 'nonzero',
        exitStatus: 0,
        metrics: {},
        message: expect.stringContaining('(PACEGATE_METRICS): it is larger than 1048576 bytes'),
      },
    ],
    [
      'may be as large, and hold anything',
      shell('head -c 1048576 /dev/zero > "$PACEGATE_METRICS"'),
      { outcome: 'nonzero', message: expect.stringContaining('found "\\u0000') },
    ],
    [
      'may be larger for the rounds that pytest-benchmark writes down, which are left out',
      script(
        'import json, os',
        'rounds = [{"name": "x", "stats": {"data": [1.5e-7] * 200000, "median": 2}}]',
        'json.dump({"machine_info": {}, "benchmarks": rounds}, open(os.environ["PACEGATE_METRICS"], "w"), indent=4)',
      ),
      { outcome: 'ok', metrics: { x: 2 } },
    ],
    [
      'may be larger for the times that hyperfine writes down, and still says what failed',
      script(
        'import json, os',
        'one = {"command": "x", "median": 2, "times": [1.5e-7] * 200000, "exit_codes": [0] * 9 + [3]}',
        'json.dump({"results": [one]}, open(os.environ["PACEGATE_METRICS"], "w"), indent=2)',
      ),
      { outcome: 'nonzero', message: expect.stringContaining('"x" failed: it ended with 3 in 1 of 10 runs') },
    ],
    [
      'may be larger for the warm-ups and the machine that pyperf writes down; values, name and unit stay',
      script(
        'import json, os',
        'machine = {"cpu_model_name": "m} {" * 50, "load_avg_1min": 0.5}',
        'runs = [{"warmups": [[1, 0.5]] * 9, "values": [3.0], "metadata": machine} for _ in range(6000)]',
        'one = {"metadata": {"name": "x", "unit": "byte", "loops": 4}, "runs": runs}',
        'json.dump({"version": "1.0", "benchmarks": [one]}, open(os.environ["PACEGATE_METRICS"], "w"))',
      ),
      { outcome: 'ok', metrics: { x: 3 }, declared: { x: { unit: 'bytes' } } },
    ],
    [
      'may be larger for the samples that asv writes down; results and parameters stay',
      script(
        'import json, os',
        'row = [[1.5, 2.5], [["1", "2"]], "v", [[1.5e-7] * 100000, None, [float("nan")]]]',
        'file = {"version": 2, "result_columns": ["result", "params", "version", "samples"], "results": {"b.time_x": row}}',
        'json.dump(file, open(os.environ["PACEGATE_METRICS"], "w"))',
      ),
      { outcome: 'ok', metrics: { 'b.time_x_1': 1.5, 'b.time_x_2': 2.5 } },
    ],
    [
      'may be compressed',
      script('import gzip, os', 'gzip.open(os.environ["PACEGATE_METRICS"], "w").write(b\'{"tasks": 12}\')'),
      { outcome: 'ok', metrics: { tasks: 12 } },
    ],
    [
      'may not unpack to more than memory holds',
      script('import gzip, os', 'gzip.open(os.environ["PACEGATE_METRICS"], "w").write(bytes(130 << 20))'),
      { outcome: 'nonzero', message: expect.stringContaining('unpacked it is larger than 134217728 bytes') },
    ],
    [
      'is no half of a compressed one',
      shell('printf "\\037\\213\\010" > "$PACEGATE_METRICS"'),
      { outcome: 'nonzero', message: expect.stringContaining('it is a gzip file without its end') },
    ],
    [
      'may hold bytes that are no text',
      shell('printf "\\377" > "$PACEGATE_METRICS"'),
      { outcome: 'nonzero', message: expect.stringContaining('found "\uFFFD"') },
    ],
    [
      'is not waited for when it is a pipe',
      shell('mkfifo "$PACEGATE_METRICS"'),
      { outcome: 'nonzero', message: expect.stringContaining('it is not a regular file') },
    ],
    [
      'is not a folder',
      shell('mkdir "$PACEGATE_METRICS"'),
      { outcome: 'nonzero', message: expect.stringMatching(/PACEGATE_METRICS\): it is not a regular file/) },
    ],
    [
      'says nothing of a run that failed, whatever is in its place',
      shell('mkdir "$PACEGATE_METRICS"; exit 1'),
      { outcome: 'nonzero', exitStatus: 1, message: 'the command ended with exit status 1' },
    ],
  ])('%s', async (_, command, expected) => {
    expect(await run(command)).toMatchObject(expected);
  });
});

describe('a workload that writes a forged answer', () => {
  test.each([
    ['output', `echo '${FAKE_ANSWER}'`],
    ['error stream', `echo '${FAKE_ANSWER}' >&2`],
  ])('to its %s is measured too', async (_, line) => {
    expect(await run(shell(line, 'exit 3'))).toMatchObject({ outcome: 'nonzero', exitStatus: 3 });
    expect(metric(await run(shell(line, 'sleep 0.2')), 'wall_time_s')).toBeGreaterThan(0.2);
  });

  test.each(['%s\\n', '%s'])(
    'into the probe’s own output, as %j, is measured all the same',
    async (format) => {
      const write = `printf '${format}' '${FAKE_ANSWER}' > /proc/$PPID/fd/1`;
      const words = [python, '-I', '-S', probe, 'run', '--', ...shell(write, 'exit 3')];
      // Behind a pipe, which can be opened by that name; a socket, as Node makes for a child's output, cannot.
      const { stdout, stderr } = await runCommand('sh', ['-c', '"$@" | cat', 'sh', ...words]);
      expect(stdout).toContain(FAKE_ANSWER);
      expect(readProbeAnswer({ status: 0, stdout, stderr })).toMatchObject({
        outcome: 'nonzero',
        exitStatus: 3,
      });
    },
  );

  test.each(['KILL', 'TERM', 'INT'])('and ends the probe (SIG%s) has no metrics', async (signal) => {
    const result = await run(shell(`echo '${FAKE_ANSWER}'`, `kill -${signal} $PPID`, 'sleep 300'));
    expect(result).toMatchObject({ outcome: 'engine', metrics: {} });
  });
});

test.each([
  ['lines', 'yes'],
  ['one endless line', 'cat /dev/zero'],
])('a workload that floods its output with %s is measured, and its words are bounded', async (_, command) => {
  const before = process.memoryUsage().rss;
  const result = await run(shell(`${command} | head -c 300000000`, 'exit 5'));
  expect(result).toMatchObject({ outcome: 'nonzero', exitStatus: 5 });
  expect(result.message?.length).toBeLessThan(2100);
  expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
});

test('nothing of this process’s environment reaches the workload', async () => {
  process.env['PACEGATE_TEST_TOKEN'] = 'secret';
  try {
    await run(shell('env > environment'), {
      workload: { env: { OWN: '1' } },
      runnable: { env: { VARIANT: '2' } },
    });
    const names = (await lines('environment')).map((line) => line.replace(/=.*/, ''));
    // PWD is the shell's own.
    expect(names.filter((name) => name !== 'PWD').sort()).toEqual([
      'HOME',
      'LANG',
      'OWN',
      'PACEGATE_METRICS',
      'PATH',
      'PYTHONHASHSEED',
      'VARIANT',
    ]);
  } finally {
    delete process.env['PACEGATE_TEST_TOKEN'];
  }
});

describe('the cgroup of a container', () => {
  const V2 = {
    'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
    'cgroup.type': 'domain\n',
    'cpu.stat':
      'usage_usec 1250000\nuser_usec 1000000\nsystem_usec 250000\nnr_periods 12\nnr_throttled 3\nthrottled_usec 40000\n',
    'memory.peak': '20971520\n',
    'memory.stat': 'anon 1048576\nfile 4096\nanon_thp 0\n',
    'memory.events': 'low 0\nhigh 0\nmax 27\noom 2\noom_kill 1\noom_group_kill 0\n',
  };
  const V1 = {
    'cpuacct/cpuacct.usage': '1250000000\n',
    'cpu/cpu.stat': 'nr_periods 12\nnr_throttled 3\nthrottled_time 40000000\n',
    'memory/memory.max_usage_in_bytes': '20971520\n',
    'memory/memory.stat': 'cache 4096\nrss 4096\ntotal_cache 4096\ntotal_rss 1048576\n',
    'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
  };
  const ALL = { cpu: 1.25, throttled: 0.04, peak: 20_971_520, oom: 1, anonymous: 1_048_576 };
  const NONE = { cpu: null, throttled: null, peak: null, oom: 0, anonymous: null };

  async function readers(files: Record<string, string>, own = '0::/\n', contained = true): Promise<unknown> {
    const all = { ...files, own };
    for (const [path, text] of Object.entries(all)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return await inside(
      `probe.CGROUP = ${JSON.stringify(folder)}`,
      'probe.OWN_CGROUP = probe.CGROUP + "/own"',
      `folders = probe.cgroup_folders(${contained ? 'True' : 'False'})`,
      'print(json.dumps({"cpu": probe.cgroup_cpu_seconds(*folders), "throttled": probe.throttled_seconds(*folders), "peak": probe.memory_peak_bytes(*folders), "oom": probe.oom_kills(*folders), "anonymous": probe.anonymous_memory(*folders)()}))',
    );
  }
  const without = (files: object, ...names: readonly string[]) =>
    Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name))) as Record<
      string,
      string
    >;
  const below = (path: string, files: Record<string, string>) =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${path}/${name}`, text]));
  const machine = { 'cgroup.controllers': 'cpu memory\n', 'cpu.stat': 'usage_usec 99000000\nuser_usec 1\n' };

  test.each<[string, Record<string, string>, string, object]>([
    ['version 2', V2, '0::/\n', ALL],
    ['version 2 before Linux 5.19', without(V2, 'memory.peak'), '0::/\n', { ...ALL, peak: null }],
    [
      'version 2 without controllers',
      without(V2, 'memory.events', 'memory.peak', 'memory.stat', 'cpu.stat'),
      '0::/\n',
      NONE,
    ],
    [
      'version 2 without the CPU controller, whose throttling is not counted',
      { ...V2, 'cpu.stat': 'usage_usec 1250000\nuser_usec 1000000\nsystem_usec 250000\n' },
      '0::/\n',
      { ...ALL, throttled: null },
    ],
    [
      'version 2 in the host’s namespace: its own folder, not the machine’s',
      { ...machine, ...below('docker/c0ffee', V2) },
      '0::/docker/c0ffee\n',
      ALL,
    ],
    ['version 2 in the host’s namespace, its own folder out of sight', machine, '0::/docker/c0ffee\n', NONE],
    ['version 1', V1, '4:memory:/docker/c0ffee\n0::/docker/c0ffee\n', ALL],
    ['version 1 without any controller', {}, '', NONE],
    [
      'version 1 with words for a number',
      { ...V1, 'cpuacct/cpuacct.usage': 'max\n' },
      '',
      { ...ALL, cpu: null },
    ],
  ])('%s', async (_, files, own, expected) => {
    expect(await readers(files, own)).toEqual(expected);
  });

  test('is not read on a host, where others are in it', async () => {
    expect(await readers(V2, '0::/\n', false)).toEqual(NONE);
  });
});

test('the probe is valid Python 3.8 and needs only the standard library', async () => {
  const imported = await inside(
    'import ast, subprocess',
    'folder = probe.os.path.dirname(probe.__file__)',
    'files = ["probe.py", "serve.py", "diagnostics.py", "profiler/sitecustomize.py", "profiler/imports.py"]',
    'trees = [ast.parse(open(folder + "/" + name).read(), feature_version=(3, 8)) for name in files]',
    'nodes = [node for tree in trees for node in ast.walk(tree)]',
    'names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]',
    'froms = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]',
    // Of each other, and what gives way to another of its name.
    'own = {"probe", "diagnostics", "sitecustomize"}',
    'names, froms = (sorted(set(some) - own) for some in (names, froms))',
    // Isolated and without site there is nothing else to import from.
    'code = "import " + ", ".join(names + froms)',
    'subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)',
    'print(json.dumps(sorted(names + froms)))',
  );
  expect(imported).toEqual(expect.arrayContaining(['json', 'os', 'resource', 'signal']));
});
