import { markdownTable } from 'markdown-table';
import type { Comparison, Row } from '../compare/comparison.ts';
import type { Session } from '../session/session.ts';
import {
  environmentDetail,
  failureDetails,
  imageDetails,
  meaningDetail,
  methodDetail,
  remarkDetails,
  storedDetails,
  type Detail,
} from './details.ts';
import { code, sentence } from './escape.ts';
import { adjustedP, change, headline, metricWords, quantity, SIGNS, sorted, VERDICT_WORDS } from './words.ts';

/** The hidden first line by which a configuration's comment is found again. */
export const markerOf = (configuration: string): string => `<!-- pacegate:${configuration} -->`;

/** GitHub refuses a longer comment. */
export const COMMENT_LIMIT = 65_536;
/** Rows that a reader takes in; the rest is folded. */
const ROWS_SHOWN = 30;

export interface MarkdownOptions {
  /** Hidden first line by which the comment is found again. */
  readonly marker?: string;
  /** Address of the artifact with the raw timings, for what had to be left out. */
  readonly artifactUrl?: string;
  /** Sentences that stand below the headline: no history yet, no permission to comment. */
  readonly remarks?: readonly string[];
}

/**
 * The verdict as Markdown: the pull request's comment and the job's summary.
 *
 * Stays under GitHub's limit for any number of variants: rows are folded, then details are left out whole with a
 * pointer to the artifact, never cut in the middle.
 */
export function renderMarkdown(
  comparison: Comparison,
  session: Session | undefined,
  options: MarkdownOptions = {},
): string {
  const { marker, remarks = [] } = options;
  const rows = sorted(comparison.rows);
  const shown = rows.length <= ROWS_SHOWN ? rows : rows.slice(0, ROWS_SHOWN);
  const start = [
    ...(marker === undefined ? [] : [marker]),
    `### ${SIGNS[comparison.verdict]} Pacegate: ${headline(comparison, code)}`,
    ...[...remarks, ...comparison.warnings].map((remark) => sentence(remark)),
    ...(shown.length === 0 ? [] : [table(shown)]),
  ].join('\n\n');
  const details: Detail[] = [
    ...(session === undefined ? [] : failureDetails(session)),
    ...remarkDetails(comparison),
    meaningDetail(comparison),
    ...(session === undefined ? [] : [methodDetail(comparison, session), environmentDetail(session)]),
    ...(session === undefined ? [] : imageDetails(session)),
    ...storedDetails(comparison),
    ...chunks(rows.slice(shown.length), 100).map((part, index) => ({
      title: `More rows (${part.length}${index === 0 ? '' : `, part ${index + 1}`})`,
      body: table(part),
    })),
  ];
  return withinLimit(start, details, options);
}

/** Adds details while they fit; the note on what was left out has its place kept from the beginning. */
function withinLimit(start: string, details: readonly Detail[], { artifactUrl }: MarkdownOptions): string {
  const where =
    artifactUrl === undefined ? 'the artifact and the files of the run' : `[the artifact](${artifactUrl})`;
  const note = (titles: readonly string[]) =>
    `Left out for GitHub's limit of ${COMMENT_LIMIT} characters: ${titles.join(', ').slice(0, 1000)}. All of it is in ${where}.`;
  const reserve = note(details.map(({ title }) => title)).length + 100;
  let text = start.length + reserve < COMMENT_LIMIT ? start : start.slice(0, start.indexOf('\n\n|'));
  const leftOut: string[] = text === start ? [] : ['the table'];
  for (const detail of details) {
    const part = `\n\n${folded(detail)}`;
    if (text.length + part.length + reserve < COMMENT_LIMIT) text += part;
    else leftOut.push(detail.title);
  }
  if (leftOut.length > 0) text += `\n\n${note(leftOut)}`;
  else if (artifactUrl !== undefined) text += `\n\nRaw timings: [artifact](${artifactUrl})`;
  return `${text}\n`;
}

/** A detail as GitHub folds it. */
export const folded = ({ title, body, open = false }: Detail): string =>
  `<details${open ? ' open' : ''}><summary>${title}</summary>\n\n${body}\n\n</details>`;

function table(rows: readonly Row[]): string {
  const body = rows.map((row) => [
    code(row.variant),
    sentence(metricWords(row.metric)),
    quantity(row.baseline.median, sentence(row.unit)),
    quantity(row.head.median, sentence(row.unit)),
    row.evidence === 'identical' ? 'identical image' : change(row),
    adjustedP(row),
    `${SIGNS[row.verdict]} ${emphasised(row)}`,
  ]);
  return markdownTable(
    [['variant', 'metric', 'baseline', 'head', 'change (95 % interval)', 'adjusted p', 'verdict'], ...body],
    { align: ['l', 'l', 'r', 'r', 'r', 'r', 'l'], alignDelimiters: false },
  );
}

const emphasised = ({ verdict }: Row) =>
  verdict === 'regressed' || verdict === 'failed' ? `**${VERDICT_WORDS[verdict]}**` : VERDICT_WORDS[verdict];

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
