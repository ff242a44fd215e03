import { describe, expect, test } from '@jest/globals';
import { MAX_ANSWER_BYTES, readProbeAnswer } from './probe-answer.ts';
import { withTail } from '../run-failure.ts';

const METRICS = { wall_time_s: 2, cpu_time_s: 1, max_rss_bytes: 1e7 };
const NOISE = { load_1m: 0.5, steal_s: 0 };

const answer = (change: object = {}) => ({
  outcome: 'ok',
  exitStatus: 0,
  message: '',
  metrics: METRICS,
  cgroupCpu: null,
  noise: NOISE,
  business: null,
  ...change,
});
const read = (change: object = {}, stderr = '') =>
  readProbeAnswer({ status: 0, stdout: `\n${JSON.stringify(answer(change))}\n`, stderr });

test('a good run has its metrics and noise, and no message whatever the workload printed', () => {
  expect(read({}, 'words\n')).toEqual({
    outcome: 'ok',
    metrics: METRICS,
    declared: {},
    noise: NOISE,
    exitStatus: 0,
    message: undefined,
    inside: { cgroup: false, besideSeconds: 0 },
  });
});

test('valgrind’s count is read, and a malformed count makes the whole answer invalid', () => {
  const counts = (change: object = {}) => ({
    counts: {
      instructions: 1230,
      processes: 2,
      profiles: [{ name: '17.1', text: '# callgrind' }],
      ...change,
    },
  });
  expect(read(counts())?.counted).toEqual(counts().counts);
  expect(read({ counts: null, noCounters: null })).toEqual(read());
  for (const wrong of [
    { instructions: 0 },
    { instructions: 1.5 },
    { instructions: 1e300 },
    { processes: 0 },
    { profiles: [{ name: '../17', text: '' }] },
    { profiles: [{ name: '17/1', text: '' }] },
    { profiles: [{ name: '1'.repeat(11), text: '' }] },
  ])
    expect(read(counts(wrong))).toBeUndefined();
  // A workload that did not end well has no count.
  expect(read({ ...counts(), outcome: 'nonzero', exitStatus: 1, message: 'ended' })).not.toHaveProperty(
    'counted',
  );
  expect(read({ noCounters: 'ENOENT' })?.noCounters).toBe('ENOENT');
  expect(read({ noCounters: '**bold**' })).toBeUndefined();
});

test.each([
  ['nonzero', 7, 'the command ended with exit status 7'],
  ['signal', null, 'the command was ended by SIGSEGV'],
  ['timeout', null, 'the command was still running at the limit of 10 s'],
  ['oom', null, 'the kernel killed a process of the run'],
])(
  'a run that ended as %s has no metrics, and the last words below its message',
  (outcome, exitStatus, message) => {
    expect(read({ outcome, exitStatus, message, business: '{"tasks": 1}' }, 'first\nlast words\n')).toEqual({
      outcome,
      metrics: {},
      declared: {},
      noise: NOISE,
      exitStatus,
      message: `${message}\nfirst\nlast words`,
    });
  },
);

test.each([
  ['signal', null, 'the command was ended by SIGILL'],
  ['nonzero', 132, 'the command ended with exit status 132'],
])('an illegal instruction (%s, %j) is explained', (outcome, exitStatus, message) => {
  expect(read({ outcome, exitStatus, message }, 'last words\n')?.message).toMatch(
    /^the command .*\. SIGILL means .* another processor .*x86-64-v2 or armv8-a\nlast words$/,
  );
});

describe('other output is not the probe’s answer', () => {
  const line = (change: object = {}) => JSON.stringify(answer(change));
  test.each([
    ['nothing', 0, ''],
    ['an answer of a probe that was killed', null, line()],
    ['an answer of a probe that did not end well', 143, line()],
    ['an answer that is not the last line', 0, `${line()}\nmore`],
    ['half an answer', 0, line().slice(0, -1)],
    ['a line in which something else stands before it', 0, `x${line()}`],
    ['a list', 0, '[]'],
    ['an engine’s fault, which is not the probe’s to claim', 0, line({ outcome: 'engine' })],
    ['an outcome that is not known', 0, line({ outcome: 'fine' })],
    ['a negative time', 0, line({ metrics: { wall_time_s: -1 } })],
    ['an infinite time', 0, line({ metrics: { wall_time_s: 7 } }).replace(':7', ':1e999')],
    ['a time in words', 0, line({ metrics: { wall_time_s: '1' } })],
    ['NaN, which Python writes and JSON does not have', 0, line().replace('0.5', 'NaN')],
    ['a message without an end', 0, line({ message: 'x'.repeat(4001) })],
  ])('%s', (_, status, stdout) => {
    expect(readProbeAnswer({ status, stdout, stderr: '' })).toBeUndefined();
  });
});

