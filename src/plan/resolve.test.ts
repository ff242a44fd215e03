import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import { guarded, guardNotes, ruleChanges, withoutSecrets, withRulesOf } from './base-rules.ts';
import type { Plan } from './plan.ts';
import { isTested } from '../session/metric.ts';
import { metricRule } from '../session/metric.test-support.ts';
import { resolvePlan, type Overrides } from './resolve.ts';

const GOOD = `version: 1
workload:
  context: .
  files: [bench.py, data/]
  command: [python, bench.py]
  timeout: 10m
variants:
  official: { interpreter: official, python: "3.13" }
  debian: { interpreter: debian, debian: trixie, flags: [-O] }
  here: { interpreter: host, python: python3 }
metrics:
  wall_time_s: { limit: 5% }
  tasks: { unit: tasks, better: higher, gate: false }
rules: { alpha: 0.05, profile: balanced, budget: 20m, fail-on: [regressed] }
`;

const resolve = (text: string, overrides: Overrides = {}) =>
  resolvePlan({ text, file: '.github/pacegate.yml', root: '/project', overrides });

const messageOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

test('a command that writes its metrics into {metrics} is not repeated inside a run', () => {
  const writing = (more: string) =>
    GOOD.replace('[python, bench.py]', `[pytest, "--benchmark-json={metrics}"]${more}`);
  expect(resolve(writing('')).workload.repetitions).toBe(1);
  expect(resolve(writing('\n  repetitions: auto')).workload.repetitions).toBe(1);
  expect(resolve(writing('\n  repetitions: 1')).workload.repetitions).toBe(1);
  expect(messageOf(() => resolve(writing('\n  repetitions: 5')))).toMatch(
    /pacegate\.yml:6: workload\.repetitions: found 5 with a command that writes \{metrics\}.*expected: 1 or auto/,
  );
});

