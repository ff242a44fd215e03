import { markdownTable } from 'markdown-table';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import type { Detail } from './details.ts';
import { code, sentence } from './escape.ts';
import { onlyCodeChanged } from './facts.ts';
import { count, listed, metricWords, pValue, share, sorted } from './verdict-wording.ts';

/** The evidence of a row's verdict. */
function evidenceWords({ evidence, blocks, baseline, head }: Row): string {
  switch (evidence) {
    case 'paired':
      return count(blocks, 'pair');
    case 'stored':
      return count(baseline.n, 'stored night');
    case 'deterministic':
      return 'exact';
    case 'once':
      return 'one build each';
    case 'counted':
      return baseline.n + head.n === 2 ? 'one count each' : `${count(baseline.n, 'count')} each`;
    case 'identical':
      return 'identical images';
    case 'none':
      return '–';
  }
}

/** The figures behind the verdicts, for readers who check them. */
export function evidenceDetails(comparison: Comparison, session?: Session): Detail[] {
  const { rows, family } = comparison;
  const judged = sorted(rows).filter(({ gated, evidence }) => gated && evidence !== 'none');
  const tested = judged.filter(({ evidence }) => evidence === 'paired' || evidence === 'stored');
  // If no row was tested, the table already has everything.
  if (tested.length === 0) return [];
  const known = tested.some(({ detectable }) => detectable !== null);
  const body = judged
    .slice(0, MOST_ROWS)
    .map((row) => [
      code(row.variant),
      sentence(metricWords(row.metric)),
      evidenceWords(row),
      pValue(row, 'p'),
      pValue(row, 'pAdjusted'),
      ...(known ? [row.detectable === null ? '–' : `≥ ${share(row.detectable)}`] : []),
    ]);
  const alone = session === undefined ? [] : onlyCodeChanged(comparison, session);
  const notes = [
    ...(alone.length === 0
      ? []
      : [
          `Interpreter, system and packages are the same on both sides of ${listed(alone)}: only the code changed.`,
        ]),
    `p is the probability that noise alone gives a difference at least as clear in this direction, over all looks at the row. Adjusted p corrects it for ${count(family.tests, 'check')} in one report (Holm). A change needs an adjusted p of ${family.alpha} or less. A row that the first look found unchanged has a p of 1.`,
    ...(known
      ? [
          'Would find: the smallest loss that this gate finds in 80 of 100 cases, given the noise of recent nights on this machine.',
        ]
      : []),
    ...(!known && tested.some(({ evidence }) => evidence === 'paired')
      ? [
          'The smallest loss that this gate would have found is not known yet. To learn it, measure the baseline against itself on this machine (mode: baseline on a schedule).',
        ]
      : []),
    ...(judged.length > MOST_ROWS
      ? [`${judged.length - MOST_ROWS} more rows are in the files of the run.`]
      : []),
  ];
  return [
    {
      title: 'Evidence',
      body: `${markdownTable(
        [['variant', 'metric', 'evidence', 'p', 'adjusted p', ...(known ? ['would find'] : [])], ...body],
        { align: ['l', 'l', 'l', 'r', 'r', 'r'].slice(0, known ? 6 : 5), alignDelimiters: false },
      )}\n\n${notes.map((note) => `- ${sentence(note)}`).join('\n')}`,
    },
  ];
}

const MOST_ROWS = 200;
