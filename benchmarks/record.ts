/**
 * Records paired sessions of real containers whose truth is known, for the benchmark of the decision to replay:
 *
 *   aa       the same service twice: two images that differ in a label
 *   plusN    the head's service slower, so that wall and CPU time of the whole run are N % higher
 *
 * `node benchmarks/record.ts --calibrate 50` measures what a pass over a batch costs, from which ROUNDS below comes;
 * `node benchmarks/record.ts --rounds 20` records, and goes on with the first session that is missing. Needs a Docker
 * engine with debian:trixie-slim.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { shuffle } from 'simple-statistics';
import { fixedPlanner } from '../src/planning/planner.ts';
import { newSessionId } from '../src/measure/session-id.ts';
import { containerEngine } from '../src/measure/engines/container.ts';
import type { Engine, Runnable, RunResult } from '../src/measure/engine.ts';
import { measureSession, type LoopResult } from '../src/measure/loop.ts';
import { thisMachine } from '../src/measure/machine/machine.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';
import { resolvePlan } from '../src/plan/resolve.ts';
import type { Run, Side } from '../src/session/run.ts';
import { lastAttempts, TIMINGS_COLUMNS } from '../src/session/timings.ts';
import { hodgesLehmann } from '../src/statistics/hodges-lehmann.ts';
import { docker } from './docker.ts';

const TOP = join(import.meta.dirname, '..');
const SERVICE = join(TOP, 'fixtures/timeseries');
const VARIANT = 'debian';
const BLOCKS = 30;
const METRICS = ['wall_time_s', 'cpu_time_s', 'max_rss_bytes'];
/** Much computing and little else: what surrounds it is the noisier part of a run. */
const COMMAND = 'python bench.py --processes 1 --threads 1 --tasks 4 --files 1 --file-kib 4'.split(' ');

const NORMAL_ROUNDS = 2000;
/** Passes over a batch in the head, see fixtures/recordings/README.md for where they come from. */
const ROUNDS = { aa: NORMAL_ROUNDS, plus3: 2072, plus5: 2119, plus10: 2239 } as const;
type Kind = keyof typeof ROUNDS;
/** One round of the recording: kinds alternate, so that what the machine does in an hour falls on all of them. */
const KINDS: readonly Kind[] = ['aa', 'plus3', 'aa', 'plus5', 'aa', 'plus10'];
const CALIBRATION_ROUNDS = [NORMAL_ROUNDS / 2, NORMAL_ROUNDS, (NORMAL_ROUNDS * 3) / 2] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    calibrate: { type: 'string' },
    seed: { type: 'string', default: '20261124' },
    /** What `docker run` is told besides, as `--run-options='--cpuset-cpus 1'`. */
    'run-options': { type: 'string' },
    out: { type: 'string', default: join(TOP, 'fixtures/recordings') },
  },
});

const plan = resolvePlan({
  text: JSON.stringify({
    version: 1,
    workload: { context: '.', files: ['bench.py'], command: COMMAND, timeout: '60s', repetitions: 1 },
    variants: { [VARIANT]: { interpreter: 'debian' } },
    rules: { blocks: BLOCKS },
  }),
  file: 'record.ts',
  root: SERVICE,
});

/** The head of a kind, or the baseline of all of them, as Pacegate builds them. @returns the image's id */
async function build(name: string, rounds: number, folder: string): Promise<string> {
  const context = join(folder, name);
  cpSync(SERVICE, context, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  const file = join(context, 'service/aggregate.py');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^ROUNDS = \d+$/m, `ROUNDS = ${rounds}`));
  const tag = `pacegate-recording:${name}`;
  const from = ['--build-context', 'python=docker-image://pacegate-recording:interpreter'];
  const dockerfile = join(TOP, 'variants/application/Dockerfile');
  const label = ['--label', `org.pacegate.recording=${name}`];
  await docker(['buildx', 'build', '--load', ...from, '--file', dockerfile, ...label, '--tag', tag, context]);
  return await docker(['image', 'inspect', '--format', '{{.Id}}', tag]);
}

