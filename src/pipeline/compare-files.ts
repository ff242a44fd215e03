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

/** What `compare` was given: files that say their side, and files that are told theirs. */
export interface ComparisonFiles {
  readonly files: readonly string[];
  readonly baseline: readonly string[];
  readonly head: readonly string[];
  /** The user's word that everything ran on one machine. */
  readonly sameMachine: boolean;
  /** Rules of a configuration that the user named; else a session's own, else every metric is judged. */
  readonly rules: Rules | undefined;
}

export interface ComparedFiles {
  readonly comparison: Comparison;
  /** The session that was judged, several of one gate as one; undefined where CSVs were. */
  readonly session: Session | undefined;
  readonly parts: readonly Session[];
}

type Observed =
  | { readonly kind: 'session'; readonly session: Session }
  | { readonly kind: 'merged'; readonly merged: Merged; readonly file: string }
  | { readonly kind: 'timings'; readonly runs: readonly TimedRun[] };

/**
 * Judges files alone: no engine, no repository.
 *
 * One session with both sides is judged as it was live, a session of a head by the sessions of a baseline beside it,
 * and CSVs by their timings.
 *
 * @throws ConfigurationError when a file is missing, does not parse, or does not fit what was said of it
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
        `${merged.file} holds the sessions of one gate and is judged by itself. pacegate merge FILE… puts it together with more of them.`,
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
      'Sessions and CSVs cannot be compared with each other: a CSV knows no machine, no failure and no rules. Name the timings.csv of each, or the session.json of each.',
    );
  return sessions.length > 0
    ? compareSessions(sessions, request)
    : { comparison: compareRuns(runs, request), session: undefined, parts: [] };
}

/** One session with a head is judged: by its pairs, or by the sessions of a baseline beside it. */
function compareSessions(sessions: readonly Session[], request: ComparisonFiles): ComparedFiles {
  const judged = sessions.filter(({ sides }) => sides.includes('head'));
  const nights = sessions.filter(({ sides }) => !sides.includes('head'));
  const [session] = judged;
  if (session === undefined || judged.length > 1)
    throw new ConfigurationError(
      `${judged.length === 0 ? 'None' : judged.length} of the sessions ${judged.length === 0 ? 'has' : 'have'} a head; expected: one, and any number of the baseline's beside it (--baseline FILE --head FILE says it for those that do not).${judged.length > 1 ? ' Shards of one gate, and what confirms it, are put together by pacegate merge FILE….' : ''}`,
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
  return compareTimings(runs, { sameMachine, ...(rules === undefined ? {} : { rules }) });
}

/** Reads a session or timings: a JSON text begins with a brace. @throws ConfigurationError naming the file */
async function readObserved(path: string, { fileAt, readText }: ComparedFilesPort): Promise<Observed> {
  const file = await fileAt(path);
  const text = await readText(file);
  if (!text.trimStart().startsWith('{')) return { kind: 'timings', runs: parseTimings(text, file) };
  const read = parseSessionOrRuns(text, file);
  return isMerged(read) ? { kind: 'merged', merged: read, file } : { kind: 'session', session: read };
}

/**
 * A CSV with the session that it was written from beside it is judged as that session: a CSV alone knows no family, and
 * every figure that was ever measured would be a check. One that was edited is judged by itself.
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

/** The same measurements as another side's: `run` measures a head, and tomorrow it is the baseline. */
function asSide(observed: Observed, side: Side, file: string): Observed {
  if (observed.kind === 'merged')
    throw new ConfigurationError(
      `${file} holds the sessions of a whole gate, so it cannot be the ${side} alone; name it without --${side}.`,
    );
  // A night holds the baseline twice, which is where its noise comes from; it is no head for that.
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
        ...(commit === undefined ? {} : { [side]: commit }),
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
