import { markdownTable } from 'markdown-table';
import { join } from 'node:path';
import { docker, LABELS, PYTHON_IMAGE, SESSION } from './docker.ts';
import { atMost, difference, interval, measurePairs, spread, type Section, type Setting } from './paired.ts';

/** Of one processor. */
const AIM = 0.005;
const SECONDS = 4;
const NAME = `pacegate-samples-${SESSION}`;
const PROBE = join(import.meta.dirname, '../src/measure/probe/probe.py');

/** A probe that takes its samples every so many seconds. */
const PROBING = `
import sys
sys.path.insert(0, '/')
import probe
probe.SAMPLE_SECONDS = float(sys.argv[1])
probe.main(['run', '--contained', '--', 'sleep', '${SECONDS}'])
`;

/** The CPU time of such a probe and all below it, as the process above them is told by the kernel. */
const CPU = `
import resource, subprocess, sys
words = [sys.executable, '-I', '-S', '-c', sys.argv[1], sys.argv[2]]
subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime)
`;

/** What the probe's samples of anonymous memory cost: a run with them against one without, in one container. */
export async function anonymousMemory(setting: Setting): Promise<Section> {
  const { signal } = setting;
  try {
    await docker(
      [
        ...['run', '--detach', '--rm', '--name', NAME, ...LABELS, '--network', 'none'],
        ...['--mount', `type=bind,src=${PROBE},dst=/probe.py,readonly`, PYTHON_IMAGE, 'sleep', 'infinity'],
      ],
      { signal },
    );
    const every = (seconds: number) => async () => ({
      share:
        Number(await docker(['exec', NAME, 'python', '-c', CPU, PROBING, String(seconds)], { signal })) /
        SECONDS,
    });
    const pairsOf = await measurePairs({ samples: { head: every(0.05), baseline: every(3600) } }, setting);
    const pairs = pairsOf('samples');
    const more = difference(pairs, 'share');
    return {
      title: 'The probe’s samples of anonymous memory',
      body: [
        `CPU time of the probe and its workload, \`sleep ${SECONDS}\`, over these seconds; once with a sample every 50 ms and once with none. A sleep leaves the processor’s caches to others, so that each sample is as dear as it gets.`,
        markdownTable([
          ['with', 'without', 'difference'],
          [
            spread(pairs, 'head', 'share', percent),
            spread(pairs, 'baseline', 'share', percent),
            interval(more, percent),
          ],
        ]),
        `Aim: at most ${percent(AIM)} of one processor: **${atMost(AIM, more)}**.`,
      ],
    };
  } finally {
    await docker(['rm', '--force', NAME]);
  }
}

const percent = (value: number) => `${(value * 100).toFixed(2)} %`;