const runnable = (side: Side, id: string): Runnable => ({
  image: {
    ...{ variant: VARIANT, side, engine: 'container', identity: id, id, definitionHash: '' },
    ...{ layers: [], origin: 'built' },
  },
  python: 'python',
  flags: [],
  env: {},
  workingDirectory: '/app',
  filesFrom: SERVICE,
});

/** Puts a docker client in front of the real one that tells each run more. */
function addRunOptions(options: string, folder: string): void {
  const path = process.env['PATH'] ?? '';
  const real = path.split(delimiter).find((place) => existsSync(join(place, 'docker')));
  if (real === undefined) throw new Error('docker: not found in the PATH');
  const client = join(folder, 'docker');
  writeFileSync(
    client,
    `#!/bin/sh\n[ "$1" != run ] || { shift; set -- run ${options} "$@"; }\nexec ${join(real, 'docker')} "$@"\n`,
  );
  chmodSync(client, 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
}

/** What a pass over a batch adds to a run, and what it has to be for a loss: from interleaved runs. */
async function calibrate(passes: number, engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  const samples = new Map<number, RunResult['metrics'][]>(CALIBRATION_ROUNDS.map((rounds) => [rounds, []]));
  for (let pass = 0; pass <= passes; pass++)
    for (const rounds of shuffle([...CALIBRATION_ROUNDS])) {
      const command = [...COMMAND, '--rounds', String(rounds)];
      const result = await engine.run(
        {
          runnable: runnable('head', id),
          workload: { ...plan.workload, command },
          repetitions: 1,
          hashSeed: pass + 1,
        },
        signal,
      );
      if (result.outcome !== 'ok') throw new Error(result.message);
      // The first pass is the warm-up.
      if (pass > 0) samples.get(rounds)?.push(result.metrics);
    }
  const [low, normal, high] = CALIBRATION_ROUNDS;
  for (const metric of METRICS.slice(0, 2)) {
    const at = (rounds: number) => (samples.get(rounds) ?? []).map((metrics) => metrics[metric] ?? NaN);
    const whole = hodgesLehmann(at(normal), 0.95);
    const lows = at(low);
    const slope = hodgesLehmann(
      at(high).map((value, index) => (value - (lows[index] ?? NaN)) / (high - low)),
      0.95,
    );
    const curvature = hodgesLehmann(
      at(high).map((value, index) => (value + (lows[index] ?? NaN)) / 2 - (at(normal)[index] ?? NaN)),
      0.95,
    );
    console.log(metric, { whole, slope, curvature, share: (slope.centre * normal) / whole.centre });
    for (const loss of [0.03, 0.05, 0.1])
      console.log(`  +${loss * 100} %: ROUNDS = ${normal + (loss * whole.centre) / slope.centre}`);
  }
}

interface Gate {
  readonly session: string;
  readonly kind: Kind;
}

/** The gates in their order: `aa-01`, `plus3-01`, `aa-02`… */
function gates(rounds: number): readonly Gate[] {
  const count = new Map<Kind, number>();
  return Array.from({ length: rounds }, () => KINDS)
    .flat()
    .map((kind) => {
      const number = (count.get(kind) ?? 0) + 1;
      count.set(kind, number);
      return { kind, session: `${kind}-${String(number).padStart(2, '0')}` };
    });
}

const seedOf = (session: string): number =>
  createHash('sha256').update(`${values.seed}:${session}`).digest().readUInt32BE() >>> 1;

/** Seconds or bytes; what is below a microsecond is no measurement. */
const rounded = (value: number, digits = 6): number => Number(value.toFixed(digits));

const timings = (session: string, runs: readonly Run[]): string =>
  lastAttempts(runs)
    .flatMap(({ side, variant, block, position, metrics, outcome }) =>
      METRICS.map(
        (metric) =>
          `${[session, side, variant, block, position, metric, rounded(metrics[metric] ?? NaN), outcome].join(',')}\n`,
      ),
    )
    .join('');

const SESSION_COLUMNS =
  'session,started,seconds,seed,repeated_runs,load_1m,load_1m_max,steal_s,cpu_pressure_s';

function sessionLine({ session }: Gate, began: Date, { warmup, runs }: LoopResult): string {
  const noise = [...warmup, ...runs].map((run) => run.noise);
  const load = noise.map(({ load_1m }) => load_1m ?? NaN);
  const sum = (of: (index: number) => number | undefined) =>
    rounded(noise.reduce((total, _, index) => total + (of(index) ?? 0), 0));
  return `${[
    ...[session, began.toISOString(), rounded((Date.now() - began.getTime()) / 1000), seedOf(session)],
    runs.length - lastAttempts(runs).length,
    ...[load[0] ?? NaN, Math.max(...load)].map((value) => rounded(value, 2)),
    sum((index) => noise[index]?.steal_s),
    sum((index) => noise[index]?.cpu_pressure_s),
  ].join(',')}\n`;
}

async function record(gate: Gate, engine: Engine, images: ReadonlyMap<string, string>, signal: AbortSignal) {
  const began = new Date();
  const id = (name: string) => images.get(name) ?? '';
  const result = await measureSession(
    {
      plan,
      seed: seedOf(gate.session),
      variants: [
        {
          variant: VARIANT,
          sides: { baseline: runnable('baseline', id('baseline')), head: runnable('head', id(gate.kind)) },
        },
      ],
      secondsLeft: 3600,
      engines: { container: engine, host: engine },
      journal: {
        append: () => Promise.resolve(),
        describe: () => Promise.resolve(),
        trouble: () => undefined,
        close: () => Promise.resolve(),
      },
      pause: async () => await Promise.resolve(),
      clock: () => new Date(),
      onProgress: (event) => {
        if (event.kind === 'repeat' || event.kind === 'dropped') console.log(gate.session, event);
      },
      planner: fixedPlanner(BLOCKS),
    },
    signal,
  );
  signal.throwIfAborted();
  // Half a session would be a sample of another kind: none is kept, and the next start makes it anew.
  if (result.failures.length > 0) throw new Error(result.failures[0]?.message);
  append(`${gate.kind}.csv`, TIMINGS_COLUMNS.join(','), timings(gate.session, result.runs));
  append('sessions.csv', SESSION_COLUMNS, sessionLine(gate, began, result));
  const seconds = (Date.now() - began.getTime()) / 1000;
  console.log(`${new Date().toISOString()} ${gate.session}: ${seconds.toFixed(1)} s`);
}

/** Adds lines to a file that begins with its header. */
function append(name: string, header: string, lines: string): void {
  const file = join(values.out, name);
  appendFileSync(file, existsSync(file) ? lines : `${header}\n${lines}`);
}

function isRecorded({ session, kind }: Gate): boolean {
  const file = join(values.out, `${kind}.csv`);
  return existsSync(file) && readFileSync(file, 'utf8').includes(`\n${session},`);
}

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());

