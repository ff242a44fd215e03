import { isNewer, parseSummaries } from '../baseline/format.ts';
import { PacegateError } from '../errors/errors.ts';
import { parseEvent } from '../github/context.ts';
import { baseImageOf } from '../images/base-image.ts';
import { digestsOf } from '../images/buildx.ts';
import { finalBase, replacedBases } from '../dockerfile/dockerfile.ts';
import { parseInfo } from '../images/engine-reading.ts';
import { readInspection } from '../images/inspect.ts';
import { followProgress } from '../images/progress.ts';
import { readFacts } from '../measure/probe/facts-answer.ts';
import { readProbeAnswer } from '../measure/probe/probe-answer.ts';
import { readDumps } from '../measure/profile/dumps.ts';
import { readStacks } from '../measure/profile/stacks.ts';
import { readResults } from '../measure/results/read.ts';
import { resolvePlan } from '../plan/resolve.ts';
import { forRunner, oneLine, printable, sentence } from '../report/escape.ts';
import { namesIn, parseFormula } from '../session/formula.ts';
import { matchesPattern } from '../session/name-pattern.ts';
import { readTimelines } from '../session/timeline.ts';
import { parseTimings } from '../session/timings.ts';
import { parseSessionOrRuns } from '../session/journal.ts';

/** Every parser of input from outside, by the name of its folder in fixtures/fuzz. */

/** The longest message. Text from outside must not make it longer. */
export const LONGEST_MESSAGE = 9000;

const answer = (stdout: string) => ({ status: 0, stdout, stderr: '', signal: null, timedOut: false });

export const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  configuration: (text) => resolvePlan({ text, file: 'f.yml', root: '/' }),
  // A session.json, several of them merged, or a runs.jsonl.
  session: (text) => parseSessionOrRuns(text, 'f'),
  timings: (text) => parseTimings(text, 'f'),
  timelines: (text) => readTimelines(text, 'f'),
  results: readResults,
  'profile-dumps': (text) => readDumps(text.split('\n---\n'), 0, 'time'),
  'profile-stacks': (text) => readStacks(text, 'cpu'),
  'probe-answer': (text) => readProbeAnswer(answer(text)),
  'facts-answer': (text) => readFacts(answer(text), { who: 'a', notStarted: 'it did not start' }),
  'build-progress': (text) => {
    const lines: string[] = [];
    const progress = followProgress('a head', 'a-interpreter', (line) => lines.push(line));
    for (const line of text.split('\n')) progress.feed(line);
    return [progress.failed(), progress.running(), progress.words(), lines];
  },
  'build-answer': (text) => [digestsOf(text, 'a'), parseInfo(text), readInspection(text)],
  dockerfile: (text) => [
    replacedBases(text, []),
    finalBase(text),
    baseImageOf(text, { PYTHON_VERSION: '3.13' }),
  ],
  branch: (text) => [parseSummaries(text), isNewer(text)],
  formula: (text) => {
    const formula = parseFormula(text);
    return formula === undefined ? undefined : namesIn(formula);
  },
  pattern: (text) => {
    const [pattern = '', ...names] = text.split('\n');
    return names.map((name) => matchesPattern(pattern, name));
  },
  'github-event': (text) =>
    parseEvent({ GITHUB_REPOSITORY: 'owner/name', GITHUB_EVENT_NAME: 'pull_request' }, text),
  words: (text) => [oneLine(text), printable(text), forRunner(text), sentence(text)],
};

/**
 * Reads a text with a parser, which answers or rejects it with a message.
 * @returns the message of a rejection
 * @throws any other error of the parser, or an error if it modified a shared object
 */
export function readAs(parser: string, text: string): string | undefined {
  let refusal: string | undefined;
  try {
    PARSERS[parser]?.(text);
  } catch (error) {
    if (!(error instanceof PacegateError)) throw error;
    refusal = error.message;
  }
  if (refusal !== undefined && refusal.length > LONGEST_MESSAGE)
    throw new RangeError(`a message of ${refusal.length} characters: ${refusal.slice(0, 200)}`);
  const added = [Object.prototype, Array.prototype, Object].flatMap((shared) => Object.keys(shared));
  if (added.length > 0) throw new Error(`properties of all objects: ${added.join()}`);
  return refusal;
}