describe('a quantity without its unit', () => {
  const limited = (limit: string) => GOOD.replace('limit: 5%', `limit: ${limit}`);

  test.each([
    ['5', 'found 5 (a number); expected: a percentage with its sign, 5%, or a fraction below 1'],
    ['1', 'found 1 (a number); expected: a percentage with its sign, 1%, or a fraction below 1'],
    ['2.5', 'found 2.5 (a number); expected: a percentage with its sign, 2.5%, or a fraction below 1'],
    ['"5"', 'found "5"; expected: a percentage with its sign, 5%, or a fraction below 1'],
    [
      '0',
      'found 0 (a number); expected: a percentage such as 3%, above 0, or a fraction below 1 such as 0.03',
    ],
    ['2000%', 'found "2000%"; expected: a percentage such as 3%, above 0'],
    ['true', 'found true (a boolean); expected: a percentage such as 3%, above 0'],
  ])('limit: %s is refused with how to write it', (limit, problem) => {
    const message = messageOf(() => resolve(limited(limit)));
    expect(message).toContain(`metrics.wall_time_s.limit: ${problem}`);
    expect(message).toContain('has a problem;');
  });

  test('the size of a warning is read with the limit, of a metric and of a pattern', () => {
    const plan = resolve(
      GOOD.replace('limit: 5%', 'limit: 5%, warn: 2%').replace(
        'metrics:',
        "metrics:\n  'test_*': { warn: 0.01 }",
      ),
    );
    expect(plan.rules.metrics.find(({ name }) => name === 'wall_time_s')).toMatchObject({
      ...{ limit: 0.05, warn: 0.02 },
    });
    expect(plan.rules.patterns).toMatchObject([{ pattern: 'test_*', limit: 0.03, warn: 0.01 }]);
  });

  test.each([
    ['limit: 5%, warn: 5%', '5 %, and the limit of the metric is 5 %; expected: a percentage below 5 %'],
    [
      'warn: 3%',
      '3 %, and the limit of the metric is 3 %; expected: a percentage below 3 %, or a larger limit',
    ],
    ['limit: 5%, warn: 2', '2 (a number); expected: a percentage'],
    ['limit: 5%, warn: -1%', '"-1%"; expected: a percentage'],
  ])('%s is refused', (given, problem) => {
    const message = messageOf(() => resolve(GOOD.replace('limit: 5%', given)));
    expect(message).toContain(`pacegate.yml:12: metrics.wall_time_s.warn: found ${problem}`);
    const pattern = messageOf(() =>
      resolve(GOOD.replace('wall_time_s:', "'test_*':").replace('limit: 5%', given)),
    );
    expect(pattern).toContain(`metrics.test_*.warn: found ${problem}`);
  });

  test.each([
    ['wall_time_s: { max: 300ms }', { unit: 's', max: 0.3 }],
    ['wall_time_s: { max: 1m30s }', { unit: 's', max: 90 }],
    ['image_size_bytes: { max: 200 MiB }', { unit: 'bytes', max: 200 * 2 ** 20 }],
    ['image_size_bytes: { max: 200m }', { unit: 'bytes', max: 200 * 2 ** 20 }],
    ['page_faults_major: { max: 20 }', { unit: 'faults', max: 20 }],
    ['latency: { max: 300ms }', { unit: 'ms', max: 300 }],
    ['latency: { unit: s, max: 300ms }', { unit: 's', max: 0.3 }],
    ['cache_misses: { max: 5% }', { unit: '%', max: 5 }],
    ['errors: { max: 0 }', { unit: '', max: 0 }],
    ['served: { unit: requests/s, better: higher, min: 100 }', { unit: 'requests/s', min: 100 }],
    [
      'served: { unit: requests/s, better: higher, min: 6000 requests/min }',
      { unit: 'requests/s', min: 100 },
    ],
  ])('the absolute bound of %s is read', (given, rule) => {
    const [name = ''] = given.split(':');
    const plan = resolve(GOOD.replace('wall_time_s: { limit: 5% }', given));
    expect(plan.rules.metrics.find((one) => one.name === name)).toMatchObject(rule);
  });

  test.each([
    [
      'wall_time_s: { max: 300MiB }',
      'max: found "300MiB"; expected: a number in s, or in a unit of the same kind',
    ],
    ['wall_time_s: { max: 300 }', 'max: found 300; expected: a number with its unit, such as 300ms'],
    ['wall_time_s: { max: .nan }', 'max: found null (a number); expected: a number with its unit'],
    ['wall_time_s: { max: fast }', 'max: found "fast"; expected: a number in s'],
    ['wall_time_s: { max: -3s }', 'max: found "-3s"; expected: a number in s'],
    [
      'wall_time_s: { min: 300ms }',
      'min: found 300ms, and lower is better; expected: max, or better: higher',
    ],
    [
      'served: { better: higher, max: 300 }',
      'max: found 300, and higher is better; expected: min, or better: lower',
    ],
    ['latency: { max: 300mss }', 'max: found "300mss"; expected: a number, or one with a unit such as ms'],
    ["'test_*': { max: lots }", 'max: found "lots"; expected: a number, or one with a unit such as ms'],
  ])('%s is refused', (given, problem) => {
    const message = messageOf(() => resolve(GOOD.replace('wall_time_s: { limit: 5% }', given)));
    const name = (given.split(':')[0] ?? '').replaceAll("'", '');
    expect(message).toContain(`.github/pacegate.yml:12: metrics.${name}.${problem}`);
  });

  test('a bound of a pattern applies to its metrics, in their unit', () =>
    expect(
      resolve(GOOD.replace('wall_time_s: { limit: 5% }', "'test_*': { max: 300ms }")).rules.patterns,
    ).toMatchObject([{ pattern: 'test_*', unit: 'ms', max: 300 }]));

  test('the limit of a pattern is refused alike', () => {
    const text = GOOD.replace('wall_time_s:', "'test_*':").replace('limit: 5%', 'limit: 5');
    expect(messageOf(() => resolve(text))).toContain(
      'metrics.test_*.limit: found 5 (a number); expected: a percentage',
    );
  });

  test.each([
    [
      '  timeout: 10m',
      '  timeout: 90',
      'workload.timeout: found 90 (a number); expected: a duration such as 90s',
    ],
    ['  timeout: 10m', '  timeout: "90"', 'workload.timeout: found "90"; expected: a duration such as 90s'],
    ['  timeout: 10m', '  timeout: 200h', 'at most a week (168h)'],
    ['budget: 20m', 'budget: 20', 'rules.budget: found 20 (a number); expected: a duration'],
    [
      '  timeout: 10m',
      '  memory: 512',
      'workload.memory: found 512 (a number); expected: a size such as 512m or 2g',
    ],
    [
      '  timeout: 10m',
      '  memory: "512"',
      'workload.memory: found "512"; expected: a size such as 512m or 2g',
    ],
    ['alpha: 0.05', 'alpha: 5%', 'rules.alpha: found "5%"; expected: a probability such as 0.05'],
    ['alpha: 0.05', 'alpha: 0.5', 'rules.alpha: found 0.5 (a number); expected: a probability such as 0.05'],
    // It used to look for a number of blocks without an end.
    ['alpha: 0.05', 'alpha: 1e-308', 'expected: a probability such as 0.05, from 0.000001 to below 0.5'],
    ['better: higher', 'better: bigger', 'metrics.tasks.better: found "bigger"; expected: lower, higher'],
  ])('%s -> %s is refused', (from, to, problem) => {
    expect(messageOf(() => resolve(GOOD.replace(from, to)))).toContain(problem);
  });

  test('the option budget is refused alike', () => {
    expect(messageOf(() => resolve(GOOD, { budget: '20' }))).toContain(
      'the option budget: found "20"; expected: a duration such as 90s',
    );
  });

  test('valid configurations are read', () => {
    expect(resolve(limited('0.5%')).rules.metrics.find(({ name }) => name === 'wall_time_s')?.limit).toBe(
      0.005,
    );
    expect(resolve(limited('.05')).rules.metrics.find(({ name }) => name === 'wall_time_s')?.limit).toBe(
      0.05,
    );
    expect(resolve(GOOD.replace('alpha: 0.05', 'alpha: 0.001')).rules.alpha).toBe(0.001);
  });
});

