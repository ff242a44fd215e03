import { comparisonJson } from '../../verdict/comparison-json.ts';
import type { Comparison } from '../../verdict/comparison.ts';
import { ConfigurationError } from '../../errors/errors.ts';
import { markerOf, renderMarkdown } from '../../report/markdown.ts';
import { rankingFile } from '../../ranking/ranked-nights.ts';
import { rankVariants } from '../../ranking/rank.ts';
import { renderMeasurementMarkdown, renderMeasurementTerminal } from '../../report/measurement.ts';
import { renderNightlyMarkdown, renderNightlyTerminal } from '../../report/nightly.ts';
import { renderOpenMetrics } from '../../report/openmetrics.ts';
import { renderRankingMarkdown, renderRankingTerminal } from '../../report/ranking-report.ts';
import { renderTerminal } from '../../report/terminal.ts';
import type { Session } from '../../session/session.ts';
import type { Timeline } from '../../session/timeline.ts';
import { renderTimings } from '../../session/timings.ts';
import type { ComparedFiles } from '../../pipeline/compare-files.ts';
import { jsonText } from '../../report/json-text.ts';
import { timelinesIn } from '../../out-folder/timeline-files.ts';

/** The values of `--format`. Without the option a command prints a table for a terminal. */
export const FORMATS = ['markdown', 'json', 'csv', 'openmetrics'] as const;
type Format = (typeof FORMATS)[number];

/** The options of a command that prints a result. */
export interface Printed {
  readonly format?: Format;
}

/** The timelines in folders, if the format includes them. */
export const timelinesFor = async (
  { format }: Printed,
  folders: readonly string[],
): Promise<readonly Timeline[]> => (format === 'openmetrics' ? await timelinesIn(folders) : []);

/** A comparison in the requested format. Defaults to the table for a terminal. */
export function comparisonText(
  { comparison, session, parts }: ComparedFiles,
  remarks: readonly string[],
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  switch (format) {
    case 'json':
      return jsonText(comparisonJson(comparison));
    case 'csv':
      if (session === undefined)
        throw new ConfigurationError(
          '--format csv writes the timings of one session, and several files were compared. Use markdown or json.',
        );
      return renderTimings(...parts);
    case 'openmetrics':
      if (session === undefined)
        throw new ConfigurationError(
          '--format openmetrics needs the times of the runs, which a timings.csv does not hold: name session.json files. Use markdown or json.',
        );
      return renderOpenMetrics({ sessions: parts, comparison, timelines });
    case 'markdown': {
      const marker = session === undefined ? undefined : markerOf(session.configuration);
      return renderMarkdown(comparison, session, { marker, remarks, parts });
    }
    default:
      return renderTerminal(comparison, session, { colour, remarks });
  }
}

/** The report of a night, in the requested format. */
export function nightText(
  session: Session,
  comparison: Comparison,
  remarks: readonly string[],
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  return sessionText(session, format, {
    openMetrics: () => renderOpenMetrics({ sessions: [session], comparison, timelines }),
    markdown: () => renderNightlyMarkdown(session, comparison, remarks),
    terminal: () => renderNightlyTerminal(session, comparison, { colour, remarks }),
  });
}

/** The report of a session with one side, in the requested format. */
export function measurementText(
  session: Session,
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  return sessionText(session, format, {
    openMetrics: () => renderOpenMetrics({ sessions: [session], timelines }),
    markdown: () => renderMeasurementMarkdown(session),
    terminal: () => renderMeasurementTerminal(session, { colour }),
  });
}

/** The machine-readable form of a result without a verdict: the session itself. */
function sessionText(
  session: Session,
  format: Printed['format'],
  words: Readonly<Record<'markdown' | 'openMetrics' | 'terminal', () => string>>,
): string {
  switch (format) {
    case 'json':
      return jsonText(session);
    case 'csv':
      return renderTimings(session);
    case 'openmetrics':
      return words.openMetrics();
    case 'markdown':
      return words.markdown();
    default:
      return words.terminal();
  }
}

/** A ranking in the requested format. Defaults to the tables for a terminal. */
export function rankingText(
  session: Session,
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  // The timings are printed even if no ranking can be made.
  if (format === 'csv') return renderTimings(session);
  if (format === 'openmetrics') return renderOpenMetrics({ sessions: [session], timelines });
  const ranking = rankVariants(session);
  switch (format) {
    case 'json':
      return jsonText(rankingFile(ranking, session));
    case 'markdown':
      return renderRankingMarkdown(ranking, session);
    default:
      return renderRankingTerminal(ranking, session, { colour });
  }
}
