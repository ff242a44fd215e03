import { markdownTable } from 'markdown-table';
import { createColors } from 'picocolors';
import type { RankedVariant, Ranking } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { aligned } from './aligned.ts';
import { environmentDetail, failureDetails, imageDetails, noteDetails, type Detail } from './details.ts';
import { noise } from './noise.ts';
import { clip, code, oneLine, printable, sentence, unbroken } from './escape.ts';
import { factsDetail, mixedWarnings } from './facts.ts';
import { folded } from './markdown.ts';
import { minutesDetail } from './method.ts';
import {
  cpuMetric,
  differenceWords,
  methodSentences,
  moveSentences,
  OBSERVED,
  RANK_WORDS,
  rankHeadline,
  rankMetricWords,
  rowOf,
  testedMetrics,
} from './ranking-wording.ts';
import { quantity } from './verdict-wording.ts';
import { duration } from './durations.ts';

/** A table of plain text, with the header as the first row. The first column contains the variants' names. */
interface Table {
  readonly header: readonly string[];
  readonly rows: readonly { readonly variant: RankedVariant; readonly cells: readonly string[] }[];
  readonly align: 'left' | 'right';
}

/** The medians of each variant. Empty columns are left out. */
function figuresTable(ranking: Ranking, { narrow }: { readonly narrow: boolean }): Table {
  const { work } = ranking;
  const metric = (name: string, title: string) => {
    const unit = ranking.metrics.find((one) => one.name === name)?.unit ?? '';
    return {
      title,
      cell: (one: RankedVariant) => {
        const value = rowOf(one, name)?.median ?? null;
        // The column's title already contains the rate's unit.
        return value === null ? '–' : quantity(value, name === 'work_per_minute' ? '' : unit);
      },
    };
  };
  const columns = [
    { title: 'build', cell: ({ build }: RankedVariant) => (build === null ? '–' : duration(build.seconds)) },
    ...(narrow
      ? []
      : [
          {
            title: 'build CPU',
            cell: ({ build }: RankedVariant) => {
              const cpu = build?.cpuSeconds ?? null;
              return cpu === null ? '–' : duration(cpu);
            },
          },
        ]),
    metric('image_size_bytes', 'image'),
    metric('image_compressed_bytes', 'compressed'),
    ...(work === null ? [metric('wall_time_s', 'wall')] : []),
    metric('cpu_time_s', 'CPU'),
    metric('max_rss_bytes', 'memory'),
    metric('work_per_minute', `${work ?? 'runs'}/min`),
    ...(work === null
      ? []
      : [metric('cpu_time_s_per_work', 'CPU/task'), metric('max_rss_bytes_per_work', 'memory/task')]),
    {
      title: 'runs',
      cell: (one: RankedVariant) =>
        String(rowOf(one, cpuMetric(ranking))?.n ?? Math.max(0, ...one.rows.map(({ n }) => n))),
    },
  ];
  return tableOf(ranking, columns, 'right');
}

/** The tested differences from the reference. */
const differencesTable = (ranking: Ranking, metrics: readonly string[]): Table =>
  tableOf(
    ranking,
    metrics.map((name) => ({
      title: rankMetricWords(ranking, name),
      cell: (one: RankedVariant) =>
        one.variant === ranking.reference ? 'reference' : differenceWords(rowOf(one, name)),
    })),
    'left',
  );

/** Properties that always have a column. Others have one if some variant has the property. */
const ALWAYS_SHOWN: ReadonlySet<string> = new Set(['pgo', 'lto']);

/** The observed properties of the interpreters. */
const observedTable = (ranking: Ranking): Table =>
  tableOf(
    ranking,
    [
      {
        title: 'Python',
        always: true,
        cell: ({ python }) => (python === null || python === '' ? '–' : python),
      },
      {
        title: 'system',
        always: true,
        cell: ({ system }) => (system === null || system === '' ? '–' : system),
      },
      ...OBSERVED.filter(
        ([property]) =>
          ALWAYS_SHOWN.has(property) || ranking.variants.some(({ observed }) => observed[property] === 'yes'),
      ).map(([property, title]) => ({
        title,
        always: true,
        cell: ({ observed }: RankedVariant) => {
          const seen = observed[property];
          return seen === undefined || seen === 'unknown' ? '–' : seen;
        },
      })),
    ],
    'left',
  );

interface Column {
  readonly title: string;
  /** Whether to show it for a variant that could not be measured too. */
  readonly always?: boolean;
  readonly cell: (variant: RankedVariant) => string;
}

function tableOf(ranking: Ranking, columns: readonly Column[], align: Table['align']): Table {
  const shown = columns.filter(({ cell }) => ranking.variants.some((one) => cell(one) !== '–'));
  return {
    header: shown.map(({ title }) => title),
    rows: ranking.variants.map((variant) => ({
      variant,
      cells: shown.map(({ cell, always = false }) =>
        always || variant.failure === null ? cell(variant) : '–',
      ),
    })),
    align,
  };
}

const isEmpty = ({ header }: Table) => header.length === 0;

const mark = ({ variant }: RankedVariant, { reference }: Ranking) =>
  variant === reference ? ' (reference)' : '';

