import { markdownTable } from 'markdown-table';
import { join } from 'node:path';
import { containerEngine } from '../src/measure/engines/container.ts';
import { runArguments } from '../src/measure/engines/container-arguments.ts';
import type { RunRequest } from '../src/measure/engine.ts';
import { ownerOfThisProcess } from '../src/process/owner.ts';
import { docker, LABELS, PYTHON_IMAGE, SESSION } from './docker.ts';
import { atMost, interval, measurePairs, ratio, spread, type Section, type Setting } from './paired.ts';

const AIM = 1.05;

const PACEGATE = 'Pacegate / plain';
const PACEGATE_ISOLATED = 'Pacegate / isolated';
const ISOLATION = 'isolated / plain';

/** How long a whole run of a command of one second takes, against the docker client alone. */
export async function wholeRun(setting: Setting): Promise<Section> {
  const { signal } = setting;
  const options = {
    sessionId: SESSION,
    owner: ownerOfThisProcess(),
    probe: join(import.meta.dirname, '../src/measure/probe/probe.py'),
    facts: join(import.meta.dirname, '../src/measure/probe/facts.py'),
  };
  const id = await docker(['image', 'inspect', '--format', '{{.Id}}', PYTHON_IMAGE]);
  const request = sleepOneSecond(id);
  const engine = containerEngine(options);
  const pacegate = timed(async () => {
    const { outcome, message } = await engine.run(request, signal);
    signal.throwIfAborted();
    if (outcome !== 'ok') throw new Error(`the run was ${outcome}: ${message ?? ''}`);
  });
  const client = (words: readonly string[]) =>
    timed(async () => {
      await docker([...words, id, ...request.workload.command], { signal });
    });
  const plain = client(['run', '--rm', ...LABELS]);
  const words = runArguments(request, `pacegate-${SESSION}`, options);
  // What comes before the first mount isolates; what comes after brings the probe along.
  const isolated = client(words.slice(0, words.indexOf('--mount')));

  try {
    const pairsOf = await measurePairs(
      {
        [PACEGATE]: { head: pacegate, baseline: plain },
        [PACEGATE_ISOLATED]: { head: pacegate, baseline: isolated },
        [ISOLATION]: { head: isolated, baseline: plain },
      },
      setting,
    );
    return {
      title: 'A whole run of one second',
      body: [
        'From the start of the docker client to its end. *Pacegate*: `sleep 1` by its container engine, including the probe, the isolation and reading the answer. *Plain*: `docker run --rm` of the same command and image, with no options except the labels for the clean-up. *Isolated*: the same with Pacegate’s options that isolate a run (no network, no capabilities, no log…).',
        'The command is a sleep because it takes the same time in every run, even on a busy machine. The differences are then those of the work around the command.',
        markdownTable([
          ['first / second', 'first', 'second', 'ratio'],
          ...[PACEGATE, PACEGATE_ISOLATED, ISOLATION].map((name) => [
            name,
            spread(pairsOf(name), 'head', 'seconds', seconds),
            spread(pairsOf(name), 'baseline', 'seconds', seconds),
            interval(ratio(pairsOf(name), 'seconds'), (value) => value.toFixed(3)),
          ]),
        ]),
        `Aim: Pacegate / plain at most ${AIM}: **${atMost(AIM, ratio(pairsOf(PACEGATE), 'seconds'))}**.`,
      ],
    };
  } finally {
    await engine.cleanUp();
  }
}

const seconds = (value: number) => `${value.toFixed(3)} s`;

const timed = (run: () => Promise<void>) => async () => {
  const started = performance.now();
  await run();
  return { seconds: (performance.now() - started) / 1000 };
};

const sleepOneSecond = (id: string): RunRequest => ({
  runnable: {
    image: {
      variant: 'official',
      side: 'head',
      engine: 'container',
      identity: id,
      id,
      definitionHash: '',
      layers: [],
      origin: 'existing',
    },
    python: 'python',
    flags: [],
    env: {},
    workingDirectory: '/',
    filesFrom: '/',
  },
  workload: {
    context: '.',
    dockerfile: undefined,
    files: [],
    command: ['sleep', '1'],
    timeoutSeconds: 60,
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
