import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '../../process/command.ts';
import { watchdogSeconds } from '../engine.ts';
import { loadRequest, workloadCommand } from './command-line.ts';
import { containerEngine } from './container.ts';
import {
  loadArguments,
  runArguments,
  serverArguments,
  type ContainerEngineOptions,
} from './container-arguments.ts';
import { removeLeftovers } from './docker-questions.ts';
import { withoutAnswer } from './container-end.ts';
import { never, runRequest, type RequestChange } from './run-request.test-support.ts';
import { serverSettings } from '../server/server.test-support.ts';

const OPTIONS: ContainerEngineOptions = {
  sessionId: 's1',
  owner: '12@boot.1',
  probe: '/pacegate/dist/probe.py',
  facts: '/pacegate/dist/facts.py',
};

describe('the docker client’s words', () => {
  const words = (change: RequestChange = {}, command = ['python', 'bench.py']) =>
    runArguments(runRequest(command, change), 'pacegate-s1-7', OPTIONS);

  test('of a plain run, to the letter', () => {
    expect(words({ runnable: { workingDirectory: '/app' } })).toEqual([
      'run',
      '--rm',
      ...['--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges'],
      ...['--log-driver', 'none'],
      ...['--pull', 'never'],
      '--no-healthcheck',
      ...['--label', 'org.pacegate.session=s1'],
      ...['--label', 'org.pacegate.owner=12@boot.1'],
      ...['--name', 'pacegate-s1-7'],
      ...['--network', 'none'],
      ...['--pids-limit', '512'],
      ...['--mount', 'type=bind,src=/pacegate/dist/probe.py,dst=/pacegate/probe.py,readonly'],
      ...['--tmpfs', '/pacegate/metrics:mode=1777,size=128m'],
      ...['--env', 'PYTHONHASHSEED=42'],
      ...['--workdir', '/app'],
      ...['--entrypoint', 'python'],
      'sha256:c0ffee',
      ...['-I', '-S', '/pacegate/probe.py', 'run', '--contained'],
      '--timeout=120',
      '--repetitions=1',
      '--interpreter=1',
      '--metrics=/pacegate/metrics/metrics.json',
      '--',
      'python',
      'bench.py',
    ]);
  });

  test('of a counted run: the same isolation, and valgrind’s tools of this machine before the command', () => {
    const counting = {
      tool: 'callgrind',
      folder: '/usr/libexec/valgrind',
      file: 'callgrind-amd64-linux',
    } as const;
    const plain = words({ workload: { memoryBytes: 2 ** 30, files: ['bench.py'] } });
    const counted = words({ workload: { memoryBytes: 2 ** 30, files: ['bench.py'] }, counting });
    const added = [
      ...['--mount', 'type=bind,src=/usr/libexec/valgrind,dst=/pacegate/valgrind,readonly'],
      ...['--tmpfs', '/pacegate/counts:mode=1777,exec,size=256m'],
    ];
    expect(counted.slice(0, counted.indexOf('--'))).toEqual([
      ...plain.slice(0, plain.indexOf('--memory')),
      // Four times the workload's own and a GiB.
      ...['--memory', String(5 * 2 ** 30), '--memory-swap', String(5 * 2 ** 30)],
      ...plain.slice(plain.indexOf('--memory') + 4, plain.indexOf('--tmpfs')),
      ...['--mount', 'type=bind,src=/pacegate/dist/diagnostics.py,dst=/pacegate/diagnostics.py,readonly'],
      ...plain.slice(plain.indexOf('--tmpfs'), plain.indexOf('--tmpfs') + 2),
      ...added,
      ...plain
        .slice(plain.indexOf('--tmpfs') + 2, plain.indexOf('--'))
        .map((word) => (word === '--interpreter=1' ? '--interpreter=0' : word)),
      ...['--counts=/pacegate/counts', '--callgrind-bytes=8388608'],
    ]);
    expect(counted.slice(counted.indexOf('--') + 1)).toEqual([
      '/pacegate/valgrind/callgrind-amd64-linux',
      ...['--tool=callgrind', '-q', '--trace-children=yes', '--vgdb=no'],
      '--callgrind-out-file=/pacegate/counts/%p',
      ...['--dump-before=fork', '--dump-before=__fork', '--dump-before=_Fork', '--dump-before=__libc_fork'],
      ...['python', 'bench.py'],
    ]);
    const cachegrind = words({
      counting: { ...counting, tool: 'cachegrind', file: 'cachegrind-amd64-linux' },
    });
    // cachegrind's files are of no use to a person, and are not handed on.
    expect(cachegrind).not.toContain('--callgrind-bytes=8388608');
    expect(cachegrind).not.toContain('--memory');
    expect(cachegrind.slice(cachegrind.indexOf('--') + 1)).toEqual([
      '/pacegate/valgrind/cachegrind-amd64-linux',
      ...['--tool=cachegrind', '-q', '--trace-children=yes', '--vgdb=no'],
      ...['--cache-sim=no', '--cachegrind-out-file=/pacegate/counts/%p'],
      ...['python', 'bench.py'],
    ]);
  });

  test('of a run with the hardware’s counters: that one capability, and not for valgrind', () => {
    const plain = words();
    const counters = words({ workload: { instructions: 'counters' } });
    const at = plain.indexOf('--name');
    expect(counters).toEqual([
      ...plain.slice(0, at),
      ...['--cap-add', 'PERFMON'],
      ...plain.slice(at, plain.indexOf('--')),
      '--counters',
      ...plain.slice(plain.indexOf('--')),
    ]);
    expect(words({ workload: { instructions: 'callgrind' } })).toEqual(plain);
  });

  describe('of a server', () => {
    const SERVER = serverSettings(8000, { load: ['python', 'load.py', '{metrics}'], startTimeoutSeconds: 9 });
    const request = runRequest(['python', '-m', 'service'], {
      runnable: { workingDirectory: '/app', flags: ['-O'], filesFrom: '/head' },
      workload: { files: ['load.py'], memoryBytes: 1e9, server: SERVER },
    });

    test('are those of a run, with the probe’s words for a server', () => {
      const said = serverArguments(request, SERVER, 'pacegate-s1-7', OPTIONS);
      const run = runArguments(request, 'pacegate-s1-7', OPTIONS);
      const until = run.indexOf('--tmpfs');
      const own = ['--mount', 'type=bind,src=/pacegate/dist/serve.py,dst=/pacegate/serve.py,readonly'];
      expect(said.filter((word) => word !== '--interactive').slice(0, until + 2)).toEqual([
        ...run.slice(0, until),
        ...own,
      ]);
      expect(said.slice(said.indexOf('/pacegate/serve.py') - 2)).toEqual([
        ...['-I', '-S', '/pacegate/serve.py'],
        '--contained',
        '--ready=http://127.0.0.1:8000/health',
        '--start-timeout=9',
        '--stop=SIGTERM',
        '--stop-timeout=5',
        '--interpreter=2',
        '--metrics=',
        ...['--', 'python', '-O', '-m', 'service'],
      ]);
    });

    test('and of its load have the server’s network and the image, flags and files of the load’s own side', () => {
      const baseline = {
        ...request.runnable,
        image: { ...request.runnable.image, id: 'sha256:ba5e' },
        python: '/opt/python',
        flags: [],
      };
      const load = loadRequest({ ...request, load: baseline }, SERVER);
      const said = loadArguments(load, 'pacegate-s1-7-load-0', 'pacegate-s1-7', OPTIONS);
      const run = runArguments(load, 'pacegate-s1-7-load-0', OPTIONS);
      const until = run.indexOf('--network');
      expect(said.filter((word) => word !== '--interactive').slice(0, until)).toEqual(run.slice(0, until));
      expect(said.join('\0')).toContain(['--network', 'container:pacegate-s1-7', '--pids-limit'].join('\0'));
      expect(said.slice(said.indexOf('--entrypoint'))).toEqual([
        ...['--entrypoint', '/opt/python', 'sha256:ba5e', '-I', '-S', '/pacegate/probe.py'],
        ...['run', '--contained', '--wait', '--timeout=120', '--repetitions=1', '--interpreter=0'],
        ...['--metrics=/pacegate/metrics/metrics.json', '--'],
        ...['/opt/python', 'load.py', '/pacegate/metrics/metrics.json'],
      ]);
      expect(said).toContain('type=bind,src=/head/load.py,dst=/app/load.py,readonly');
    });
  });

  const mounted = (files: readonly string[], filesFrom = '/head', workingDirectory = '/app') =>
    words({ runnable: { filesFrom, workingDirectory }, workload: { files } }).filter((word) =>
      word.startsWith('type=bind'),
    );

  test.each<[string, readonly string[], readonly string[]]>([
    [
      'a memory limit, and no swap beyond it',
      words({ workload: { memoryBytes: 268_435_456 } }),
      ['--memory', '268435456', '--memory-swap', '268435456'],
    ],
    ['a network where the plan has one', words({ workload: { network: 'bridge' } }), ['--network', 'bridge']],
    ['its own limit of processes', words({ workload: { pids: 64 } }), ['--pids-limit', '64']],
    [
      'the environment of the workload, the variant’s over it, the hash seed over both',
      words({
        workload: { env: { A: 'a=b c', B: 'of the workload', PYTHONHASHSEED: '0' } },
        runnable: { env: { B: 'of the\nvariant' } },
      }),
      ['--env', 'A=a=b c', '--env', 'B=of the\nvariant', '--env', 'PYTHONHASHSEED=42'],
    ],
    [
      'another interpreter as the container’s first process',
      words({ runnable: { python: '/opt/bin/python3' } }),
      ['--entrypoint', '/opt/bin/python3', 'sha256:c0ffee', '-I', '-S', '/pacegate/probe.py'],
    ],
    [
      'the flags before the workload’s own words',
      words({ runnable: { flags: ['-O', '-X', 'utf8'] } }, ['python3', 'bench.py', '-O']),
      ['--', 'python', '-O', '-X', 'utf8', 'bench.py', '-O'],
    ],
    ['its time limit and repetitions', words({ repetitions: 9 }), ['--timeout=120', '--repetitions=9']],
    [
      'files of the head over the image’s, read-only',
      mounted(['bench.py', 'data/']),
      [
        'type=bind,src=/head/bench.py,dst=/app/bench.py,readonly',
        'type=bind,src=/head/data/,dst=/app/data/,readonly',
      ],
    ],
    [
      'a path with a comma or a quote as a quoted field',
      mounted(['a,b.py', 'say "hi".py', "it's.py"], '/my, head'),
      [
        'type=bind,"src=/my, head/a,b.py","dst=/app/a,b.py",readonly',
        'type=bind,"src=/my, head/say ""hi"".py","dst=/app/say ""hi"".py",readonly',
        `type=bind,"src=/my, head/it's.py",dst=/app/it's.py,readonly`,
      ],
    ],
  ])('hold %s', (_, all, expected) => {
    expect(all.join('\0')).toContain(expected.join('\0'));
  });

  test('hold no limit of memory where the plan has none', () => {
    expect(words().filter((word) => word.startsWith('--memory'))).toEqual([]);
  });
});

