import { sessionText } from '../baseline/format.ts';
import type { Comparison } from '../compare/comparison.ts';
import { comparisonJson } from '../compare/json.ts';
import type { Session } from '../session/session.ts';
import { renderTimings } from '../session/timings.ts';
import type { OutFolder } from './out-folder.ts';

/** The files of a run, absolute; `runs.jsonl` grew while it was measured. */
export interface ResultFiles {
  readonly session: string;
  readonly timings: string;
  readonly report: string;
}

export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Writes what a run found: the session first, for all the rest can be made from it again. */
export async function writeResults(
  out: OutFolder,
  session: Session,
  comparison: Comparison | undefined,
  markdown: string,
): Promise<ResultFiles> {
  const files = {
    session: await out.write('session.json', sessionText(session)),
    timings: await out.write('timings.csv', renderTimings(session)),
    report: await out.write('report.md', markdown),
  };
  if (comparison !== undefined) await out.write('comparison.json', jsonText(comparisonJson(comparison)));
  return files;
}
