import { markdownTable } from 'markdown-table';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import {
  environmentDetail,
  failureDetails,
  imageDetails,
  meaningDetail,
  remarkDetails,
  storedDetails,
  type Detail,
} from './details.ts';
import { confirmationWords } from './confirmation.ts';
import { code, sentence, unbroken } from './escape.ts';
import { evidenceDetails } from './evidence.ts';
import { factsDetail, alsoChanged } from './facts.ts';
import { headline, lead, restOf } from './headline.ts';
import { historyDetails } from './history.ts';
import { methodDetail, minutesDetail } from './method.ts';
import { notJudged } from './not-judged.ts';
import { partsDetail } from './merged-jobs.ts';
import { probableWords } from './probable-loss.ts';
import { confidence, sentences, type RowSentence } from './row-sentences.ts';
import { whyDetails, whySentences } from './why.ts';
import { change, judgedMetric, quantity, SIGNS, sorted, VERDICT_WORDS } from './verdict-wording.ts';

/** The hidden first line that identifies a configuration's comment. */
export const markerOf = (configuration: string): string => `<!-- pacegate:${configuration} -->`;

/** GitHub rejects a longer comment. */
export const COMMENT_LIMIT = 65_536;
/** The number of visible rows; further ones are folded. */
const ROWS_SHOWN = 30;
/** With more judged rows than this, the unchanged ones are folded. */
const ROWS_AT_A_GLANCE = 12;
/** The number of visible sentences about removed measuring code, so that many of them do not hide the table. */
const NEWS_SHOWN = 12;
/** The number of visible sentences below the table; further ones are folded. */
const SENTENCES_SHOWN = 6;
/** Verdicts that need a sentence. For the others the table's row is enough. */
const TOLD_OPENLY: ReadonlySet<Row['verdict']> = new Set([
  'failed',
  'regressed',
  'no_data',
  'incomparable',
  'no_baseline',
  'warning',
  'over_limit',
]);

export interface MarkdownOptions {
  /** The hidden first line that identifies the comment. */
  readonly marker?: string | undefined;
  /** The address of the artifact with the raw timings, for details that are left out. */
  readonly artifactUrl?: string | undefined;
  /** Sentences below the headline, such as a missing history or a missing permission to comment. */
  readonly remarks?: readonly string[];
  /** The maximum number of characters. Defaults to a comment's. */
  readonly limit?: number;
  /** The sessions of several jobs that were judged together, if there are several. */
  readonly parts?: readonly Session[];
}

/**
 * Renders the verdict as Markdown, for the pull request's comment and the job's summary.
 *
 * Stays under GitHub's limit for any number of variants: it folds rows, then leaves out whole details and links to the
 * artifact. It never cuts a detail.
 */
export function renderMarkdown(
  comparison: Comparison,
  session: Session | undefined,
  options: MarkdownOptions = {},
): string {
  const rows = divided(comparison.rows);
  const said = sentences(comparison, { name: code, text: sentence });
  const below = said
    .filter(({ verdict, probableLoss }) => probableLoss || TOLD_OPENLY.has(verdict))
    .slice(0, SENTENCES_SHOWN);
  const folds = said.filter((one) => !below.includes(one));
  const open = [
    ...(rows.shown.length === 0 ? [] : [table(rows.shown, session?.rules)]),
    ...belowTable(comparison, session, rows.shown, below).map(figures),
  ];
  return withinLimit(
    figures(aboveTable(comparison, session, options)),
    open,
    foldedDetails(comparison, session, rows, folds, options.parts ?? []),
    options,
  );
}

/** With no row compared the notes contain the reason, so they are visible. */
const areNotesOpen = ({ verdict }: Comparison) => verdict === 'no_baseline' || verdict === 'incomparable';

