import { sessionText } from '../baseline/format.ts';
import type { Comparison } from '../compare/comparison.ts';
import { comparisonJson } from '../compare/json.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { isMerged, MERGED_FORMAT, MERGED_VERSION, partsOf, type SessionFile } from '../session/merged.ts';
import { renderTimings } from '../session/timings.ts';
import type { OutFolder } from './out-folder.ts';
import { timelinesIn } from './timeline-files.ts';

/** The files of a run, absolute; `runs.jsonl` grew while it was measured. */
export interface ResultFiles {
  readonly session: string;
  readonly timings: string;
  readonly report: string;
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** What `session.json` holds: one session, or the sessions that were judged together. */
const fileText = (file: SessionFile): string =>
  isMerged(file)
    ? `{\n "format": "${MERGED_FORMAT}",\n "version": ${MERGED_VERSION},\n "parts": [\n${file.parts.map(sessionText).join(',\n')}]\n}\n`
    : sessionText(file);

/** Writes what a run found: the session first, for all the rest can be made from it again. */
export async function writeResults(
  out: OutFolder,
  file: SessionFile,
  comparison: Comparison | undefined,
  markdown: string,
): Promise<ResultFiles> {
  const files = {
    session: await out.write('session.json', fileText(file)),
    timings: await out.write('timings.csv', renderTimings(...partsOf(file))),
    report: await out.write('report.md', markdown),
  };
  if (comparison !== undefined) await out.write('comparison.json', jsonText(comparisonJson(comparison)));
  // It is in no verdict: what has become of that file stops nothing.
  const timelines = await timelinesIn([out.path]).catch(() => []);
  await out.write('openmetrics.txt', renderOpenMetrics({ sessions: partsOf(file), comparison, timelines }));
  return files;
}