describe('a workload that is a server', () => {
  const served = (settings: string, more = '') =>
    GOOD.replace('  timeout: 10m', `  server: { load: [python, load.py], ${settings} }${more}`);

  test('has defaults, and is started once in a run', () => {
    const { server, repetitions } = resolve(served('ready: 8000')).workload;
    expect(repetitions).toBe(1);
    expect(server).toEqual({
      ready: 8000,
      load: ['python', 'load.py'],
      warmUp: 1,
      startTimeoutSeconds: 30,
      stop: 'SIGTERM',
      stopTimeoutSeconds: 10,
    });
    expect(resolve(GOOD).workload.server).toBeUndefined();
  });

  test.each([
    'http://127.0.0.1:8000',
    'http://127.0.0.1:8000/',
    'http://localhost:1/health?deep=1',
    'http://[::1]:65535/ready',
  ])('is ready by the address %s', (ready) => {
    const { server } = resolve(
      served(`ready: "${ready}", warm-up: 0, start-timeout: 2m, stop: SIGQUIT, stop-timeout: 500ms`),
    ).workload;
    expect(server).toMatchObject({
      ready,
      warmUp: 0,
      startTimeoutSeconds: 120,
      stop: 'SIGQUIT',
      stopTimeoutSeconds: 0.5,
    });
  });

  const READY =
    'expected: a TCP port from 1 to 65535, or an address of this machine such as http://127.0.0.1:8000/health';
  test.each([
    ['ready: 0', `workload.server.ready: found 0 (a number); ${READY}`],
    ['ready: 65536', `workload.server.ready: found 65536 (a number); ${READY}`],
    ['ready: "8000"', `workload.server.ready: found "8000"; ${READY}`],
    ['ready: "http://127.0.0.1:70000/"', `workload.server.ready: found "http://127.0.0.1:70000/"; ${READY}`],
    // Of a host engine it would be somebody else's server.
    ['ready: "http://example.org:80/"', `found "http://example.org:80/"; ${READY}`],
    ['ready: "http://127.0.0.1:8000.example.org/"', READY],
    ['ready: "https://127.0.0.1:8000/"', READY],
    ['ready: "http://127.0.0.1:8000/a\\r\\nHost: b"', READY],
    ['warm-up: 1', `workload.server.ready: found nothing; ${READY}`],
    [
      'ready: 1, warm-up: 101',
      'workload.server.warm-up: found 101 (a number); expected: a whole number of rounds, 0 to 100',
    ],
    [
      'ready: 1, stop: SIGKILL',
      'workload.server.stop: found "SIGKILL"; expected: SIGTERM, SIGINT, SIGQUIT, SIGHUP',
    ],
    ['ready: 1, stop-timeout: 0s', 'workload.server.stop-timeout: found "0s"; expected: a duration such as'],
    [
      'ready: 1, rounds: 3',
      'workload.server.rounds: found a key that is not known; expected: ready, load, warm-up, start-timeout, stop, stop-timeout',
    ],
  ])('with %s is refused with what is legal', (settings, problem) => {
    expect(messageOf(() => resolve(served(settings)))).toContain(problem);
  });

  test('is not repeated inside a run, and reports through its load', () => {
    expect(resolve(served('ready: 1', '\n  repetitions: 1')).workload.repetitions).toBe(1);
    expect(messageOf(() => resolve(served('ready: 1', '\n  repetitions: 5')))).toMatch(
      /pacegate\.yml:7: workload\.repetitions: found 5 with a server, which starts once in a run; expected: 1 or auto/,
    );
    expect(
      messageOf(() => resolve(served('ready: 1').replace('[python, bench.py]', '[python, "{metrics}"]'))),
    ).toMatch(
      /workload\.command: found \{metrics\} in the command of a server; expected: \{metrics\} in workload\.server\.load/,
    );
    expect(messageOf(() => resolve(served('ready: 1', '\n  instructions: cachegrind')))).toMatch(
      /pacegate\.yml:7: workload\.instructions: found cachegrind for a server; expected: none/,
    );
    const load = served('ready: 1').replace('[python, load.py]', '[wrk, "--out={metrics}"]');
    expect(resolve(load).workload.server?.load).toEqual(['wrk', '--out={metrics}']);
  });
});

test('the example of the documentation becomes a frozen plan', () => {
  const plan = resolve(GOOD);
  expect(plan.configuration).toBe('pacegate');
  expect(plan.budgetSeconds).toBe(1200);
  expect(plan.workload).toMatchObject({ timeoutSeconds: 600, network: 'none', repetitions: 'auto' });
  expect(plan.variants.map(({ name, kind }) => `${name}:${kind}`)).toEqual([
    'official:interpreter',
    'debian:interpreter',
    'here:host',
  ]);
  expect(plan.variants[0]).toMatchObject({ args: { PYTHON_VERSION: '3.13', DEBIAN_RELEASE: 'trixie' } });
  expect(plan.rules.metrics.map(({ name, gate, limit }) => [name, gate, limit])).toEqual([
    ['wall_time_s', true, 0.05],
    ['cpu_time_s', true, 0.03],
    ['max_rss_bytes', true, 0.03],
    ['memory_peak_bytes', false, 0.03],
    ['anonymous_memory_bytes', false, 0.03],
    ['user_time_s', false, 0.03],
    ['system_time_s', false, 0.1],
    ['page_faults_minor', false, 0.03],
    ['page_faults_major', false, 0.25],
    ['context_switches_voluntary', false, 0.25],
    ['context_switches_involuntary', false, 0.25],
    ['io_read_bytes', false, 0.1],
    ['io_write_bytes', false, 0.1],
    ['throttled_time_s', false, 0.25],
    ['startup_time_s', false, 0.03],
    ['ready_time_s', false, 0.1],
    ['stop_time_s', false, 0.25],
    ['load_cpu_time_s', false, 0.1],
    ['instructions', false, 0.03],
    ['cycles', false, 0.03],
    ['valgrind_instructions', false, 0.01],
    ['image_size_bytes', true, 0.05],
    ['image_compressed_bytes', false, 0.05],
    ['build_time_s', false, 0.25],
    ['build_cpu_time_s', false, 0.25],
    ['image_layers', false, 0.05],
    ['tasks', false, 0.03],
  ]);
  expect(Object.isFrozen(plan.workload.files)).toBe(true);
});

test('a profile sets the limit of metrics that have no own limit', () => {
  const limits = Object.fromEntries(
    resolve(GOOD.replace('balanced', 'loose')).rules.metrics.map(({ name, limit }) => [name, limit]),
  );
  expect(limits).toMatchObject({
    wall_time_s: 0.05,
    cpu_time_s: 0.05,
    user_time_s: 0.05,
    system_time_s: 0.1,
    context_switches_voluntary: 0.25,
    image_size_bytes: 0.05,
  });
});

