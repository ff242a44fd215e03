import { join } from 'node:path';
import type { Comparison } from '../verdict/comparison.ts';
import { comparisonJson } from '../verdict/comparison-json.ts';
import { PacegateError } from '../errors/errors.ts';
import { jsonText } from '../report/json-text.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { partsOf, type SessionFile } from '../session/merged.ts';
import { readTimelines, TIMELINE_FILE, type Timeline } from '../session/timeline.ts';
import { renderTimings } from '../session/timings.ts';
import { sessionFileText } from '../session/write.ts';
import type { OutFolder } from './ports.ts';

/** The files of a run, absolute. `runs.jsonl` was written while the session was measured. */
export interface ResultFiles {
  readonly session: string;
  readonly timings: string;
  readonly report: string;
}

/** Writes the measurements first, so that a later failure of a verdict or report does not lose them. */
export async function writeMeasured(out: OutFolder, file: SessionFile): Promise<void> {
  await attempt(out, async () => await out.write('session.json', sessionFileText(file)));
  await attempt(out, async () => await out.write('timings.csv', renderTimings(...partsOf(file))));
}

/**
 * Writes the results of a run. The session comes first, because all other files can be made from it again. If a file
 * cannot be written, the other files and the verdict are not affected, and the folder records the loss.
 */
export async function writeResults(
  out: OutFolder,
  file: SessionFile,
  comparison: Comparison | undefined,
  markdown: () => string,
): Promise<ResultFiles> {
  await writeMeasured(out, file);
  await attempt(out, async () => await out.write('report.md', markdown()));
  if (comparison !== undefined)
    await attempt(out, async () => await out.write('comparison.json', jsonText(comparisonJson(comparison))));
  // The timelines are not part of the verdict, so a read failure is ignored.
  const timelines = await timelinesOf(out).catch(() => []);
  await attempt(
    out,
    async () =>
      await out.write(
        'openmetrics.txt',
        renderOpenMetrics({ sessions: partsOf(file), comparison, timelines }),
      ),
  );
  return {
    session: join(out.path, 'session.json'),
    timings: join(out.path, 'timings.csv'),
    report: join(out.path, 'report.md'),
  };
}

const timelinesOf = async (out: OutFolder): Promise<readonly Timeline[]> =>
  readTimelines(await out.read(TIMELINE_FILE), join(out.path, TIMELINE_FILE));

async function attempt(out: OutFolder, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    out.lose(
      error instanceof PacegateError
        ? error.message
        : `A file of the run could not be made from the measurements (${String(error)}). This is a fault of Pacegate: please report it, with session.json.`,
    );
  }
}

/** The status for "could not be measured": a run that lost a file does not pass. A failed gate stays failed. */
const LOST = 3;

/**
 * Reports the files that a run lost.
 * @returns the exit status: 0 becomes 3 if a file was lost
 */
export function statusOfFiles(out: OutFolder, status: number, say: (text: string) => void): number {
  for (const trouble of out.lost()) say(trouble);
  return status === 0 && out.lost().length > 0 ? LOST : status;
}
