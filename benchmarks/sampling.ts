import { markdownTable } from 'markdown-table';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { containerEngine } from '../src/measure/engines/container.ts';
import type { Engine, RunRequest } from '../src/measure/engine.ts';
import { hostEngine } from '../src/measure/engines/host.ts';
import { resolveInterpreter } from '../src/measure/engines/host-interpreter.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';
import { timelineFile } from '../src/measure/timeline.ts';
import { findCgroup, processTree, type UsageReader } from '../src/measure/usage-sources.ts';
import { SAMPLE_SECONDS } from '../src/measure/usage-watch.ts';
import { docker, LABELS, PYTHON_IMAGE, SESSION } from './docker.ts';
import {
  difference,
  interval,
  measurePairs,
  ratio,
  spread,
  type Contrast,
  type Section,
  type Setting,
} from './paired.ts';

type Quantity = 'wall' | 'cpu' | 'own';

/** A second of work, on a busy machine two: four to eight looks. */
const WORK = 'sum(i * i for i in range(10_000_000))';
const LOOKS = 2000;

/** What the timeline's sampling costs Pacegate's own process, and what it does to the run that it looks at. */
export async function sampling(setting: Setting): Promise<Section> {
  const { signal } = setting;
  const scripts = {
    probe: join(import.meta.dirname, '../src/measure/probe/probe.py'),
    facts: join(import.meta.dirname, '../src/measure/probe/facts.py'),
  };
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-sampling-'));
  const timeline = timelineFile(join(folder, 'timeline.jsonl'), SESSION, folder);
  const container = containerEngine({ sessionId: SESSION, owner: ownerOfThisProcess(), ...scripts });
  const host = hostEngine({ ...scripts, workFolder: folder });
  const python = await resolveInterpreter('python3');
  const id = await docker(['image', 'inspect', '--format', '{{.Id}}', PYTHON_IMAGE]);

  const trial = (engine: Engine, request: RunRequest) => async () => {
    const before = process.cpuUsage();
    const { outcome, message, metrics } = await engine.run(request, signal);
    const own = process.cpuUsage(before);
    signal.throwIfAborted();
    if (outcome !== 'ok') throw new Error(`the run was ${outcome}: ${message ?? ''}`);
    return {
      wall: metrics['wall_time_s'] ?? NaN,
      cpu: metrics['cpu_time_s'] ?? NaN,
      own: (own.user + own.system) / 1000,
    };
  };
  const contrast = (engine: Engine, request: RunRequest): Contrast<Quantity> => ({
    head: trial(timeline.watched(engine), request),
    baseline: trial(engine, request),
  });
  try {
    const load = loadavg()[0] ?? 0;
    const pairsOf = await measurePairs<Quantity>(
      {
        container: contrast(container, work('container', id, 'python', '/')),
        host: contrast(host, work('host', python, python, folder)),
      },
      setting,
    );
    const looks = {
      container: await containerLook(id),
      host: lookMilliseconds(processTree(process.pid).look),
    };
    const places = ['container', 'host'] as const;
    const times = (value: number) => value.toFixed(4);
    const milliseconds = (value: number) => `${value.toFixed(1)} ms`;
    return {
      title: 'The timeline’s sampling',
      body: [
        `A computation of one to two seconds by Pacegate’s engines, with a look each ${SAMPLE_SECONDS} s and without. *Own*: CPU time of Pacegate’s process during the run (\`process.cpuUsage\`), which starts the client and reads its answer in both. One-minute load at the start: ${load.toFixed(1)}.`,
        markdownTable([
          [
            'run',
            'own, sampling',
            'own, not',
            'own, more',
            'workload’s wall time, ratio',
            'workload’s CPU time, ratio',
          ],
          ...places.map((place) => [
            place,
            spread(pairsOf(place), 'head', 'own', milliseconds),
            spread(pairsOf(place), 'baseline', 'own', milliseconds),
            interval(difference(pairsOf(place), 'own'), milliseconds),
            interval(ratio(pairsOf(place), 'wall'), times),
            interval(ratio(pairsOf(place), 'cpu'), times),
          ]),
        ]),
        `One look by itself, CPU time, mean of ${LOOKS} in a row: ${looks.container.toFixed(3)} ms at a container’s cgroup, ${looks.host.toFixed(3)} ms at a process without children; at ${1 / SAMPLE_SECONDS} looks a second ${percent(looks.container)} and ${percent(looks.host)} of a processor.`,
      ],
    };
  } finally {
    await container.cleanUp();
    await host.cleanUp();
    await rm(folder, { recursive: true });
  }
}

const percent = (milliseconds: number) => `${(milliseconds / 10 / SAMPLE_SECONDS).toFixed(3)} %`;

function lookMilliseconds(look: UsageReader): number {
  const before = process.cpuUsage();
  for (let turn = 0; turn < LOOKS; turn++)
    if (look() === undefined) throw new Error('there is nothing to look at');
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / LOOKS;
}

/** The same at the cgroup of a container that idles. */
async function containerLook(image: string): Promise<number> {
  const id = await docker(['run', '--detach', '--rm', ...LABELS, image, 'sleep', '60']);
  try {
    const found = findCgroup(id);
    if (found === undefined) throw new Error(`no cgroup of the container ${id} is in sight`);
    return lookMilliseconds(found.look);
  } finally {
    await docker(['rm', '--force', id]);
  }
}

const work = (
  engine: 'container' | 'host',
  id: string,
  python: string,
  workingDirectory: string,
): RunRequest => ({
  runnable: {
    image: {
      ...{ variant: 'official', side: 'head', engine, identity: id, id },
      ...{ definitionHash: '', layers: [], origin: 'existing' },
    },
    python,
    flags: [],
    env: {},
    workingDirectory,
    filesFrom: '/',
  },
  workload: {
    context: '.',
    dockerfile: undefined,
    files: [],
    command: ['python', '-c', WORK],
    timeoutSeconds: 120,
    env: {},
    network: 'none',
    memoryBytes: undefined,
    pids: 512,
    repetitions: 1,
    instructions: 'none',
    profiler: 'none',
  },
  repetitions: 1,
  hashSeed: 1,
});