test.each([
  [
    ['python', '-m', 'x'],
    ['/venv/bin/python', '-O', '-m', 'x'],
  ],
  [
    ['python3', 'x.py'],
    ['/venv/bin/python', '-O', 'x.py'],
  ],
  [
    ['python3.13', 'x.py'],
    ['python3.13', 'x.py'],
  ],
  [
    ['pytest', 'python'],
    ['pytest', 'python'],
  ],
])('the command %j with a variant’s interpreter and flags is %j', (command, expected) => {
  expect(
    workloadCommand(
      runRequest(command, { runnable: { python: '/venv/bin/python', flags: ['-O'] } }),
      '/m.json',
    ),
  ).toEqual(expected);
});

test('the engine’s time limit is longer than the probe’s, which limits every repetition', () => {
  expect(watchdogSeconds(runRequest(['true'], { workload: { timeoutSeconds: 10 }, repetitions: 5 }))).toBe(
    80,
  );
});

describe('a run without the probe’s answer', () => {
  const ended = (change: Partial<CommandResult>): CommandResult => ({
    status: 1,
    signal: null,
    stdout: '',
    stderr: 'docker: last words\n',
    timedOut: false,
    ...change,
  });
  test.each([
    [
      'that the watchdog ended',
      { status: null, signal: 'SIGKILL', timedOut: true },
      'timeout',
      /not end within 120 s/,
    ],
    ['that the engine refused', { status: 125 }, 'engine', /the engine could not start the container/],
    [
      'whose interpreter is not executable',
      { status: 126 },
      'nonzero',
      /python cannot be started in the image sha/,
    ],
    [
      'whose interpreter is not there',
      { status: 127 },
      'nonzero',
      /python cannot be started in the image sha/,
    ],
    [
      'whose interpreter the engine does not find',
      {
        status: 127,
        stderr:
          'docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "python": executable file not found in $PATH: unknown.\ndocker: last words',
      },
      'nonzero',
      /python cannot be started in the image sha/,
    ],
    [
      'whose mount is gone',
      {
        status: 127,
        stderr:
          'docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "/tmp/work/probe.py" to rootfs at "/pacegate/probe.py": no such file or directory: unknown.\ndocker: last words',
      },
      'engine',
      /the engine could not start the container/,
    ],
    ['that was killed', { status: 137 }, 'signal', /killed \(SIGKILL\)/],
    ['that was ended', { status: 143 }, 'signal', /ended \(SIGTERM\)/],
    [
      'whose mounts are gone, which the client gives the status of a program that is not there',
      {
        status: 127,
        stderr:
          'docker: Error response from daemon: failed to create task: error mounting "/x/bench.py": no such file or directory\ndocker: last words\n',
      },
      'engine',
      /^the engine could not start the container/,
    ],
    [
      'whose interpreter runc does not find',
      {
        status: 127,
        stderr:
          'docker: Error response from daemon: runc create failed: unable to start container process: exec: "python": executable file not found in $PATH\ndocker: last words\n',
      },
      'nonzero',
      /python cannot be started in the image sha/,
    ],
    ['whose client was killed', { status: null, signal: 'SIGKILL' }, 'engine', /client was ended by SIGKILL/],
    ['whose probe broke', { status: 1 }, 'engine', /the probe gave no answer \(status 1\)/],
    ['whose probe said nothing', { status: 0 }, 'engine', /the probe gave no answer \(status 0\)/],
  ] as const)('%s', (_, change, outcome, message) => {
    const result = withoutAnswer(ended(change), runRequest(['true']));
    expect(result).toMatchObject({ outcome, metrics: {}, exitStatus: null });
    expect(result.message).toMatch(message);
    expect(result.message).toMatch(/\ndocker: last words$/);
  });

  test('that was killed under a memory limit most likely died of it', () => {
    const limited = runRequest(['true'], { workload: { memoryBytes: 1e8 } });
    expect(withoutAnswer(ended({ status: 137 }), limited)).toMatchObject({
      outcome: 'oom',
      message: expect.stringContaining('its memory limit of 100000000 bytes'),
    });
  });
});