function aboveTable(
  comparison: Comparison,
  session: Session | undefined,
  { marker, remarks = [] }: MarkdownOptions,
): string {
  const notes = areNotesOpen(comparison) ? (session?.notes ?? []) : [];
  const [stops, ...rest] = lead(comparison, session, 'job');
  return [
    ...(marker === undefined ? [] : [marker]),
    `### ${SIGNS[comparison.verdict]} Pacegate${ofSeveral(session)}: ${headline(comparison, code)}`,
    ...measuringNews(comparison),
    ...(stops === undefined ? [] : [[`**${sentence(stops)}**`, ...rest.map(sentence)].join(' ')]),
    ...[...remarks, ...comparison.warnings, ...notes.map(ended)].map((remark) => sentence(remark)),
  ].join('\n\n');
}

function belowTable(
  comparison: Comparison,
  session: Session | undefined,
  shown: readonly Row[],
  below: readonly RowSentence[],
): string[] {
  return [
    ...(below.length === 0 ? [] : [bullets(below)]),
    ...whySentences(comparison, session, { name: code, text: sentence }).map((text) =>
      text.replace(/^Why/, '**Why**'),
    ),
    // These differences change how the verdict reads, so they are visible.
    ...alsoChanged(comparison, session, code, sentence).map((text) =>
      text.replace(/^Not only your code moved/, '**$&**'),
    ),
    ...(confidence(comparison) === '' ? [] : [confidence(comparison)]),
    ...restOf(comparison, session),
    ...(shown.some(({ evidence }) => evidence === 'stored')
      ? ['The baseline is the median of the nights stored for this machine; only the head ran here.']
      : []),
  ];
}

/** In the order in which they are kept where not all of them fit. */
function foldedDetails(
  comparison: Comparison,
  session: Session | undefined,
  { shown, more, unchanged, info }: Divided,
  said: readonly RowSentence[],
  parts: readonly Session[],
): Detail[] {
  const rules = session?.rules;
  const jobs = Math.max(1, parts.length);
  return [
    ...(session === undefined ? [] : failureDetails(session)),
    ...(session === undefined ? [] : whyDetails(comparison, session)),
    ...saidDetails(said),
    ...tables(shown.length === 0 ? 'Rows' : 'More rows', more, rules),
    ...tables('Unchanged', unchanged, rules),
    ...notJudged(info).flatMap(({ title, rows }) => tables(title, rows, rules)),
    ...remarkDetails(comparison, areNotesOpen(comparison) ? [] : (session?.notes ?? [])),
    meaningDetail(comparison),
    ...evidenceDetails(comparison, session),
    ...(session === undefined
      ? []
      : [
          methodDetail(comparison, session, jobs),
          ...(jobs > 1 ? [partsDetail(parts)] : [minutesDetail(session), environmentDetail(session)]),
          ...imageDetails(session),
          ...factsDetail(session),
        ]),
    ...storedDetails(comparison),
    ...(session === undefined ? [] : historyDetails(session)),
  ];
}

/** The configuration's name, if it is not the default one. */
const ofSeveral = (session: Session | undefined) =>
  session === undefined || session.configuration === 'pacegate' ? '' : ` ${code(session.configuration)}`;

/** Removed and edited measuring code. It comes first, because it qualifies everything below. */
function measuringNews({ measuring }: Comparison): string[] {
  const news = measuring?.news ?? [];
  const shown = news.slice(0, NEWS_SHOWN).map((one) => `- ${sentence(one.sentence)}`);
  const more = news.length - shown.length;
  return news.length === 0
    ? []
    : [[...shown, ...(more === 0 ? [] : [`- … and ${more} more, in comparison.json.`])].join('\n')];
}

/** Notes are clauses elsewhere, and get a full stop here. */
const ended = (note: string) => (/[.!?]$/.test(note) ? note : `${note}.`);

const bullets = (said: readonly RowSentence[]) => said.map(({ text }) => `- ${text}.`).join('\n');

const saidDetails = (said: readonly RowSentence[]): Detail[] =>
  said.length === 0 ? [] : [{ title: `In words (${said.length})`, body: bullets(said.slice(0, 100)) }];

interface Divided {
  readonly shown: readonly Row[];
  readonly more: readonly Row[];
  readonly unchanged: readonly Row[];
  readonly info: readonly Row[];
}

/**
 * Divides the rows into visible and folded ones: with few judged rows all of them are visible, else those that are not
 * unchanged.
 */