describe('instructions', () => {
  const counting = (how: string, metrics = '') =>
    GOOD.replace('  timeout: 10m', `  timeout: 10m\n  instructions: ${how}`).replace(
      'metrics:\n',
      `metrics:\n${metrics}`,
    );
  const ruleOf = (text: string) =>
    resolve(text).rules.metrics.find(({ name }) => name === 'valgrind_instructions');

  test.each(['cachegrind', 'callgrind'])('are judged where %s is asked to count them', (tool) => {
    const plan = resolve(counting(tool));
    expect(plan.workload.instructions).toBe(tool);
    expect(ruleOf(counting(tool))).toMatchObject({
      gate: true,
      limit: 0.01,
      kind: 'counted',
    });
    // Outside the family: no other check is the weaker for it.
    expect(plan.rules.metrics.filter(isTested)).toHaveLength(
      resolve(GOOD).rules.metrics.filter(isTested).length,
    );
    expect(ruleOf(counting(tool, '  valgrind_instructions: { gate: false }\n'))?.gate).toBe(false);
    expect(ruleOf(counting(tool, '  valgrind_instructions: { limit: 4% }\n'))).toMatchObject({
      gate: true,
      limit: 0.04,
    });
  });

  test.each(['none', 'counters'])('of valgrind are not judged with %s', (how) => {
    expect(ruleOf(counting(how))?.gate).toBe(false);
    expect(resolve(counting(how)).workload.instructions).toBe(how);
  });

  test('that would be judged and never counted are refused', () => {
    expect(messageOf(() => resolve(counting('counters', '  valgrind_instructions: {}\n')))).toMatch(
      /pacegate\.yml:\d+: metrics\.valgrind_instructions: found a judged metric with workload\.instructions: counters.*expected: workload\.instructions: cachegrind or callgrind, or gate: false/,
    );
    expect(
      messageOf(() => resolve(GOOD.replace('metrics:', 'metrics:\n  valgrind_instructions:'))),
    ).toContain('workload.instructions: none');
    expect(messageOf(() => resolve(counting('callgrind'), { evidence: 'stored' }))).toMatch(
      /workload\.instructions: found callgrind with evidence: stored, .*expected: evidence: auto or paired, instructions: none, or gate: false for valgrind_instructions under metrics/,
    );
    expect(messageOf(() => resolve(counting('perf')))).toMatch(
      /workload\.instructions: found "perf"; expected: none, counters, cachegrind, callgrind/,
    );
  });

  test.each([
    ['cachegrind', 'none'],
    ['none', 'counters'],
  ])('are counted as the base has it (%s), whatever a pull request says (%s)', (base, head) => {
    const [before, after] = [resolve(counting(base)), resolve(counting(head))];
    const judged = withRulesOf(after, before);
    expect(judged.workload.instructions).toBe(base);
    expect(judged.rules.metrics).toEqual(before.rules.metrics);
    expect(ruleChanges(after, before)).toEqual([
      expect.stringContaining(`rules instructions from ${base} to ${head}`),
      expect.stringContaining('judges it by the rules of its base'),
    ]);
  });
});

describe('a hybrid metric', () => {
  const given = (...lines: readonly string[]) =>
    GOOD.replace('rules:', `${lines.map((line) => `  ${line}\n`).join('')}rules:`);

  test('keeps its formula, is judged, and has the unit of its name unless another is given', () => {
    const { metrics } = resolve(
      given(
        'cpu_per_task: { formula: cpu_time_s / tasks, unit: s }',
        'rss_and_more_bytes: { formula: max_rss_bytes + 1024, gate: false }',
      ),
    ).rules;
    expect(metrics.slice(-2)).toEqual([
      metricRule('cpu_per_task', { unit: 's', formula: 'cpu_time_s / tasks' }),
      metricRule('rss_and_more_bytes', { gate: false, formula: 'max_rss_bytes + 1024' }),
    ]);
  });

  test.each([
    [
      'x: { formula: cpu_time_s % tasks }',
      'x.formula: found "cpu_time_s % tasks"; expected: metrics whose names are of letters',
    ],
    ['x: { formula: 5 }', 'x.formula: found 5 (a number); expected: metrics whose names are of letters'],
    ['x: { formula: "2 * 3" }', 'x.formula: found no metric; expected: at least one metric'],
    [
      'x: { formula: x + tasks }',
      'x.formula: found a circle: x -> x; expected: formulas that do not use themselves',
    ],
    [
      'x: { formula: image_size_bytes / tasks }',
      'x.formula: found image_size_bytes, which is not a metric of a run; expected: metrics of the run',
    ],
    ['x: { formula: build_time_s / 60 }', 'x.formula: found build_time_s, which is not a metric of a run'],
    [
      'cpu_time_s: { formula: user_time_s * 2 }',
      'cpu_time_s.formula: found a formula for cpu_time_s, which is measured; expected: a formula under a name of its own',
    ],
  ])('%s is refused with its line', (line, message) => {
    expect(messageOf(() => resolve(given(line)))).toContain(`.github/pacegate.yml:14: metrics.${message}`);
  });

  test('may need another, in a row and not in a circle', () => {
    const circle = [
      'a: { formula: b + tasks }',
      'b: { formula: c * 2 }',
      'c: { formula: a / 3 }',
      'd: { formula: a + 1 }',
    ];
    const message = messageOf(() => resolve(given(...circle)));
    expect(message).toContain(':14: metrics.a.formula: found a circle: a -> b -> c -> a');
    expect(message).toContain(':15: metrics.b.formula: found a circle: b -> c -> a -> b');
    expect(message).not.toContain('metrics.d');
    expect(() => resolve(given(...circle.map((line) => line.replace('a / 3', 'tasks / 3'))))).not.toThrow();
  });

  test('is judged by the formula of the base, and an edit of it is reported', () => {
    const [base, head] = ['cpu_time_s / tasks', 'cpu_time_s / tasks / 2'].map((formula) =>
      resolve(given(`x: { formula: ${formula} }`)),
    );
    if (base === undefined || head === undefined) throw new Error('no plan');
    expect(withRulesOf(head, base).rules.metrics.at(-1)?.formula).toBe('cpu_time_s / tasks');
    expect(ruleChanges(head, base)[0]).toContain(
      'metric x from judged, lower is better, limit 3 %, cpu_time_s / tasks to judged, lower is better, limit 3 %, cpu_time_s / tasks / 2',
    );
  });
});

