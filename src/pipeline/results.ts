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

/** The files of a run, absolute; `runs.jsonl` grew while it was measured. */
export interface ResultFiles {
  readonly session: string;
  readonly timings: string;
  readonly report: string;
}

/** Writes what was measured, before anything is made of it: a verdict or a report that cannot be made must not lose it. */
export async function writeMeasured(out: OutFolder, file: SessionFile): Promise<void> {
  await attempt(out, async () => await out.write('session.json', sessionFileText(file)));
  await attempt(out, async () => await out.write('timings.csv', renderTimings(...partsOf(file))));
}

/**
 * Writes what a run found: the session first, for all the rest can be made from it again. A file that cannot be made or
 * written stops no other, and no verdict: the folder notes that it is lost.
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
  // It is in no verdict: what has become of that file stops nothing.
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
        : `A file of the run could not be made of what was measured (${String(error)}). This is a fault of Pacegate: please report it, with session.json.`,
    );
  }
}

/** Could not be measured: a run that lost a file lets nothing through. What the gate refuses stays refused. */
const LOST = 3;

/**
 * Says what a run lost.
 * @returns its exit status: 0 becomes 3 where a file was lost
 */
export function statusOfFiles(out: OutFolder, status: number, say: (text: string) => void): number {
  for (const trouble of out.lost()) say(trouble);
  return status === 0 && out.lost().length > 0 ? LOST : status;
}
