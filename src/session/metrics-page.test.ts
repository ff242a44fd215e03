import { test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { expectGenerated } from '../github/generated.test-support.ts';
import { DESCRIBED_METRICS, type DescribedMetric } from './metric.ts';
import { metricWords } from './metric-words.ts';
import { wrapped } from './wrapped.test-support.ts';

/** The generated part of docs/metrics.md; UPDATE_GOLDEN=1 writes it. */

const GROUPS: readonly (readonly [string, (metric: DescribedMetric) => boolean])[] = [
  ['Metrics of a run', ({ of, what }) => of === 'run' && !what.includes('Servers only')],
  ['Metrics of a server', ({ of, what }) => of === 'run' && what.includes('Servers only')],
  ['Instructions under valgrind', ({ of }) => of === 'count'],
  ['Metrics of an image and its build', ({ of }) => of === 'image' || of === 'build'],
];

const percent = (fraction: number) => `${Math.round(fraction * 1000) / 10} %`;

const judged = ({ gate, kind }: DescribedMetric) =>
  gate ? 'yes' : kind === 'counted' ? 'when it is counted' : 'no';

function overview(): string {
  const rows = DESCRIBED_METRICS.map((metric) => [
    `[\`${metric.name}\`](#${metric.name})`,
    metricWords(metric.name),
    metric.unit,
    judged(metric),
    percent(metric.limit),
  ]);
  return markdownTable([['metric', 'name in reports', 'unit', 'judged', 'limit'], ...rows]);
}

const entry = ({ name, what, misleads }: DescribedMetric) =>
  [
    `#### \`${name}\`\n`,
    wrapped(`- **Measured:** ${what}`, '  '),
    wrapped(`- **Misleads:** ${misleads}`, '  '),
  ].join('\n');

test('docs/metrics.md has every metric of the code', () => {
  const groups = GROUPS.map(
    ([title, belongs]) => `### ${title}\n\n${DESCRIBED_METRICS.filter(belongs).map(entry).join('\n\n')}`,
  );
  expectGenerated('docs/metrics.md', 'metrics', `${overview()}\n\n${groups.join('\n\n')}`);
});
