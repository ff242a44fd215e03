/**
 * How often a profile names the function that caused a regression: how often two profiles of one program name a
 * function, how often a planted one is named, and how closely two profiles agree, by either clock of cProfile.
 *
 * `node benchmarks/why.ts --times 25 --write` measures and writes benchmarks/WHY.md. Needs a Docker engine with the
 * official image.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { explain, prominentFunctions } from '../src/diagnosis/explain.ts';
import { containerEngine } from '../src/measure/engines/container.ts';
import type { RunRequest } from '../src/measure/engine.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';
import { profileRun } from '../src/measure/profile/profile-run.ts';
import { profileOf, type Profile } from '../src/session/profile.ts';
import type { Image } from '../src/session/session.ts';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '25' }, write: { type: 'boolean', default: false } },
});
const times = Number(values.times);
const MEASURE = join(import.meta.dirname, '..', 'src', 'measure');
const ORDERS = join(import.meta.dirname, '..', 'fixtures', 'orders');
const CLOCKS = ['cpu', 'time'] as const;
type Clock = (typeof CLOCKS)[number];

const folder = mkdtempSync(join(tmpdir(), 'pacegate-why-'));
const planted = join(folder, 'planted');
cpSync(ORDERS, planted, { recursive: true });
writeFileSync(
  join(planted, 'orders.py'),
  // Three sums in place of one: about a tenth more CPU time without a profiler.
  readFileSync(join(ORDERS, 'orders.py'), 'utf8').replace(
    '    return total(orders)',
    '    total(orders)\n    total(orders)\n    return total(orders)',
  ),
);

const engine = containerEngine({
  sessionId: `why-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(MEASURE, 'probe.py'),
  facts: join(MEASURE, 'facts.py'),
});
const requestOf = (filesFrom: string): Pick<RunRequest, 'runnable' | 'workload'> => ({
  runnable: {
    image: { variant: 'orders', side: 'head', id: 'python:3.13-slim-trixie' } as Image,
    python: 'python',
    flags: [],
    env: {},
    workingDirectory: '/srv',
    filesFrom,
  },
  workload: {
    context: '.',
    dockerfile: undefined,
    files: ['bench.py', 'orders.py'],
    command: ['python', 'bench.py'],
    timeoutSeconds: 120,
    env: {},
    network: 'none',
    memoryBytes: undefined,
    pids: 100,
    repetitions: 1,
    instructions: 'none',
    profiler: 'cprofile',
  },
});

async function profiled(filesFrom: string, kind: Clock): Promise<Profile> {
  const graph = await profileRun(
    engine,
    {
      ...requestOf(filesFrom),
      repetitions: 1,
      longestSeconds: 10,
      profile: { kind, profiler: 'cprofile', scripts: join(MEASURE, 'profiler') },
    },
    new AbortController().signal,
  );
  if (typeof graph === 'string') throw new Error(graph);
  return profileOf(graph);
}

const namedIn = (baseline: Profile, head: Profile, kind: Clock) => {
  const sides = { baseline, head };
  const explained = explain({ variant: 'orders', kind, profiler: 'cprofile', sides, seconds: 0 });
  return explained === undefined ? [] : prominentFunctions(explained).map(({ name }) => name);
};

/** Of each function with a hundredth of the whole, the larger of its two own figures over the smaller. */
const apart = (a: Profile, b: Profile) =>
  a.functions.flatMap(({ file, name, own }) => {
    const other = b.functions.find((one) => one.file === file && one.name === name)?.own ?? 0;
    return Math.min(own, other) < 0.01 * a.own ? [] : [Math.max(own, other) / Math.min(own, other)];
  });

const seen = {
  cpu: { named: 0, found: 0, others: 0, apart: [] as number[] },
  time: { named: 0, found: 0, others: 0, apart: [] as number[] },
};
const load = (loadavg()[0] ?? 0).toFixed(1);
try {
  for (let round = 1; round <= times; round += 1) {
    for (const clock of CLOCKS) {
      const [one, two, more] = [
        await profiled(ORDERS, clock),
        await profiled(ORDERS, clock),
        await profiled(planted, clock),
      ];
      const names = namedIn(two, more, clock);
      const counts = seen[clock];
      counts.named += namedIn(one, two, clock).length > 0 ? 1 : 0;
      counts.found += names.includes('total') ? 1 : 0;
      counts.others += names.some((name) => name !== 'total') ? 1 : 0;
      counts.apart.push(Math.max(...apart(one, two)));
    }
    process.stderr.write(`${round}/${times}\n`);
  }
} finally {
  await engine.cleanUp();
  rmSync(folder, { recursive: true });
}

const table = markdownTable([
  [
    'cProfile by',
    'same program twice: a function is named',
    'planted: the function is named',
    'planted: another function is named too',
    'largest ratio of a function in two profiles of one program: median (largest)',
  ],
  ...CLOCKS.map((clock) => {
    const { named, found, others, apart: ratios } = seen[clock];
    return [
      clock === 'cpu' ? 'CPU clock' : 'wall clock',
      ...[named, found, others].map((n) => `${n} of ${times}`),
      `× ${median(ratios).toFixed(2)} (${Math.max(...ratios).toFixed(2)})`,
    ];
  }),
]);
const text = `# How often a profile names the right function

${new Date().toISOString().slice(0, 10)}; ${cpus()[0]?.model ?? ''}, ${cpus().length} cores, kernel ${release()}, one-minute load ${load}.
\`node benchmarks/why.ts --times ${times} --write\` measures again. The program is \`fixtures/orders\` in the official image;
the planted change calls a function three times instead of once, which adds about a tenth of the program's CPU time.

${table}
`;
process.stdout.write(text);
if (values.write) writeFileSync(join(import.meta.dirname, 'WHY.md'), text);
