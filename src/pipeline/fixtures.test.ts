import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../process/patience.test-support.ts';
import { resolvePlan } from '../plan/resolve.ts';
import { freePort } from '../process/engine.test-support.ts';

/** Properties of the workloads in fixtures/ that other tests rely on. Durations are not tested. */

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
let top: string;
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'pacegate-fixtures-'));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** A copy of a fixture's folder, so that a run leaves no files in the repository. */
function copyOf(fixture: string): string {
  const folder = mkdtempSync(join(top, 'copy-'));
  cpSync(join(fixtures, fixture), folder, { recursive: true });
  return folder;
}

function python(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync('python3', args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 100_000,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, stdout, stderr };
}

function change(folder: string, file: string, from: string, to: string): void {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

describe('the time series service', () => {
  /** The smallest amount of aggregation, because the tests do not depend on its cost. */
  const short = ['bench.py', '--rounds', '1'];

  test('runs, reports its business metrics and leaves no file behind', () => {
    const folder = copyOf('timeseries');
    const metrics = join(folder, 'metrics.json');
    const temporary = mkdtempSync(join(top, 'tmp-'));
    // Warnings are errors. From Python 3.12 a fork while a thread runs gives a warning.
    expect(
      python(folder, ['-W', 'error', 'bench.py'], { PACEGATE_METRICS: metrics, TMPDIR: temporary }),
    ).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /^80 tasks in [\d.]+ s, \d+ tasks\/min; [\d.]+ s of CPU: aggregation [\d.]+%, files [\d.]+%, the rest [\d.]+%\n$/,
      ),
      stderr: '',
    });
    expect(JSON.parse(readFileSync(metrics, 'utf8'))).toEqual({
      tasks: { value: 80, unit: 'tasks', better: 'higher' },
      tasks_per_min: { value: expect.any(Number), unit: 'tasks/min', better: 'higher' },
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('is sized by its arguments', () => {
    const sizes = ['--processes', '3', '--threads', '4', '--tasks', '17', '--files', '5', '--file-kib', '4'];
    const { status, stdout, stderr } = python(copyOf('timeseries'), [...short, ...sizes]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^17 tasks in /);
  });

  test.each([
    ['--processes', '0', "argument --processes: '0'; expected: a whole number from 1 to 64"],
    ['--threads', 'two', "argument --threads: 'two'; expected: a whole number from 1 to 64"],
    ['--tasks', '-5', "argument --tasks: '-5'; expected: a whole number from 1 to 1000000"],
    ['--files', '65', "argument --files: '65'; expected: a whole number from 1 to 64"],
    ['--file-kib', '3', "argument --file-kib: '3'; expected: a whole number from 4 to 65536"],
    ['--rounds', '1.5', "argument --rounds: '1.5'; expected: a whole number from 1 to 1000000"],
    ['--round', '5', 'unrecognized arguments: --round 5'],
  ])('refuses %s %s', (name, value, message) => {
    const { status, stderr } = python(copyOf('timeseries'), ['bench.py', name, value]);
    expect(status).toBe(2);
    expect(stderr).toContain(`bench.py: error: ${message}`);
  });

  test.each([
    ['sum', 'service/aggregate.py', 'total += value', 'total += 1'],
    ['variance', 'service/aggregate.py', 'spread += squares / count', 'spread += squares'],
    [
      'batch, one that is lost,',
      'service/collector.py',
      'self._queue.send(',
      '_ = self.tasks and self._queue.send(',
    ],
    ['file', 'service/storage.py', 'file.seek(0)', 'file.seek(8)'],
  ])('a wrong %s is refused, and reports no metrics', (_, file, from, to) => {
    const folder = copyOf('timeseries');
    change(folder, file, from, to);
    const { status, stderr } = python(folder, short, { PACEGATE_METRICS: join(folder, 'metrics.json') });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^bench: the service('s result is wrong, so this run measures nothing$| failed: )/m,
    );
    expect(readdirSync(folder)).not.toContain('metrics.json');
  });

  test('says which task failed, and why', () => {
    const folder = copyOf('timeseries');
    change(folder, 'service/aggregate.py', 'total = 0', 'total = 1 // 0');
    const { status, stderr } = python(folder, short);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bench: the service failed: task \d+ failed\nTraceback[^]*ZeroDivisionError/);
  });

  test('says when a worker was killed, and ends', () => {
    const folder = copyOf('timeseries');
    change(
      folder,
      'service/worker.py',
      '    stored = ',
      '    __import__("os").kill(__import__("os").getpid(), 9)\n    stored = ',
    );
    const { status, stderr } = python(folder, short);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bench: the service failed: worker-\d ended with status -9\n$/);
  });

  test('costs what one line says', () => {
    const text = readFileSync(join(fixtures, 'timeseries/service/aggregate.py'), 'utf8');
    expect(text.match(/^ROUNDS = \d+$/gm)).toHaveLength(1);
  });
});

