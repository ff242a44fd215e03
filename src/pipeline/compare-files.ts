import { dirname, join } from 'node:path';
import { compareSession, compareTimings } from '../verdict/compare.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { ruledBy } from '../verdict/ruled-session.ts';
import { withNights } from '../evidence/nights.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { isMerged, type Merged } from '../session/merged.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { Rules } from '../session/rules.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { parseTimings, renderTimings, type TimedRun } from '../session/timings.ts';
import { parseSessionOrRuns } from '../session/journal.ts';
import { judgedTogether } from './judged-sessions.ts';
import type { ComparedFilesPort } from './ports.ts';

/** The input of `compare`: files that contain their side, and files whose side the user gives. */
export interface ComparisonFiles {
  readonly files: readonly string[];
  readonly baseline: readonly string[];
  readonly head: readonly string[];
  /** The user states that all runs were on one machine. */
  readonly sameMachine: boolean;
  /**
   * The rules of a configuration that the user named. Defaults to a session's own; without those every metric is
   * judged.
   */
  readonly rules: Rules | undefined;
}

export interface ComparedFiles {
  readonly comparison: Comparison;
  /** The judged session, or several sessions of one gate merged; undefined for CSV files. */
  readonly session: Session | undefined;
  readonly parts: readonly Session[];
}

type Observed =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'merged'; readonly merged: Merged; readonly file: string }
  | { readonly kind: 'timings'; readonly runs: readonly TimedRun[] };

/**
 * Judges files only, without an engine or a repository.
 *
 * A session with both sides is judged as it was live. A session of a head is judged by the given baseline sessions. CSV
 * files are judged by their timings.
 *
 * @throws ConfigurationError if a file is missing, does not parse, or does not match its given side
 */
export async function compareFiles(
  request: ComparisonFiles,
  port: ComparedFilesPort,
): Promise<ComparedFiles> {
  const [only, ...others] = [...request.files, ...request.baseline, ...request.head];
  const whole = others.length === 0 && only !== undefined && request.files.length === 1;
  const observed = [
    ...(await Promise.all(
      request.files.map(async (file) =>
        whole ? await withItsSession(file, port) : await readObserved(file, port),
      ),
    )),
    ...(await Promise.all(
      request.baseline.map(async (file) => asSide(await readObserved(file, port), 'baseline', file)),
    )),
    ...(await Promise.all(
      request.head.map(async (file) => asSide(await readObserved(file, port), 'head', file)),
    )),
  ];
  if (observed.length === 0)
    throw new ConfigurationError(
      'There is nothing to compare: name a session.json or a timings.csv, or two with --baseline FILE --head FILE.',
    );
  const merged = observed.find((one) => one.kind === 'merged');
  if (merged?.kind === 'merged') {
    if (observed.length > 1)
      throw new ConfigurationError(
        `${merged.file} holds the sessions of one gate and is judged alone. To judge it with other sessions, run pacegate merge FILE….`,
      );
    return judgedTogether(
      merged.merged.parts.map((session) => ({
        session: request.rules === undefined ? session : ruledBy(session, request.rules),
        file: merged.file,
      })),
    );
  }
  const sessions = observed.flatMap((one) => (one.kind === 'session' ? [one.session] : []));
  const runs = observed.flatMap((one) => (one.kind === 'timings' ? one.runs : []));
  if (sessions.length > 0 && runs.length > 0)
    throw new ConfigurationError(
      'Sessions and CSVs cannot be compared with each other: a CSV has no machine, failures or rules. Name the timings.csv of each, or the session.json of each.',
    );
  return sessions.length > 0
    ? compareSessions(sessions, request)
    : { comparison: compareRuns(runs, request), session: undefined, parts: [] };
}