describe('with a docker client that is a script', () => {
  const { PATH } = process.env;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacegate-docker-'));
  });
  afterEach(async () => {
    process.env['PATH'] = PATH;
    await rm(folder, { recursive: true });
  });

  /** Puts a `docker` into the PATH that notes its words and says what the test wants. */
  async function docker(...lines: readonly string[]): Promise<() => Promise<string[]>> {
    const calls = join(folder, 'calls');
    await writeFile(
      join(folder, 'docker'),
      ['#!/bin/sh', `echo "$@" >> '${calls}'`, ...lines, ''].join('\n'),
    );
    await chmod(join(folder, 'docker'), 0o755);
    process.env['PATH'] = `${folder}:${PATH ?? ''}`;
    return async () => (await readFile(calls, 'utf8')).trimEnd().split('\n');
  }

  const listing = (...rows: readonly string[]) =>
    `[ "$1" != ps ] || printf '%s\\n' ${rows.map((row) => `'${row}'`).join(' ')}`;

  test('leftovers are those of dead owners, and those that no run lasts long enough to own', async () => {
    const calls = await docker(
      listing(
        'dead\t1@boot.1\t2026-01-31 11:59:00 +0000 UTC',
        'alive\t2@boot.1\t2026-01-31 01:00:00 +0000 UTC',
        'nobody\t\t2026-01-31 11:59:00 +0000 UTC',
        'old\t2@boot.1\t2026-01-30 12:59:00 +0100 CET',
        'zone\t2@boot.1\t2026-01-30 13:01:00 +0100 CET',
        'undated\t2@boot.1\tlong ago',
      ),
    );
    await removeLeftovers((owner) => owner === '2@boot.1', new Date('2026-01-31T12:00:00Z'));
    expect((await calls()).filter((call) => call.startsWith('rm '))).toEqual([
      'rm --force --volumes dead nobody old',
    ]);
  });

  test('nothing is removed if nothing was left', async () => {
    const calls = await docker(listing('alive\t2@boot.1\t2026-01-31 11:59:00 +0000 UTC'));
    await removeLeftovers(() => true, new Date('2026-01-31T12:00:00Z'));
    expect(await calls()).toHaveLength(1);
  });

  test('a client that floods its output is ended, and its container removed', async () => {
    const calls = await docker('[ "$1" != run ] || exec yes');
    const here = containerEngine({ ...OPTIONS, probe: import.meta.filename });
    const result = await here.run(runRequest(['true']), never);
    expect(result).toMatchObject({ outcome: 'engine', message: 'the docker client was ended by SIGKILL' });
    expect((await calls()).filter((call) => call.startsWith('rm '))).toEqual([
      'rm --force --volumes pacegate-s1-1',
    ]);
  });

  test('a run whose files are missing is not an error of the workload, and the file is named', async () => {
    await docker('[ "$1" != run ] || exit 137');
    const here = containerEngine({ ...OPTIONS, probe: import.meta.filename });
    const request = (files: readonly string[]) =>
      runRequest(['true'], { runnable: { filesFrom: folder }, workload: { files } });
    expect(await here.run(request([]), never)).toMatchObject({ outcome: 'signal' });
    expect(await here.run(request(['bench']), never)).toMatchObject({
      outcome: 'engine',
      message: expect.stringContaining(`${folder}/bench is not there any more: something removed it`),
    });
  });

  test('without a client a run is an engine error, and nothing is cleaned up', async () => {
    process.env['PATH'] = folder;
    const engine = containerEngine(OPTIONS);
    expect(await engine.run(runRequest(['true']), never)).toMatchObject({
      outcome: 'engine',
      message: expect.stringMatching(/^the docker client could not be started \(.*ENOENT\)$/),
    });
    await engine.cleanUp();
    await removeLeftovers(() => false);
  });
});
