import type { Comparison } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import { clip, fence, oneLine } from './escape.ts';
import { headline } from './headline.ts';
import { renderMarkdown, type MarkdownOptions } from './markdown.ts';
import { listed, metricWords } from './verdict-wording.ts';
import { namedPlaces } from './why.ts';

/**
 * Makes the content of a check: its title, its summary, the report, and annotations at the lines that a regression
 * points to.
 */

/** GitHub rejects a longer text. */
export const CHECK_LIMIT = 65_535;
const TITLE_LIMIT = 250;

/**
 * The check's name, by which a branch rule requires it: `Pacegate verdict`, and the configuration if it is not the
 * default one.
 */
export const checkName = (configuration: string): string =>
  configuration === 'pacegate' ? 'Pacegate verdict' : `Pacegate verdict: ${configuration}`;

export const CHECK_SUMMARIES = {
  success: 'The gate passes.',
  failure: 'The gate fails.',
  neutral:
    'The gate has no decision. GitHub accepts a neutral check where a branch rule requires it. Set the input `require-decision: true` to fail the check.',
} as const;

export interface CheckText {
  readonly title: string;
  readonly summary: string;
  /** Markdown of at most 65,535 characters. */
  readonly text: string;
}

export function checkText(
  comparison: Comparison,
  session: Session,
  conclusion: keyof typeof CHECK_SUMMARIES,
  options: Omit<MarkdownOptions, 'marker' | 'limit'>,
): CheckText {
  return {
    title: clip(headline(comparison, oneLine), TITLE_LIMIT),
    summary: CHECK_SUMMARIES[conclusion],
    text: clipMarkdown(renderMarkdown(comparison, session, { ...options, limit: CHECK_LIMIT }), CHECK_LIMIT),
  };
}

/**
 * The check of a job that ended with an error.
 * @param message of the error; it may quote the pull request's files
 */
export const errorCheckText = (message: string, exitStatus: 2 | 3): CheckText => ({
  title:
    exitStatus === 2
      ? 'The gate has no verdict: its input is wrong'
      : 'The gate has no verdict: it could not measure',
  summary: `The gate fails. It ended with exit status ${exitStatus} and has no verdict.`,
  text: clipMarkdown(fence(message, CHECK_LIMIT / 2), CHECK_LIMIT),
});

/** Shortens a report. It drops whole details; if the first part is too long by itself, it is cut after a paragraph. */
export function clipMarkdown(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const note = "\n\n… The rest is in the job's summary and in report.md of the artifact.\n";
  const room = text.slice(0, limit - note.length);
  const end = ['\n\n', '\n'].map((mark) => room.lastIndexOf(mark)).find((index) => index > room.length / 2);
  // Half of a surrogate pair is not a character.
  const kept = (end === undefined ? room.replace(/[\uD800-\uDBFF]$/, '') : room.slice(0, end)).trimEnd();
  return `${kept}${note}`;
}

export interface RegressionPlace {
  /** A file of the change, from the top of the repository. */
  readonly path: string;
  readonly line: number;
  readonly title: string;
  readonly message: string;
}

/**
 * The lines of the change that a profile points to, if exactly one of the change's added or edited files matches. A
 * session's file may come from a stranger, so only paths of the change are used.
 *
 * @param changed the files of the change, from the top of the repository
 */
export function regressionPlaces(
  comparison: Comparison,
  session: Session,
  changed: readonly string[],
): readonly RegressionPlace[] {
  const style = { name: oneLine, text: oneLine };
  const places = namedPlaces(comparison, session, style).flatMap(({ file, line, variant, metrics, text }) => {
    // Packages that pip installed from the context are below packages/, without their folder in the context.
    const known = file.replace(/^packages\//, '');
    const found = changed.filter((path) => path === known || path.endsWith(`/${known}`));
    const [path] = found;
    return path === undefined || found.length > 1
      ? []
      : [
          {
            path,
            line,
            title: `Pacegate: ${oneLine(variant)} regressed`,
            message: `${listed(metrics.map((metric) => oneLine(metricWords(metric))))} of ${oneLine(variant)} regressed. In one profiled run of each side ${text}. This is a hint, not evidence.`,
          },
        ];
  });
  return [...new Map(places.map((place) => [`${place.path}:${place.line}:${place.title}`, place])).values()];
}