test('of several lines the last one is the probe’s, for a workload can only write before it', () => {
  const fake = JSON.stringify(answer({ metrics: { ...METRICS, wall_time_s: 0.001 } }));
  const stdout = `${fake}\n${fake}\n${JSON.stringify(answer())}\n`;
  expect(readProbeAnswer({ status: 0, stdout, stderr: '' })?.metrics['wall_time_s']).toBe(2);
});

test.each([
  ['agrees', 1.02, 1.02],
  ['is a little more, for a process was forgotten', 1.14, 1.14],
  ['is more, for a process was not waited for', 1.5, 1.5],
  ['is that of another group', 0.2, 1],
  ['is not known', null, 1],
])('where the cgroup’s CPU time %s (%p s of 1 s)', (_, cgroupCpu, expected) => {
  expect(read({ cgroupCpu })?.metrics['cpu_time_s']).toBe(expected);
});

describe('business metrics', () => {
  test('are values, or values with their unit and direction', () => {
    const business =
      '{"tasks": 12, "tasks/s": {"value": 3.5, "unit": "1/s", "better": "higher"}, "x": {"value": 0}}';
    const result = read({ business });
    expect(result?.metrics).toEqual({ ...METRICS, tasks: 12, 'tasks/s': 3.5, x: 0 });
    expect(result?.declared).toEqual({ 'tasks/s': { unit: '1/s', better: 'higher' } });
  });

  test.each([
    ['no JSON and no list', 'tasks=1', /PACEGATE_METRICS, line 1\).*found "tasks=1"/],
    ['nothing', '', /the file/],
    ['a list', '[1]', /the file/],
    ['null', 'null', /the file/],
    ['NaN', '{"tasks": NaN}', /found "\{\\"tasks\\": NaN\}"/],
    ['Infinity', '{"tasks": Infinity}', /finite numbers/],
    ['a number beyond what is finite', '{"tasks": 1e999}', /PACEGATE_METRICS, tasks\)/],
    ['a number in words', '{"tasks": "12"}', /PACEGATE_METRICS, tasks\)/],
    ['an object without a value', '{"tasks": {"unit": "s"}}', /PACEGATE_METRICS, tasks/],
    ['a direction that is none', '{"tasks": {"value": 1, "better": "faster"}}', /PACEGATE_METRICS, tasks/],
    ['a name with spaces', '{"my tasks": 1}', /PACEGATE_METRICS, my tasks\)/],
    ['a name that a table would not survive', '{"a|b": 1}', /PACEGATE_METRICS, a\|b\)/],
    ['an empty name', '{"": 1}', /PACEGATE_METRICS/],
    ['a name without an end', `{"${'x'.repeat(64)}": 1}`, /PACEGATE_METRICS/],
    ...['wall_time_s', 'cpu_time_s', 'max_rss_bytes', 'memory_peak_bytes'].map(
      (name) =>
        [
          `the reserved name ${name}`,
          `{"tasks": 1, "${name}": 1}`,
          new RegExp(`the metric ${name} .*Pacegate measures itself: give it another name`),
        ] as const,
    ),
  ])('that hold %s make the run a failure that names them', (_, business, message) => {
    const result = read({ business });
    expect(result).toMatchObject({ outcome: 'nonzero', metrics: {}, declared: {}, exitStatus: 0 });
    expect(result?.message).toMatch(message);
  });

  test('that name __proto__ are refused by that name, and change no object', () => {
    const result = read({ business: '{"__proto__": {"value": 1}, "tasks": 1}' });
    expect(result).toMatchObject({ outcome: 'nonzero', metrics: {} });
    expect(result?.message).toMatch(/found the name __proto__, which no metric can have/);
    expect(({} as Record<string, unknown>)['value']).toBeUndefined();
  });

  test('that name constructor change no object but their own', () => {
    const result = read({ business: '{"constructor": 2, "tasks": 1}' });
    expect(Object.getPrototypeOf(result?.metrics)).toBe(Object.prototype);
    expect(Object.keys(result?.metrics ?? {}).sort()).toEqual([
      'constructor',
      'cpu_time_s',
      'max_rss_bytes',
      'tasks',
      'wall_time_s',
    ]);
  });

  test('of the largest file fit into the kept part of the answer', () => {
    const worst = '\u0001'.repeat(1 << 20);
    expect(JSON.stringify(answer({ business: worst })).length).toBeLessThan(MAX_ANSWER_BYTES);
    expect(read({ business: worst })?.message?.length).toBeLessThan(2000);
  });
});

test.each([
  ['no output', '', 'message'],
  ['only line breaks', '\n\n', 'message'],
  ['a little', 'a\nb\n', 'message\na\nb'],
  [
    'many lines: the last twelve',
    Array.from({ length: 40 }, (_, n) => `${n}`).join('\n'),
    /^message\n28\n(.*\n){10}39$/,
  ],
  ['one endless line: its last 2000 characters', 'x'.repeat(9000), /^message\nx{2000}$/],
])('a message is followed by the output: %s', (_, output, expected) => {
  expect(withTail('message', output)).toEqual(
    typeof expected === 'string' ? expected : expect.stringMatching(expected),
  );
});