function divided(rows: readonly Row[]): Divided {
  const all = sorted(rows);
  const info = all.filter(({ verdict }) => verdict === 'info');
  const judged = all.filter(({ verdict }) => verdict !== 'info');
  // If no row is judged, all measured rows are visible.
  if (judged.length === 0)
    return { shown: info.slice(0, ROWS_SHOWN), more: info.slice(ROWS_SHOWN), unchanged: [], info: [] };
  // Identical images and unmeasured rows have no figures, so sentences replace the table.
  if (judged.every(({ evidence }) => evidence === 'identical'))
    return { shown: [], more: [], unchanged: judged, info };
  if (judged.every(({ baseline, head }) => baseline.median === null && head.median === null))
    return { shown: [], more: judged, unchanged: [], info };
  if (judged.length <= ROWS_AT_A_GLANCE) return { shown: judged, more: [], unchanged: [], info };
  const moved = judged.filter(({ verdict }) => verdict !== 'unchanged');
  return {
    shown: moved.slice(0, ROWS_SHOWN),
    more: moved.slice(ROWS_SHOWN),
    unchanged: judged.filter(({ verdict }) => verdict === 'unchanged'),
    info,
  };
}

const tables = (title: string, rows: readonly Row[], rules: Session['rules'] | undefined): Detail[] =>
  chunks(rows, 100).map((part, index) => ({
    title: `${title} (${part.length}${index === 0 ? '' : `, part ${index + 1}`})`,
    body: table(part, rules),
  }));

/** Adds details while they fit. Space for the note about omitted details is reserved first. */
function withinLimit(
  start: string,
  open: readonly string[],
  details: readonly Detail[],
  { artifactUrl, limit = COMMENT_LIMIT }: MarkdownOptions,
): string {
  const where =
    artifactUrl === undefined ? 'the artifact and the files of the run' : `[the artifact](${artifactUrl})`;
  const note = (titles: readonly string[]) =>
    `Left out for GitHub's limit of ${limit} characters: ${titles.join(', ').slice(0, 1000)}. All of it is in ${where}.`;
  const reserve = note(details.map(({ title }) => title)).length + 100;
  const whole = [start, ...open].join('\n\n');
  const fits = whole.length + reserve < limit;
  let text = fits ? whole : start;
  const leftOut: string[] = fits ? [] : ['the table'];
  for (const detail of details) {
    const part = `\n\n${folded(detail)}`;
    if (text.length + part.length + reserve < limit) text += part;
    else leftOut.push(detail.title);
  }
  if (leftOut.length > 0) text += `\n\n${note(leftOut)}`;
  else if (artifactUrl !== undefined) text += `\n\nRaw timings: [artifact](${artifactUrl})`;
  return `${text}\n`;
}

/** A detail as GitHub's folded section. */
export const folded = ({ title, body, open = false }: Detail): string =>
  `<details${open ? ' open' : ''}><summary>${title}</summary>\n\n${body}\n\n</details>`;

function table(rows: readonly Row[], rules: Session['rules'] | undefined): string {
  const body = rows.map((row) => [
    code(row.variant),
    unbroken(sentence(judgedMetric(row, rules))),
    unbroken(quantity(row.baseline.median, sentence(row.unit))),
    unbroken(quantity(row.head.median, sentence(row.unit))),
    unbroken(change(row)),
    `${unbroken(`${SIGNS[row.verdict]} ${emphasised(row)}`)}${probableWords(row)}${confirmationWords(row)}`,
  ]);
  return markdownTable(
    [['variant', 'metric', 'baseline', 'head', unbroken('change (95 % interval)'), 'verdict'], ...body],
    {
      align: ['l', 'l', 'r', 'r', 'r', 'l'],
      alignDelimiters: false,
    },
  );
}

/** A per cent sign must not be separated from its figure at a line break. */
const figures = (text: string) => text.replace(/(\d) %/g, '$1\u00a0%');

const emphasised = ({ verdict }: Row) =>
  verdict === 'regressed' || verdict === 'failed' || verdict === 'over_limit'
    ? `**${VERDICT_WORDS[verdict]}**`
    : VERDICT_WORDS[verdict];

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