describe('a pattern of metrics', () => {
  const withMetrics = (metrics: string) => GOOD.replace(/metrics:[^]*rules:/, `metrics: ${metrics}\nrules:`);
  const patterns = "{ 'test_slow*': { gate: false }, 'test_*': { limit: 10%, unit: s }, '*': }";

  test('is kept in the order of the file, apart from the names', () => {
    const { metrics, patterns: kept } = resolve(withMetrics(patterns)).rules;
    expect(kept).toEqual([
      { pattern: 'test_slow*', gate: false, limit: 0.03 },
      { pattern: 'test_*', gate: true, limit: 0.1, unit: 's' },
      { pattern: '*', gate: true, limit: 0.03 },
    ]);
    expect(metrics.filter(({ name }) => name.includes('*'))).toEqual([]);
    // What is measured is judged as it was.
    expect(metrics.filter(({ gate }) => gate).map(({ name }) => name)).toEqual(
      resolve(GOOD)
        .rules.metrics.filter(({ gate }) => gate)
        .map(({ name }) => name),
    );
    expect(resolve(GOOD).rules.patterns).toBeUndefined();
    expect(resolve(withMetrics("{ '*': }").replace('balanced', 'loose')).rules.patterns).toMatchObject([
      { limit: 0.05 },
    ]);
  });

  test('is the base’s, and an edit of it is reported', () => {
    const [head, base] = [resolve(withMetrics("{ '*': { limit: 90% } }")), resolve(withMetrics(patterns))];
    expect(withRulesOf(head, base).rules.patterns).toEqual(base.rules.patterns);
    expect(ruleChanges(head, base)[0]).toContain(
      'metric * from pattern 3, judged, limit 3 % to pattern 1, judged, limit 90 %',
    );
    expect(withRulesOf(head, resolve(GOOD)).rules.patterns).toBeUndefined();
  });

  test('counts as one metric at least where rules are to reach significance, and as something that is judged', () => {
    const off = 'wall_time_s: { gate: false }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false }';
    const none = withMetrics(`{ ${off}, image_size_bytes: { gate: false } }`);
    expect(messageOf(() => resolve(none))).toContain('found no metric that is judged');
    const all = withMetrics(`{ ${off}, image_size_bytes: { gate: false }, '*': {} }`);
    expect(() => resolve(all)).not.toThrow();
    expect(messageOf(() => resolve(all.replace('alpha: 0.05', 'alpha: 0.05, blocks: 5')))).toContain(
      '3 tests (3 variants x 1 metrics)',
    );
  });

  test.each([
    [
      "{ '*': { formula: cpu_time_s / 2 } }",
      'metrics.*.formula: found a formula for every metric that matches',
    ],
    ["{ 'a b*': {} }", 'metrics.a b*: found the name "a b*"; expected: a name of letters'],
    ["{ '_*': {} }", 'found the name "_*"'],
  ])('%s is refused', (metrics, message) => {
    expect(messageOf(() => resolve(withMetrics(metrics)))).toContain(message);
  });
});

test('options win over the file', () => {
  const plan = resolve(GOOD, { variants: ['debian'], budget: '90s', failOn: ['failed'], evidence: 'paired' });
  expect(plan.variants.map(({ name }) => name)).toEqual(['debian']);
  expect(plan.budgetSeconds).toBe(90);
  expect(plan.rules).toMatchObject({ failOn: ['failed'], evidence: 'paired' });
});

test('the rules of the base replace those of the head, not its workload', () => {
  const loosened = resolve(GOOD.replace('5%', '90%').replace('alpha: 0.05', 'alpha: 0.0001'));
  const judged = withRulesOf(loosened, resolve(GOOD));
  expect(judged.rules.alpha).toBe(0.05);
  expect(judged.rules.metrics[0]?.limit).toBe(0.05);
});

test('secrets and caches of a pull request are those of its base, and none unless allowed', () => {
  const build = (secret: string) =>
    resolve(`${GOOD}build: { secrets: ['${secret}'], cache-to: [type=gha] }\n`);
  const judged = withRulesOf(build('id=x,env=ACTIONS_RUNTIME_TOKEN'), build('id=pip.conf,src=pip.conf'));
  expect(judged.build.secrets).toEqual(['id=pip.conf,src=pip.conf']);
  expect(withoutSecrets(judged).build).toEqual({ ...judged.build, secrets: [] });
});

