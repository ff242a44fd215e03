import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { excessOf } from './json-bounds.ts';
import { completeLines, parsedLine } from './json-lines.ts';
import { runSchema, sideSchema } from './run.ts';

/** Beside a session: what each of its runs used, moment by moment. */
export const TIMELINE_FILE = 'timeline.jsonl';

/**
 * One sample of a run: seconds since its start, CPU time used so far (s), memory in use (bytes) and the anonymous part
 * of it (bytes; null if the machine does not report it).
 */
export const timelineSampleSchema = z.tuple([
  z.number().nonnegative(),
  z.number().nonnegative(),
  z.number().nonnegative(),
  z.number().nonnegative().nullable(),
]);
export type TimelineSample = z.infer<typeof timelineSampleSchema>;

/** CPU and memory of one run over time, measured from outside: a line of `timeline.jsonl`. */
export const timelineSchema = z.object({
  session: z.string(),
  variant: z.string(),
  side: sideSchema,
  /** The run's block, from 1; a warm-up has no timeline. */
  block: runSchema.shape.block,
  position: runSchema.shape.position,
  attempt: runSchema.shape.attempt,
  /** When the run started, the zero of the samples' times. */
  started: runSchema.shape.started,
  /** The intended time between two samples, in seconds; the samples have the actual times. */
  interval_s: z.number().positive(),
  /**
   * What was sampled. `cgroup`: the container's, probe and page cache included. `processes`: the probe's process tree
   * on the host engine; memory is the sum of resident sizes, so shared pages count once for each process.
   */
  source: z.enum(['cgroup', 'processes']).optional(),
  samples: z.array(timelineSampleSchema),
  /** Why there are no samples. */
  note: z.string().optional(),
});
export type Timeline = z.infer<typeof timelineSchema>;

/** The largest number of lines: the largest number of runs in a session. */
const MOST_LINES = 20_000;

/**
 * The largest number of samples of a run, an even number. A longer run drops every second sample and doubles its
 * interval.
 */
export const MOST_SAMPLES = 240;

/** Every second sample, including the first: the ones to keep when the interval doubles. */
export const everySecond = (samples: readonly TimelineSample[]): TimelineSample[] =>
  samples.filter((_, index) => index % 2 === 0);

/**
 * Reads `timeline.jsonl`. A last line that was cut by a crash is left out.
 * @param file its name, for messages
 * @throws ConfigurationError naming the file and the line for any other line that is no timeline
 */
export function readTimelines(text: string, file: string): readonly Timeline[] {
  const refuse = (place: string, reason: string, cause?: unknown) =>
    new ConfigurationError(
      `${place}: not a run's timeline as Pacegate writes it (${reason}). Remove the line or the file: no verdict depends on it.`,
      { cause },
    );
  const lines = completeLines(text);
  const excess =
    lines.length > MOST_LINES ? `found ${lines.length} lines; must be at most ${MOST_LINES}` : excessOf(text);
  if (excess !== undefined) throw refuse(file, excess);
  return lines.map((line, index) => {
    const read = parsedLine(line, timelineSchema);
    if (read.value === undefined) throw refuse(`${file}:${index + 1}`, read.reason, read.cause);
    return read.value;
  });
}