/** All figures, with p and the number of pairs. */
function everythingDetail(ranking: Ranking): Detail {
  const header = [
    'variant',
    'metric',
    'median',
    'runs',
    'change (95 % interval)',
    'blocks',
    'p (Holm)',
    'word',
  ];
  const rows = ranking.metrics.flatMap(({ name, unit }) =>
    ranking.variants.flatMap((one) => {
      const row = rowOf(one, name);
      if (row === undefined) return [];
      const { median, n, blocks, p, verdict, reason } = row;
      return [
        [
          code(one.variant),
          sentence(rankMetricWords(ranking, name)),
          quantity(median, sentence(unit)),
          String(n),
          one.variant === ranking.reference ? 'reference' : differenceWords({ ...row, verdict: 'shown' }),
          blocks === 0 ? '–' : String(blocks),
          p === null ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3),
          reason === undefined ? RANK_WORDS[verdict] : `${RANK_WORDS[verdict]}: ${sentence(reason)}`,
        ],
      ];
    }),
  );
  return {
    title: 'All figures',
    body: markdownTable([header, ...rows], {
      align: ['l', 'l', 'r', 'r', 'r', 'r', 'r', 'l'],
      alignDelimiters: false,
    }),
  };
}

const markdownOf = (ranking: Ranking, { header, rows, align }: Table): string =>
  markdownTable(
    [
      ['variant', ...header.map(sentence)],
      ...rows.map(({ variant, cells }) => [
        `${code(variant.variant)}${mark(variant, ranking)}`,
        ...cells.map((cell) => unbroken(sentence(cell))),
      ]),
    ],
    { align: ['l', ...header.map(() => align[0] ?? 'l')], alignDelimiters: false },
  );

/** The ranking without a headline, also for the folded part of a night's report. */
function rankingParts(ranking: Ranking, session: Session): string[] {
  const tested = testedMetrics(ranking).map(({ name }) => name);
  const moves = moveSentences(ranking, sentence, code);
  const figures = figuresTable(ranking, { narrow: false });
  const observed = observedTable(ranking);
  return [
    ...[...ranking.warnings, ...mixedWarnings(session)].map(sentence),
    markdownOf(ranking, figures),
    ...(tested.length === 0
      ? []
      : [
          `Against ${code(ranking.reference)}, with 95 % intervals:`,
          markdownOf(ranking, differencesTable(ranking, tested)),
        ]),
    ...(moves.length === 0 ? [] : [moves.map((move) => `- ${move}`).join('\n')]),
    ...(isEmpty(observed) ? [] : ['Facts of the interpreters:', markdownOf(ranking, observed)]),
    methodSentences(ranking, ranking.sessions.length).map(sentence).join(' '),
  ];
}

/** A night's folded ranking. Its blocks contain all variants, so it needs no further runs. */
export const rankingDetail = (ranking: Ranking, session: Session): Detail => ({
  title: 'The variants against each other',
  body: rankingParts(ranking, session).join('\n\n'),
});

/** A ranking as Markdown. */
export function renderRankingMarkdown(
  ranking: Ranking,
  session: Session,
  remarks: readonly string[] = [],
): string {
  const details = [
    ...failureDetails(session),
    everythingDetail(ranking),
    minutesDetail(session),
    environmentDetail(session),
    ...imageDetails(session),
    ...factsDetail(session),
    ...noteDetails(session),
  ];
  return `${[
    `### ${ranking.variants.some(({ failure }) => failure !== null) ? '❌' : '📏'} Pacegate: ${rankHeadline(ranking, code)}`,
    ...remarks.map(sentence),
    ...rankingParts(ranking, session),
    `Machine during the runs: ${noise(session)}.`,
    ...details.map(folded),
  ].join('\n\n')}\n`;
}

/** The number of difference columns that fit a terminal of 120 columns. */
const DIFFERENCES_BESIDE = 3;

/** The same for a terminal, with the headline last. */
export function renderRankingTerminal(
  ranking: Ranking,
  session: Session,
  { colour, remarks = [] }: { readonly colour: boolean; readonly remarks?: readonly string[] },
): string {
  const { bold, dim, red } = createColors(colour);
  const tested = testedMetrics(ranking).map(({ name }) => name);
  const blocks = Math.ceil(tested.length / DIFFERENCES_BESIDE);
  const beside = Math.ceil(tested.length / Math.max(1, blocks));
  const tables = [
    figuresTable(ranking, { narrow: true }),
    ...Array.from({ length: blocks }, (_, index) =>
      differencesTable(ranking, tested.slice(index * beside, (index + 1) * beside)),
    ),
    observedTable(ranking),
  ].filter((table) => !isEmpty(table));
  const block = (table: Table) => {
    const [header = '', ...rows] = linesOf(ranking, table);
    return [dim(header), ...rows, ''];
  };
  const said = [...ranking.warnings, ...mixedWarnings(session)];
  return [
    ...tables.flatMap(block),
    ...session.failures.flatMap(({ message }) => printable(message).split('\n').slice(0, 20)).map(red),
    ...said.map(oneLine),
    ...moveSentences(ranking, oneLine, oneLine),
    ...methodSentences(ranking, ranking.sessions.length).map((line) => dim(oneLine(line))),
    dim(`machine ${noise(session)}`),
    ...remarks.map((remark) => dim(oneLine(remark))),
    bold(`Pacegate: ${rankHeadline(ranking, oneLine)}`),
    '',
  ].join('\n');
}

function linesOf(ranking: Ranking, { header, rows, align }: Table): readonly string[] {
  const cells = [
    ['variant', ...header.map((title) => clip(oneLine(title), 24))],
    ...rows.map(({ variant, cells: some }) => [
      `${clip(oneLine(variant.variant), 24)}${mark(variant, ranking)}`,
      ...some.map((cell) => clip(oneLine(cell), 40)),
    ]),
  ];
  return aligned(cells, (column) => (column === 0 ? 'left' : align));
}
