import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

/**
 * BuildKit's own progress events (`--progress rawjson`), as far as they are needed. The field names are
 * BuildKit's: a vertex is a step. https://github.com/moby/buildkit/blob/master/client/graph.go
 */
const eventSchema = z.object({
  vertexes: z
    .array(
      z.object({
        digest: z.string(),
        name: z.string().default(''),
        started: z.string().optional(),
        completed: z.string().optional(),
        cached: z.boolean().optional(),
        error: z.string().optional(),
      }),
    )
    .optional(),
  logs: z
    .array(z.object({ vertex: z.string(), data: z.string().optional(), timestamp: z.string().optional() }))
    .optional(),
});
export type ProgressEvent = z.infer<typeof eventSchema>;
type Vertex = NonNullable<ProgressEvent['vertexes']>[number];
type StepLog = NonNullable<ProgressEvent['logs']>[number];

/** The step that ended a build, with its last output. */
export interface FailedStep {
  /** `RUN pip install …`, without the target's prefix. */
  readonly step: string;
  /** `interpreter` if the step is of the interpreter's Dockerfile. */
  readonly target: 'interpreter' | 'application';
  readonly error: string;
  readonly lastLines: readonly string[];
}

/** A step that has not ended yet. */
export interface RunningStep extends Omit<FailedStep, 'error'> {
  readonly seconds: number;
}

export interface BuildProgress {
  /** Takes one line of buildx's error stream. */
  readonly feed: (line: string) => void;
  /** The first step that failed by itself, not because another one did. */
  readonly failed: () => FailedStep | undefined;
  /** The step that has been running for longest and has not ended, and for how many seconds. */
  readonly running: () => RunningStep | undefined;
  /** The last lines that are no events: buildx's own output. */
  readonly words: () => readonly string[];
}

const MAX_EVENT = 1024 * 1024;
const LAST_LINES = 12;
const LINE_LENGTH = 300;
const STEP_LENGTH = 100;
/** A longer step is logged again at this interval. */
const STILL_RUNNING_SECONDS = 15;

interface Step {
  readonly name: string;
  interpreter: boolean;
  started: number | undefined;
  announced: number | undefined;
  done: boolean;
  running: boolean;
  lines: string[];
  partial: string;
}

/**
 * Follows a build by its events and logs each step once, in a readable line: `[official head] RUN pip install -r
 * requirements.txt … 3.2 s`.
 *
 * Log data is base64 inside JSON, so what a build prints cannot pass for an event.
 *
 * @param label what the lines begin with: variant and side.
 * @param interpreterTarget the target whose steps are the interpreter's; `true` if all are. Linked targets share steps,
 *   and a step comes under the names of both: whichever names it the interpreter's is right.
 */
export function followProgress(
  label: string,
  interpreterTarget: string | true | undefined,
  onLine: (line: string) => void,
): BuildProgress {
  const steps = new Map<string, Step>();
  const words: string[] = [];
  let failed: { readonly step: Step; readonly error: string } | undefined;

  const say = (step: Step, ending: string | undefined) => {
    if (ending === undefined) return;
    onLine(`[${label}] ${step.interpreter ? 'interpreter: ' : ''}${titleOf(step.name)} … ${ending}`);
  };
  const stepOf = (digest: string, name = ''): Step => {
    const step = steps.get(digest) ?? newStep(name);
    steps.set(digest, step);
    return step;
  };
  const take = (event: ProgressEvent) => {
    for (const vertex of event.vertexes ?? []) {
      const step = stepOf(vertex.digest, vertex.name);
      step.interpreter ||=
        interpreterTarget === true || prefixOf(vertex.name).split(' ')[0] === interpreterTarget;
      const ending = takeVertex(step, vertex);
      if (vertex.error !== undefined && !vertex.error.endsWith('context canceled'))
        failed ??= { step, error: vertex.error };
      say(step, ending);
    }
    for (const log of event.logs ?? []) {
      const step = stepOf(log.vertex);
      say(step, takeLog(step, log));
    }
  };
  return {
    feed: eventReader(take, (text) => {
      words.push(text);
      if (words.length > 2 * LAST_LINES) words.shift();
    }),
    failed: () => failed && { ...described(failed.step), error: readable(failed.error, 600) },
    running: () => longestRunning([...steps.values()]),
    words: () => words.slice(-LAST_LINES),
  };
}