describe('what is installed besides', () => {
  const installing = (value: string, more = '') =>
    GOOD.replace('  timeout: 10m', `  install: ${value}${more}\n  timeout: 10m`);

  test('groups, extras and packages', () => {
    expect(resolve(GOOD).workload.install).toBeUndefined();
    expect(resolve(installing('{ groups: [], packages: [] }')).workload.install).toBeUndefined();
    expect(
      resolve(
        installing(
          '{ groups: [bench], extras: [fast.er], packages: [pytest-benchmark, "a[b,c] >=1.2,<2", "d==1.*"] }',
        ),
      ).workload.install,
    ).toEqual({
      groups: ['bench'],
      extras: ['fast.er'],
      packages: ['pytest-benchmark', 'a[b,c] >=1.2,<2', 'd==1.*'],
    });
  });

  test.each([
    [
      '{ group: [bench] }',
      '',
      'workload.install.group: found a key that is not known; expected: groups, extras, packages',
    ],
    ['[bench]', '', 'workload.install: found a list (["bench"]); expected: a table of keys and values'],
    ['{ groups: bench }', '', 'workload.install.groups: found "bench"; expected: a list, such as [bench]'],
    [
      '{ groups: [--all] }',
      '',
      'workload.install.groups.0: found "--all"; expected: the name of a dependency group',
    ],
    ['{ extras: ["a b"] }', '', 'workload.install.extras.0: found "a b"; expected: the name of an extra'],
    ...[
      '-r more.txt',
      '--index-url=https://x',
      './lib',
      'a @ https://x/a.whl',
      'git+https://x/y',
      'a;b',
      'a\nb',
    ].map((text) => [
      `{ packages: [${JSON.stringify(text)}] }`,
      '',
      `workload.install.packages.0: found ${JSON.stringify(text)}; expected: a package, such as pytest-benchmark or "pytest-benchmark>=5,<6"`,
    ]),
    [
      '{ groups: [bench] }',
      '\n  dockerfile: Dockerfile',
      'workload.install: found packages together with workload.dockerfile (Dockerfile), which does not read them; expected: one of the two',
    ],
  ])('%s%s is refused', (value, more, problem) => {
    expect(messageOf(() => resolve(installing(value, more)))).toContain(`.github/pacegate.yml:6: ${problem}`);
  });

  test('it is refused if no variant has an image that is built here', () => {
    const host = installing('{ packages: [a] }').replace(/ {2}(official|debian): \{.*\n/g, '');
    expect(messageOf(() => resolve(host))).toContain(
      'workload.install: found packages, and no variant that the default Dockerfile builds; expected: a variant with an interpreter',
    );
  });
});

describe('interpreters', () => {
  const variantOf = (line: string) => {
    const plan = resolve(GOOD.replace('  here: { interpreter: host, python: python3 }', `  x: { ${line} }`));
    const variant = plan.variants.at(-1);
    if (variant?.kind !== 'interpreter') throw new Error('no interpreter');
    return { args: variant.args, march: variant.march };
  };

  test.each([
    ['interpreter: pyenv, python: "3.9"', { FLAVOUR: 'plain', PYTHON_VERSION: '3.9' }, undefined],
    [
      'interpreter: pyenv-optimized, python: "3.14.1", march: x86-64-v3, jit: true',
      {
        FLAVOUR: 'optimized',
        PYTHON_VERSION: '3.14.1',
        CONFIGURE_OPTIONS: '--enable-experimental-jit',
        LLVM_VERSION: '19',
      },
      'x86-64-v3',
    ],
    [
      'interpreter: pyenv-native, python: 3.13t, configure: [--with-assertions, CC=clang]',
      { FLAVOUR: 'native', PYTHON_VERSION: '3.13t', CONFIGURE_OPTIONS: '--with-assertions CC=clang' },
      'native',
    ],
    ['interpreter: pyenv-bolt, python: "3.13"', { FLAVOUR: 'bolt', PYTHON_VERSION: '3.13' }, undefined],
    [
      'interpreter: uv, python: "3.13.5", release: "20250612"',
      { PYTHON_VERSION: '3.13.5', PYTHON_BUILD: '20250612' },
      undefined,
    ],
    [
      'interpreter: uv, python: "3.13", mirror: "https://mirror.example/pbs", downloads: "file:///opt/python-mirror/list.json"',
      {
        PYTHON_VERSION: '3.13',
        UV_PYTHON_INSTALL_MIRROR: 'https://mirror.example/pbs',
        UV_PYTHON_DOWNLOADS_JSON_URL: 'file:///opt/python-mirror/list.json',
      },
      undefined,
    ],
    [
      'interpreter: conda-forge, python: "3.12", channel: "https://mirror.example/conda-forge"',
      { PYTHON_VERSION: '3.12', CHANNEL: 'https://mirror.example/conda-forge' },
      undefined,
    ],
  ])('%s', (line, args, march) =>
    expect(variantOf(line)).toEqual({ args: { ...args, DEBIAN_RELEASE: 'trixie' }, march }),
  );

  test.each(['3.9', '3.9.25', '3.15', '3.15.1', '3.15.0rc1', '3.15t'])('Python %s is a version', (python) =>
    expect(variantOf(`interpreter: uv, python: "${python}"`).args).toMatchObject({ PYTHON_VERSION: python }),
  );

  test.each(['3.8', '3.8.20', '3.16', '3.16.0a1', '2.7', '4.0', '3.90', '3.1'])(
    'Python %s is refused when the configuration is read',
    (python) => {
      for (const interpreter of [
        'official',
        'alpine',
        'debian',
        'pyenv-native',
        'uv',
        'conda-forge',
        'dhi',
        'wolfi',
      ])
        expect(() => variantOf(`interpreter: ${interpreter}, python: "${python}"`)).toThrow(
          `variants.x.python: found "${python}"; expected: a version of Python from 3.9 to 3.15`,
        );
    },
  );

  test('Alpine has its own releases, and any base can be pinned', () => {
    const base = `python:3.13-alpine3.21@sha256:${'a'.repeat(64)}`;
    expect(variantOf(`interpreter: alpine, python: "3.13", alpine: "3.21", base: "${base}"`).args).toEqual({
      PYTHON_VERSION: '3.13',
      ALPINE_RELEASE: '3.21',
      BASE_IMAGE: base,
    });
  });

  test('the JIT of Python 3.15 is built with its LLVM, where the base may have it', () => {
    const jit = 'interpreter: pyenv, python: "3.15", jit: true';
    expect(variantOf(`${jit}, debian: forky`).args).toMatchObject({ LLVM_VERSION: '21' });
    const base = `debian:trixie-slim@sha256:${'a'.repeat(64)}`;
    expect(variantOf(`${jit}, base: "${base}"`).args).toMatchObject({ LLVM_VERSION: '21' });
  });

  test('hardened images have a distribution, and Wolfi has no releases', () => {
    expect(variantOf('interpreter: dhi, python: "3.14"').args).toEqual({
      PYTHON_VERSION: '3.14',
      DISTRIBUTION: 'debian13',
    });
    expect(variantOf('interpreter: dhi, python: "3.13.5", distribution: alpine3.24-dev').args).toEqual({
      PYTHON_VERSION: '3.13.5',
      DISTRIBUTION: 'alpine3.24-dev',
    });
    expect(variantOf('interpreter: wolfi, python: "3.13"').args).toEqual({ PYTHON_VERSION: '3.13' });
  });

  test.each([
    ...['trixie', '13', 'debian13-fips', 'debian13 x', 'debian13@sha256:1'].map(
      (distribution): [string, RegExp] => [
        `interpreter: dhi, python: "3.13", distribution: "${distribution}"`,
        /variants\.x\.distribution: found .*; expected: the end of a tag of dhi\.io\/python, such as debian13/,
      ],
    ),
    [
      'interpreter: dhi, python: 3.13t',
      /variants\.x\.python: found "3\.13t", a free-threaded Python, of dhi/,
    ],
    ['interpreter: wolfi, python: 3.13t', /found "3\.13t", a free-threaded Python, of wolfi/],
    [
      'interpreter: wolfi, python: "3.13", debian: trixie',
      /variants\.x\.debian: found a key that is not known/,
    ],
    [
      'interpreter: official, python: 3.13t',
      /variants\.x\.python: found "3\.13t", a free-threaded Python, of official/,
    ],
    [
      'interpreter: pyenv, python: 3.12t',
      /found "3\.12t"; expected: a free-threaded Python of 3\.13t or newer/,
    ],
    [
      'interpreter: pyenv, python: "3.12", jit: true',
      /variants\.x\.jit: found true with Python 3\.12; expected: .*3\.13, 3\.14/,
    ],
    [
      'interpreter: pyenv-optimized, python: "3.15", jit: true',
      /variants\.x\.jit: found true with Python 3\.15, whose JIT needs LLVM 21; expected: a Debian release that has it/,
    ],
    ['interpreter: pyenv, python: 3.13t, jit: true', /CPython does not support both/],
    [
      'interpreter: debian, base: "debian:trixie"',
      /variants\.x\.base: found "debian:trixie"; expected: an image with its digest/,
    ],
    [
      'interpreter: uv, python: "3.13", release: 20250612',
      /variants\.x\.release: found 20250612 \(a number\); expected: .* in quotes/,
    ],
    ...[
      'x://r',
      'oci-layout://r',
      'ssh://h/r',
      'file:///etc',
      'a/b://c',
      'docker-image://a b',
      'HTTPS://h',
    ].map((context): [string, RegExp] => [
      `interpreter: debian, contexts: { mirror: "${context}" }`,
      /variants\.x\.contexts\.mirror: found .*; expected: a folder inside the repository, docker-image/,
    ]),
    ['interpreter: pyenv, python: "3.13", configure: ["--a b"]', /expected: options without spaces/],
  ])('%s is refused before it builds', (line, message) => expect(() => variantOf(line)).toThrow(message));
});

test('a pull request brings no folder of the machine into a build and no interpreter of the host', () => {
  const added = (contexts: string) =>
    resolve(GOOD.replace('python: "3.13" }', `python: "3.13", contexts: { python-source: "${contexts}" } }`));
  const contextsOf = (plan: Plan) =>
    plan.variants.map((variant) => ('contexts' in variant ? variant.contexts : {}))[0];
  expect(contextsOf(guarded(added('/'), resolve(GOOD)))).toEqual({});
  expect(contextsOf(guarded(added('/srv'), added('/srv')))).toEqual({ 'python-source': '/srv' });
  const image = 'docker-image://mirror';
  expect(contextsOf(guarded(added(image), resolve(GOOD)))).toEqual({});
  expect(contextsOf(guarded(added(image), added(image)))).toEqual({ 'python-source': image });
  expect(guardNotes(added(image), added(image))).toEqual([]);
  expect(guardNotes(added(image), resolve(GOOD))[0]).toContain(
    'is built without its context python-source: the configuration of the base does not name it',
  );
  expect(guarded(resolve(GOOD), resolve(GOOD)).confined).toBe(true);
  const without = resolve(GOOD.replace('  here: { interpreter: host, python: python3 }\n', ''));
  expect(messageOf(() => guarded(resolve(GOOD), without))).toContain('here: a pull request adds a variant');
  expect(messageOf(() => guarded(resolve(GOOD), undefined))).toContain('here: a pull request adds a variant');
});

test('the budget of a pull request is its base’s', () => {
  const hasty = resolve(GOOD.replace('budget: 20m', 'budget: 1s'));
  expect(withRulesOf(hasty, resolve(GOOD)).budgetSeconds).toBe(1200);
  expect(ruleChanges(hasty, resolve(GOOD))[0]).toContain('rules budget from 1200 s to 1 s');
});

test('a change to its own rules is reported', () => {
  const changes = (text: string) => ruleChanges(resolve(text), resolve(GOOD));
  expect(changes(GOOD)).toEqual([]);
  expect(
    changes(GOOD.replace('limit: 5%', 'limit: 90%').replace('fail-on: [regressed]', 'fail-on: []')),
  ).toEqual([
    'This change edits its own configuration: rules fail-on from regressed to none; metric wall_time_s from judged, lower is better, limit 5 % to judged, lower is better, limit 90 %.',
    'Pacegate judges it by the rules of its base. The edited rules apply from the next change on.',
  ]);
  expect(changes(`${GOOD.trim().slice(0, -1)}, changed-measurement: fail }`)[0]).toBe(
    'This change edits its own configuration: rules changed-measurement from report to fail.',
  );
});

describe('refused configurations', () => {
  test('all problems come at once, each with line, found and legal', () => {
    const message = messageOf(() =>
      resolve(`version: 2
workload:
  command: python bench.py
  timeout: soon
  files: [../secret]
  mode: fast
variants:
  Official: { interpreter: official, python: "3.13" }
  debian: { interpeter: debian }
  new: { interpreter: conda }
  old: { interpreter: official, python: 3.10 }
metrics:
  wall_time_s: { limit: lots }
rules: { alpha: 2, fail-on: [slower] }
`),
    );
    expect(message).toMatchInlineSnapshot(`
     "The configuration has 12 problems; nothing was built or run.
       .github/pacegate.yml:1: version: found 2 (a number); expected: 1
       .github/pacegate.yml:3: workload.command: found "python bench.py"; expected: a list of words, such as [python, bench.py]
       .github/pacegate.yml:4: workload.timeout: found "soon"; expected: a duration such as 90s, 10m or 1h30m
       .github/pacegate.yml:5: workload.files.0: found "../secret"; expected: a path inside the repository: relative, without ..
       .github/pacegate.yml:6: workload.mode: found a key that is not known; expected: context, dockerfile, interpreter-from, install, files, command, timeout, env, network, memory, pids, repetitions, instructions, server, profiler
       .github/pacegate.yml:8: variants.Official: found the name "Official"; expected: a name of small letters, digits, ., _ and -
       .github/pacegate.yml:9: variants.debian: found a table (interpeter); expected: one of interpreter, image, bake to say where the Python comes from
       .github/pacegate.yml:10: variants.new.interpreter: found "conda"; expected: official, alpine, debian, pyenv, pyenv-optimized, pyenv-native, pyenv-bolt, uv, conda-forge, dhi, wolfi, host
       .github/pacegate.yml:11: variants.old.python: found 3.1 (a number); expected: a version in quotes, such as "3.13" (without quotes, YAML reads 3.10 as 3.1)
       .github/pacegate.yml:13: metrics.wall_time_s.limit: found "lots"; expected: a percentage such as 3%, above 0, or a fraction below 1 such as 0.03
       .github/pacegate.yml:14: rules.alpha: found 2 (a number); expected: a probability such as 0.05, from 0.000001 to below 0.5
       .github/pacegate.yml:14: rules.fail-on.0: found "slower"; expected: failed, regressed, over_limit, no_data, inconclusive, incomparable, no_baseline, accepted, warning, improved, unchanged"
    `);
  });

  test('a doubled variant is named with its line', () => {
    const message = messageOf(() =>
      resolve(GOOD.replace('  here:', '  official: { interpreter: debian }\n  here:')),
    );
    expect(message).toMatch(
      /pacegate\.yml:10: official: found the same key a second time; expected: each key once/,
    );
  });

  test('a context outside of the repository, and a choice of no variant', () => {
    expect(messageOf(() => resolve(GOOD.replace('context: .', 'context: ../../..')))).toContain(
      'workload.context: found "../../.."; expected: a path inside the repository: relative, without ..',
    );
    expect(messageOf(() => resolve(GOOD, { variants: [] }))).toContain(
      'the option variants: found an empty list',
    );
  });

  test('two variants with one definition are named', () => {
    const message = messageOf(() =>
      resolve(GOOD.replace('  here:', '  again: { interpreter: official, python: "3.13" }\n  here:')),
    );
    expect(message).toContain('variants.again: found the same definition as official');
  });

  test('rules that can never reach significance are refused with the numbers', () => {
    const message = messageOf(() => resolve(GOOD.replace('alpha: 0.05', 'alpha: 0.05, blocks: 6')));
    // 3 variants x 3 metrics: 2^-n <= 0.05 / 9 needs n >= 7.49.
    expect(message).toContain('9 tests (3 variants x 3 metrics)');
    expect(message).toContain('expected: at least 8 blocks');
    expect(() => resolve(GOOD.replace('alpha: 0.05', 'alpha: 0.05, blocks: 8'))).not.toThrow();
  });

  test('text that is not YAML gets the parser’s own place', () => {
    expect(messageOf(() => resolve('version: 1\nvariants: {a: [\n'))).toMatch(
      /pacegate\.yml:\d+: YAML: found /,
    );
  });

  test('unknown variants and durations in options are refused with the allowed values', () => {
    const message = messageOf(() => resolve(GOOD, { variants: ['offical'], budget: 'soon' }));
    expect(message).toContain('the option variants: found "offical"; expected: official, debian, here');
    expect(message).toContain('the option budget: found "soon"');
  });

  test('a few lines of nested anchors do not become gigabytes', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 12; i++)
      bomb.push(
        `b${i}: &b${i} [${Array(9)
          .fill(i === 1 ? '*a' : `*b${i - 1}`)
          .join(', ')}]`,
      );
    expect(messageOf(() => resolve(bomb.join('\n')))).toContain('anchor');
  });
});

test('a configuration is known by its path, by its own name, or by that of the workflow', () => {
  const of = (text: string, overrides: Overrides = {}) =>
    resolvePlan({ text, file: 'services/orders/pacegate.yml', root: '/', overrides }).configuration;
  expect(of(GOOD)).toMatch(/^services-orders-pacegate-[0-9a-f]{8}$/);
  expect(of(`name: orders\n${GOOD}`)).toBe('orders');
  expect(of(`name: orders\n${GOOD}`, { name: 'orders-arm' })).toBe('orders-arm');
  expect(messageOf(() => of(`name: a/b\n${GOOD}`))).toContain(
    ':1: name: found "a/b"; expected: a name of small',
  );
  expect(messageOf(() => of(GOOD, { name: 'a/b' }))).toContain(
    'the option name: found "a/b"; expected: a name',
  );
});
