import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { excessOf } from './json-bounds.ts';
import { completeLines, parsedLine } from './json-lines.ts';
import type { SessionFile } from './merged.ts';
import { MOST, parseSession, parseSessionFile } from './read.ts';
import { runSchema, type Run } from './run.ts';
import { sessionSchema, type Session } from './session.ts';

/** `runs.jsonl`, the journal of a session: what the lines are, and how the journal of a job that was killed is read. */

export const JOURNAL_FORMAT = 'pacegate-runs';
export const JOURNAL_VERSION = 1;

/** The first line: the session as it was before its first run. What it holds is checked when it is made a session. */
const headerSchema = z.object({
  format: z.literal(JOURNAL_FORMAT),
  version: z.literal(JOURNAL_VERSION),
  session: z.record(z.string(), z.unknown()),
});

/** What the warm-up told; the last such line holds all of it. */
const settingsSchema = z.object({
  repetitions: sessionSchema.shape.workload.shape.repetitions,
  declaredMetrics: sessionSchema.shape.declaredMetrics,
});
export type Settings = z.infer<typeof settingsSchema>;

const lineSchema = runSchema.extend({ warmup: z.boolean() });

/** As many runs as a session may have, and what the warm-up told after each of its own. */
const MOST_LINES = MOST.runs + 2 * MOST.warmup + 1;

interface ReadJournal {
  readonly session: Readonly<Record<string, unknown>> | undefined;
  readonly settings: Settings | undefined;
  readonly warmup: readonly Run[];
  readonly runs: readonly Run[];
}

/**
 * Reads a journal back. A last line that was cut by a crash is left out.
 * @param file the journal's name, for the message
 * @throws ConfigurationError naming the file and the line for any other line that is not a run
 */
export function readJournal(text: string, file: string): ReadJournal {
  const complete = completeLines(text);
  const excess =
    complete.length > MOST_LINES
      ? `found ${complete.length} lines; must be at most ${MOST_LINES}`
      : excessOf(text);
  if (excess !== undefined)
    throw new ConfigurationError(
      `${file} cannot be read as the runs of a session: ${excess}. Measure again.`,
    );
  const read: { -readonly [Key in keyof ReadJournal]: ReadJournal[Key] } & { warmup: Run[]; runs: Run[] } = {
    session: undefined,
    settings: undefined,
    warmup: [],
    runs: [],
  };
  for (const [index, line] of complete.entries()) {
    const header = index === 0 ? parsedLine(line, headerSchema).value : undefined;
    const settings = parsedLine(line, settingsSchema).value;
    if (header !== undefined) read.session = header.session;
    else if (settings !== undefined) read.settings = settings;
    else {
      const found = parsedLine(line, lineSchema);
      if (found.value === undefined) throw noRun(`${file}:${index + 1}`, found.reason, found.cause);
      const { warmup, ...run } = found.value;
      read[warmup ? 'warmup' : 'runs'].push(run);
    }
  }
  return read;
}

/** Whether a text is the beginning of a journal. */
export const isJournal = (text: string): boolean => text.startsWith(`{"format":"${JOURNAL_FORMAT}"`);

/**
 * The session of a journal: what a program that ended before its session was written has measured. It is an interrupted
 * one whatever it holds, for nobody knows what was to come.
 * @param file the journal's name, for the message
 * @throws ConfigurationError where it is no journal, or has no session
 */
export function sessionOfJournal(text: string, file: string): Session {
  const { session, settings, warmup, runs } = readJournal(text, file);
  if (session === undefined)
    throw new ConfigurationError(
      `${file} does not name the session of its runs: it was written by an earlier version of Pacegate, or its first line is missing. Measure again.`,
    );
  const workload = z.record(z.string(), z.unknown()).safeParse(session['workload']).data ?? {};
  const last = [...warmup, ...runs].at(-1)?.started;
  const notes = z.array(z.string()).safeParse(session['notes']).data ?? [];
  return parseSession(
    JSON.stringify({
      ...session,
      interrupted: true,
      ended: last ?? session['ended'],
      workload: { ...workload, repetitions: settings?.repetitions ?? workload['repetitions'] },
      declaredMetrics: settings?.declaredMetrics ?? session['declaredMetrics'],
      warmup,
      runs,
      notes: [
        ...notes,
        'This session was read back from runs.jsonl: the run ended before its session was written.',
      ],
    }),
    file,
  );
}

/** The text of a `session.json`, or of the `runs.jsonl` of a job that was killed. @throws ConfigurationError naming the file */
export const parseSessionOrRuns = (text: string, file: string): SessionFile =>
  isJournal(text) ? sessionOfJournal(text, file) : parseSessionFile(text, file);

const noRun = (place: string, reason: string, cause: unknown) =>
  new ConfigurationError(
    `${place}: not a run as Pacegate writes it (${reason}). Remove the line, or measure again.`,
    { cause },
  );
