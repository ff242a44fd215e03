/**
 * Which job of which run wrote something: the hidden second line of a comment, and a check's external id. A verdict is
 * newer where its run is, for GitHub numbers runs in their order; of one run, a later attempt is newer.
 */
export interface RunMark {
  /** `pacegate-run:<run>.<attempt>:<session>`. */
  readonly id: string;
  /** The id as a comment's line. */
  readonly line: string;
}

/** What the marks of Pacegate begin with. */
export const MARK = 'pacegate-run:';

/**
 * @param environment the runner's; undefined where it does not say which run it is
 * @param session the job's own
 */
export function runMark(
  environment: Readonly<Record<string, string | undefined>>,
  session: string,
): RunMark | undefined {
  const [run, attempt] = [environment['GITHUB_RUN_ID'], environment['GITHUB_RUN_ATTEMPT']];
  if (run === undefined || !/^\d+$/.test(run)) return undefined;
  // act numbers every run 1, so its runs cannot be told apart.
  if (environment['ACT'] === 'true') return undefined;
  return markOf(run, /^\d+$/.test(attempt ?? '') ? (attempt ?? '1') : '1', session);
}

/** The mark of another run's job, by the numbers that GitHub gives it. */
export function markOf(run: number | string, attempt: number | string, session: string): RunMark {
  const id = `${MARK}${run}.${attempt}:${session.replace(/[^A-Za-z0-9_.]+/g, '_').slice(0, 100)}`;
  return { id, line: `<!-- ${id} -->` };
}

/**
 * How a mark that was found relates to one's own. `sibling`: another job of the same attempt wrote it, as of a matrix
 * that runs one configuration twice. `unknown`: it is no mark.
 */
export type Relation = 'own' | 'older' | 'newer' | 'sibling' | 'unknown';

export function relationTo({ id }: Pick<RunMark, 'id'>, found: string | null | undefined): Relation {
  const [theirs, ours] = [parsed(found ?? ''), parsed(id)];
  if (theirs === undefined || ours === undefined) return 'unknown';
  // A run's number is larger than 32 bits, and nobody promised that it stays below 53.
  if (theirs.run !== ours.run) return theirs.run < ours.run ? 'older' : 'newer';
  if (theirs.attempt !== ours.attempt) return theirs.attempt < ours.attempt ? 'older' : 'newer';
  return found === id ? 'own' : 'sibling';
}

function parsed(id: string): { readonly run: bigint; readonly attempt: bigint } | undefined {
  const [, run, attempt] = /^pacegate-run:(\d{1,30})\.(\d{1,10}):/.exec(id) ?? [];
  return run === undefined || attempt === undefined
    ? undefined
    : { run: BigInt(run), attempt: BigInt(attempt) };
}

/** The mark of a comment's second line. */
export const markIn = (body: string | undefined): string | undefined =>
  /^<!-- (pacegate-run:\S+) -->$/.exec(body?.split('\n')[1]?.trim() ?? '')?.[1];