describe('the text service', () => {
  let folder: string;
  let port: number;
  beforeEach(async () => {
    folder = copyOf('server');
    port = await freePort();
  });

  /** A round of load on the running service, and how the service ended after a stop. */
  async function load(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    const service = spawn('python3', ['-W', 'error', '-m', 'service', String(port)], {
      cwd: folder,
      stdio: 'ignore',
    });
    const ended = once(service, 'exit');
    try {
      await until(
        async () =>
          await fetch(`http://127.0.0.1:${port}/health`).then(
            ({ ok }) => ok,
            () => false,
          ),
      );
      const words = ['-W', 'error', 'load.py', '--port', String(port), ...args];
      return python(folder, words, env);
    } finally {
      service.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    }
  }

  test('answers its load, which reports business metrics, and ends when asked to', async () => {
    const metrics = join(folder, 'metrics.json');
    const { status, stderr } = await load(['--requests', '50', '--clients', '3'], {
      PACEGATE_METRICS: metrics,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const number = expect.any(Number);
    expect(JSON.parse(readFileSync(metrics, 'utf8'))).toEqual({
      requests: { value: 50, unit: 'requests', better: 'higher' },
      requests_per_s: { value: number, unit: 'requests/s', better: 'higher' },
      latency_p50_s: { value: number, unit: 's', better: 'lower' },
      latency_p99_s: { value: number, unit: 's', better: 'lower' },
    });
  });

  test.each([
    ['checksum', 'checksum * 31', 'checksum * 33'],
    ['longest word', 'len(word) > len(longest)', 'len(word) >= len(longest) + 2'],
    ['number of words', '"words": len(words)', '"words": len(words) + 1'],
  ])('with a wrong %s fails its load, which reports no metrics', async (_, from, to) => {
    change(folder, 'service/summary.py', from, to);
    const { status, stderr } = await load(['--requests', '8'], {
      PACEGATE_METRICS: join(folder, 'metrics.json'),
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^load: \d of 4 clients failed, the first with WrongAnswer: status 200, .* expected /,
    );
    expect(readdirSync(folder)).not.toContain('metrics.json');
  });

  test('that does not exist fails its load', () => {
    const { status, stderr } = python(folder, ['load.py', '--port', String(port)]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^load: 4 of 4 clients failed, the first with ConnectionRefusedError: /);
  });

  test('is a plan, with a server', () => {
    const text = readFileSync(join(fixtures, 'server/pacegate.yml'), 'utf8');
    const { workload } = resolvePlan({ text, file: 'pacegate.yml', root: fixtures });
    expect(workload.files).toEqual(['load.py']);
    expect(workload.server).toMatchObject({ ready: 'http://127.0.0.1:8000/health', warmUp: 1 });
  });

  test('costs what one line says', () => {
    const text = readFileSync(join(fixtures, 'server/service/summary.py'), 'utf8');
    expect(text.match(/^ROUNDS = \d+$/gm)).toHaveLength(1);
  });
});

describe('the demo', () => {
  test('has two versions that compute the same, with and without -O', () => {
    const outputs = ['demo/baseline', 'demo/head'].flatMap((side) =>
      [[], ['-O']].map((flags) => python(copyOf(side), ['-W', 'error', ...flags, 'bench.py'])),
    );
    const right = { status: 0, stdout: '500000 prices, sum of the medians 623812634\n', stderr: '' };
    expect(outputs).toEqual([right, right, right, right]);
  });

  test('differs by one line, an assert', () => {
    const [baseline = [], head = []] = ['baseline', 'head'].map((side) =>
      readFileSync(join(fixtures, 'demo', side, 'rolling.py'), 'utf8').split('\n'),
    );
    const added = head.filter((line) => !baseline.includes(line));
    expect(added).toEqual([expect.stringMatching(/^ +assert /)]);
    expect(head.filter((line) => !added.includes(line))).toEqual(baseline);
    const [one, other] = ['baseline', 'head'].map((side) =>
      readFileSync(join(fixtures, 'demo', side, 'bench.py'), 'utf8'),
    );
    expect(one).toBe(other);
  });

  test.each(['baseline', 'head'])('%s: a wrong result is refused', (side) => {
    const folder = copyOf(`demo/${side}`);
    change(folder, 'rolling.py', '// 2]', '// 3]');
    const { status, stderr } = python(folder, ['bench.py']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^bench: the sum of the medians is \d+, expected 623812634\n$/);
  });
});

describe('the service with planted losses', () => {
  test.each([
    ['none', 64],
    ['cpu', 64],
    ['memory', 64],
    ['startup', 64],
    ['tasks', 42],
  ])('with the loss %s reports %d tasks and a latency, in the time of its slots at least', (loss, tasks) => {
    const folder = copyOf('losses');
    change(folder, 'service/settings.py', 'LOSS = "none"', `LOSS = "${loss}"`);
    const metrics = join(folder, 'metrics.json');
    const started = performance.now();
    const run = python(folder, ['-W', 'error', 'bench.py'], {
      PYTHONPATH: folder,
      PACEGATE_METRICS: metrics,
    });
    expect(run).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(performance.now() - started).toBeGreaterThan(64 * 20);
    expect(JSON.parse(readFileSync(metrics, 'utf8'))).toEqual({
      tasks: { value: tasks, unit: 'tasks', better: 'higher' },
      latency_s: { value: expect.any(Number), unit: 's' },
    });
  });

  test('judges every figure that a loss may be in', () => {
    const text = readFileSync(join(fixtures, 'losses/pacegate.yml'), 'utf8');
    const { metrics } = resolvePlan({ text, file: 'pacegate.yml', root: fixtures }).rules;
    expect(metrics.filter(({ gate }) => gate).map(({ name }) => name)).toEqual([
      ...['wall_time_s', 'cpu_time_s', 'max_rss_bytes', 'anonymous_memory_bytes', 'startup_time_s'],
      ...['image_size_bytes', 'tasks', 'latency_s'],
    ]);
  });
});

test.each(['timeseries/pacegate.yml', 'demo/images.yml', 'demo/host.yml'])('%s is a plan', (file) => {
  const text = readFileSync(join(fixtures, file), 'utf8');
  const { workload, variants } = resolvePlan({ text, file, root: fixtures });
  expect(workload).toMatchObject({ context: '.', files: ['bench.py'], command: ['python', 'bench.py'] });
  expect(variants).toHaveLength(2);
});

test('every source is Python 3.9', () => {
  const sources = ['timeseries', 'server', 'demo', 'losses', 'orders'].flatMap((folder) =>
    readdirSync(join(fixtures, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.py'))
      .map((path) => join(folder, path)),
  );
  expect(sources).toHaveLength(23);
  const parse =
    'import ast, sys\nfor path in sys.argv[1:]: ast.parse(open(path).read(), path, feature_version=(3, 9))';
  expect(python(fixtures, ['-c', parse, ...sources])).toEqual({ status: 0, stdout: '', stderr: '' });
});