const folder = mkdtempSync(join(tmpdir(), 'pacegate-record-'));
const engine = containerEngine({
  sessionId: newSessionId(new Date()),
  owner: ownerOfThisProcess(),
  probe: join(TOP, 'src/measure/probe/probe.py'),
  facts: join(TOP, 'src/measure/probe/facts.py'),
});
try {
  mkdirSync(values.out, { recursive: true });
  await docker(['build', '--tag', 'pacegate-recording:interpreter', join(TOP, 'variants/debian')]);
  const images = new Map<string, string>();
  for (const [name, rounds] of Object.entries({ baseline: NORMAL_ROUNDS, ...ROUNDS }))
    images.set(name, await build(name, rounds, folder));
  if (values['run-options'] !== undefined) addRunOptions(values['run-options'], folder);
  console.log(await thisMachine(`Docker ${await docker(['version', '--format', '{{.Server.Version}}'])}`));
  console.log(images);
  if (values.calibrate !== undefined)
    await calibrate(Number(values.calibrate), engine, images.get('baseline') ?? '', interrupt.signal);
  else
    for (const gate of gates(Number(values.rounds)))
      if (!isRecorded(gate)) await record(gate, engine, images, interrupt.signal);
} catch (error) {
  if (!interrupt.signal.aborted) throw error;
  console.error('Cancelled; the same command goes on with the session that it was in.');
  process.exitCode = 130;
} finally {
  await engine.cleanUp();
  rmSync(folder, { recursive: true, force: true });
}