/** Takes in what BuildKit says of a step. @returns how the step ended, if it has and was not logged yet */
function takeVertex(step: Step, vertex: Vertex): string | undefined {
  const started = timeOf(vertex.started);
  const completed = timeOf(vertex.completed);
  step.started ??= started;
  step.running = started !== undefined && completed === undefined;
  // A step may complete more than once: first its part in reading the definition, then the work.
  if (step.done || completed === undefined || isInternal(step.name)) return undefined;
  const isWork = vertex.error !== undefined || vertex.cached === true;
  if (!isWork && completed - (started ?? completed) < 0.001) return undefined;
  step.done = true;
  if (vertex.error !== undefined) return 'failed';
  if (vertex.cached === true) return 'CACHED';
  return `${Math.max(0, completed - (step.started ?? completed)).toFixed(1)} s`;
}

/** Takes in a step's output. @returns that it is still running, if it is time to say so again */
function takeLog(step: Step, { data, timestamp }: StepLog): string | undefined {
  addLog(step, Buffer.from(data ?? '', 'base64').toString('utf8'));
  const now = timeOf(timestamp);
  if (now === undefined || step.started === undefined) return undefined;
  if (now - (step.announced ?? step.started) < STILL_RUNNING_SECONDS) return undefined;
  step.announced = now;
  const last = step.lines.at(-1);
  return `running for ${(now - step.started).toFixed(0)} s${last === undefined ? '' : `: ${last}`}`;
}

/** Finds the events among the lines of buildx, which writes an event over several lines, and the other lines. */
function eventReader(
  onEvent: (event: ProgressEvent) => void,
  onText: (text: string) => void,
): BuildProgress['feed'] {
  let pending: string[] | undefined;
  let pendingSize = 0;
  const takeText = (text: string) => {
    const event = parseEvent(text);
    if (event !== undefined) onEvent(event);
  };
  return (line) => {
    if (pending === undefined) {
      if (line === '{') {
        pending = [line];
        pendingSize = 0;
      } else if (line.startsWith('{')) takeText(line);
      else if (readable(line) !== '') onText(readable(line));
      return;
    }
    // The closing brace alone stands at the line's start.
    pending.push(line);
    pendingSize += line.length;
    if (line === '}') {
      takeText(pending.join('\n'));
      pending = undefined;
    } else if (pendingSize > MAX_EVENT) pending = undefined;
  };
}

const described = (step: Step): Omit<FailedStep, 'error'> => ({
  step: titleOf(step.name),
  target: step.interpreter ? 'interpreter' : 'application',
  lastLines: [...step.lines, readable(step.partial)].filter((line) => line !== '').slice(-LAST_LINES),
});

function longestRunning(steps: readonly Step[]): RunningStep | undefined {
  const [step] = steps
    .filter(({ running, name }) => running && !isInternal(name))
    .sort((a, b) => (a.started ?? 0) - (b.started ?? 0));
  if (step?.started === undefined) return undefined;
  return { ...described(step), seconds: Math.max(0, Date.now() / 1000 - step.started) };
}

function parseEvent(text: string): ProgressEvent | undefined {
  try {
    return eventSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const newStep = (name: string): Step => ({
  name,
  interpreter: false,
  started: undefined,
  announced: undefined,
  done: false,
  running: false,
  lines: [],
  partial: '',
});

function addLog(step: Step, text: string): void {
  // A progress bar rewrites its line with carriage returns: each is a line here.
  const lines = (step.partial + text).split(/\r\n|\n|\r/);
  step.partial = (lines.pop() ?? '').slice(-LINE_LENGTH * 4);
  const kept = lines.map((line) => readable(line)).filter((line) => line !== '');
  step.lines = [...step.lines, ...kept].slice(-LAST_LINES);
}

/** `[official-head 2/3] RUN x` -> `official-head 2/3`. */
const prefixOf = (name: string): string => /^\[([^\]]*)\]/.exec(name)?.[1] ?? '';

/** `[official-head 2/3] RUN x` -> `RUN x`, on one line. */
const titleOf = (name: string): string => readable(name.replace(/^\[[^\]]*\]\s*/, ''), STEP_LENGTH);

/** Reading definitions and ignore files is no step of a Dockerfile. */
const isInternal = (name: string) =>
  /^\[[^\]]*\binternal\]|^\[[^\]]*\bcontext [^\]]*\] load /.test(name) || name === '';

/** One line of text for the log: no colours, no control characters, bounded. */
export function readable(text: string, length = LINE_LENGTH): string {
  // Nobody reads longer lines, and searching them takes quadratic time.
  const plain = stripVTControlCharacters(text.slice(0, 10 * length))
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return plain.length > length ? `${plain.slice(0, length - 1)}…` : plain;
}

/** Seconds since the epoch; undefined for BuildKit's zero time. */
function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || text.startsWith('0001-')) return undefined;
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
