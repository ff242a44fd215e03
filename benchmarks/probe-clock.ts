import { markdownTable } from 'markdown-table';
import { join } from 'node:path';
import { z } from 'zod';
import { readProbeAnswer } from '../src/measure/probe/probe-answer.ts';
import { runCommand } from '../src/process/command.ts';
import type { Estimate } from '../src/statistics/hodges-lehmann.ts';
import { docker, LABELS, PYTHON_IMAGE, SESSION } from './docker.ts';
import {
  difference,
  interval,
  measurePairs,
  ratio,
  spread,
  type Answer,
  type Contrast,
  type Section,
  type Setting,
} from './paired.ts';

const AIM = 0.01;
/** An aim of 1 % needs more pairs than one of 5 %. */
const PAIRS_FACTOR = 5;

const NAME = `pacegate-${SESSION}`;
const DOCKERFILE = `FROM ${PYTHON_IMAGE}
RUN apt-get update && apt-get install --yes --no-install-recommends hyperfine
`;

/** Computing, about half a second; waiting as long, which no busy neighbour lengthens; and nearly nothing. */
const COMMANDS = {
  compute: ['python', '-c', 'sum(i * i for i in range(6_000_000))'],
  wait: ['python', '-c', 'import time; time.sleep(0.5)'],
  nothing: ['true'],
} as const;

/** The wall time that the probe measures against hyperfine's, both inside one container. */
export async function probeClock({ pairs, ...setting }: Setting): Promise<Section> {
  const { signal } = setting;
  try {
    await docker(['build', '--quiet', '--tag', NAME, ...LABELS, '-'], { input: DOCKERFILE, signal });
    await docker(
      [
        ...['run', '--detach', '--rm', '--name', NAME, ...LABELS, '--network', 'none'],
        ...['--mount', `type=bind,src=${PROBE},dst=/probe.py,readonly`, NAME, 'sleep', 'infinity'],
      ],
      { signal },
    );
    const contrasts = Object.fromEntries(
      Object.entries(COMMANDS).map(([name, command]) => [name, clocks(command, signal)]),
    );
    const pairsOf = await measurePairs(contrasts, { pairs: pairs * PAIRS_FACTOR, ...setting });
    const rows = Object.entries(COMMANDS).map(([name, command]) => {
      const measured = pairsOf(name);
      return [
        `\`${command.join(' ')}\``,
        spread(measured, 'head', 'seconds', milliseconds),
        spread(measured, 'baseline', 'seconds', milliseconds),
        interval(ratio(measured, 'seconds'), (value) => value.toFixed(4)),
        interval(difference(measured, 'seconds'), milliseconds),
        name === 'nothing' ? '' : aroundOne(ratio(measured, 'seconds')),
      ];
    });
    return {
      title: 'The probe’s wall time and hyperfine’s',
      body: [
        `${pairs * PAIRS_FACTOR} pairs of each command, all in one container: a run by \`probe.py\` and one by \`hyperfine --runs 1 --shell=none\`, each started by a \`docker exec\` of its own, 0.2 s after it began, with the same hash seed.`,
        'Both clocks are monotonic. Hyperfine measures from its spawn of the command to the end of that one process. The probe measures from the child’s exec, without the fork of a Python process, to the end of the command _and all its descendants_.',
        `Aim: the interval of the ratio contains 1 and lies within ${AIM * 100} % of it. The first command is a typical workload. The second takes the same time on a busy machine as on an idle one, so it compares the clocks more exactly. The third is almost only its start, so its difference is the time that only one of the clocks includes.`,
        markdownTable([['command', 'probe', 'hyperfine', 'ratio', 'difference', 'aim'], ...rows]),
      ],
    };
  } finally {
    // Neither need be there yet.
    await runCommand('docker', ['rm', '--force', NAME]);
    await runCommand('docker', ['image', 'rm', '--force', NAME]);
  }
}

/** The engine is still busy when an exec begins, which the quicker starter of the two would meet alone. */
const IDLE_FIRST = ['sh', '-c', 'sleep 0.2; exec "$@"', 'sh'];
const PROBE = join(import.meta.dirname, '../src/measure/probe/probe.py');
const milliseconds = (value: number) => `${(value * 1000).toFixed(1)} ms`;

function clocks(command: readonly string[], signal: AbortSignal): Contrast<'seconds'> {
  const inside =
    (words: readonly string[]) =>
    async ({ hashSeed }: { hashSeed: number }) =>
      await docker(['exec', '--env', `PYTHONHASHSEED=${hashSeed}`, NAME, ...IDLE_FIRST, ...words], {
        signal,
      });
  const probe = inside([...['python', '-I', '-S', '/probe.py', 'run', '--contained', '--'], ...command]);
  const hyperfine = inside([
    ...['hyperfine', '--runs', '1', '--shell=none', '--style', 'none', '--export-json', '-'],
    command.map((word) => `'${word}'`).join(' '),
  ]);
  return {
    head: async (pair) => {
      const answer = readProbeAnswer({ status: 0, stdout: await probe(pair), stderr: '' });
      return { seconds: z.number().parse(answer?.metrics['wall_time_s']) };
    },
    baseline: async (pair) => {
      const { results } = exportSchema.parse(JSON.parse(await hyperfine(pair)));
      return { seconds: results[0].mean };
    },
  };
}

const exportSchema = z.object({ results: z.tuple([z.object({ mean: z.number() })]) });

function aroundOne({ low, high }: Estimate): Answer {
  if (low === null || high === null) return 'undecided';
  if (low > 1 || high < 1) return 'missed';
  return low >= 1 - AIM && high <= 1 + AIM ? 'met' : 'undecided';
}