/** Judges one session with a head: by its pairs, or by the given baseline sessions. */
function compareSessions(sessions: readonly Session[], request: ComparisonFiles): ComparedFiles {
  const judged = sessions.filter(({ sides }) => sides.includes('head'));
  const nights = sessions.filter(({ sides }) => !sides.includes('head'));
  const [session] = judged;
  if (session === undefined || judged.length > 1)
    throw new ConfigurationError(
      `${judged.length === 0 ? 'None' : judged.length} of the sessions ${judged.length === 0 ? 'has' : 'have'} a head; expected: one, and any number of the baseline's (--baseline FILE --head FILE names the side of files that do not).${judged.length > 1 ? ' To judge the shards and the confirmation of one gate together, run pacegate merge FILE….' : ''}`,
    );
  const ids = sessions.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined)
    throw new ConfigurationError(
      `The session ${twice} was given twice: the same measurements are one night, not two.`,
    );
  const ruled = request.rules === undefined ? session : ruledBy(session, request.rules);
  const whole = nights.length === 0 ? ruled : withNights(ruled, nights);
  const vouched = request.sameMachine
    ? { ...whole, nights: whole.nights.map((night) => ({ ...night, sameMachine: true })) }
    : whole;
  return { comparison: compareSession(vouched), session: vouched, parts: [vouched] };
}

function compareRuns(runs: readonly TimedRun[], { sameMachine, rules }: ComparisonFiles): Comparison {
  refuseDoubles(runs);
  return compareTimings(runs, { sameMachine, rules });
}

/**
 * Reads a session or timings. A JSON text begins with a brace.
 * @throws ConfigurationError that names the file
 */
async function readObserved(path: string, { fileAt, readText }: ComparedFilesPort): Promise<Observed> {
  const file = await fileAt(path);
  const text = await readText(file);
  if (!text.trimStart().startsWith('{')) return { kind: 'timings', runs: parseTimings(text, file) };
  const read = parseSessionOrRuns(text, file);
  return isMerged(read) ? { kind: 'merged', merged: read, file } : { kind: 'session', session: read };
}

/**
 * Replaces a CSV by the session next to it from which it was written. A CSV has no rules, so every metric would be
 * judged. An edited CSV is judged by itself.
 */
async function withItsSession(path: string, port: ComparedFilesPort): Promise<Observed> {
  const observed = await readObserved(path, port);
  if (observed.kind !== 'timings') return observed;
  const file = await port.fileAt(path);
  const beside = join(dirname(file), 'session.json');
  if (!(await port.exists(beside))) return observed;
  const session = await readObserved(beside, port);
  if (session.kind === 'timings') return observed;
  const parts = session.kind === 'merged' ? session.merged.parts : [session.session];
  return renderTimings(...parts) === (await port.readText(file)) ? session : observed;
}

/** Assigns measurements to another side: `run` measures a head, which may serve as a baseline later. */
function asSide(observed: Observed, side: Side, file: string): Observed {
  if (observed.kind === 'merged')
    throw new ConfigurationError(
      `${file} holds the sessions of a whole gate, so it cannot be the ${side} alone; name it without --${side}.`,
    );
  // A night measures the baseline on both sides, to know its noise. Its head is not a head of its own here.
  if (observed.kind === 'session' && IMPLIED[observed.session.purpose].sameCode && side === 'baseline')
    return { kind: 'session', session: { ...observed.session, sides: ['baseline'] } };
  const found = new Set(
    observed.kind === 'session' ? observed.session.sides : observed.runs.map((run) => run.side),
  );
  if (found.size > 1)
    throw new ConfigurationError(
      `${file} holds both sides (${SIDES.join(' and ')}), so it cannot be the ${side} alone; name it without --${side}.`,
    );
  const turn = <Thing extends { readonly side: Side }>(things: readonly Thing[]) =>
    things.map((thing) => ({ ...thing, side }));
  if (observed.kind === 'timings') return { kind: 'timings', runs: turn(observed.runs) };
  const { session } = observed;
  const commit = session.source.head ?? session.source.baseline;
  return {
    kind: 'session',
    session: {
      ...session,
      sides: [side],
      source: {
        repository: session.source.repository,
        event: session.source.event,
        baseline: side === 'baseline' ? commit : undefined,
        head: side === 'head' ? commit : undefined,
      },
      runs: turn(session.runs),
      warmup: turn(session.warmup),
      images: turn(session.images),
      failures: turn(session.failures),
    },
  };
}

function refuseDoubles(runs: readonly TimedRun[]): void {
  const seen = new Set<string>();
  for (const { session, side, variant, block } of runs) {
    const key = JSON.stringify([session, side, variant, block]);
    if (seen.has(key))
      throw new ConfigurationError(
        `The run of ${side} ${variant} block ${block} in session ${session} was found twice: the same measurements were given as two files.`,
      );
    seen.add(key);
  }
}
