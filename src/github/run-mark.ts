/**
 * Identifies the job and run that wrote something, in the hidden second line of a comment and in a check's external id.
 * GitHub numbers runs in their order, so a higher run is newer. In one run a later attempt is newer.
 */
export interface RunMark {
  /** `pacegate-run:<run>.<attempt>:<session>`. */
  readonly id: string;
  /** The id as a comment's line. */
  readonly line: string;
}

/** The prefix of Pacegate's marks. */
export const MARK = 'pacegate-run:';

/**
 * @param environment the runner's
 * @param session the job's own session
 * @returns undefined if the runner does not name the run
 */
export function runMark(
  environment: Readonly<Record<string, string | undefined>>,
  session: string,
): RunMark | undefined {
  const [run, attempt] = [environment['GITHUB_RUN_ID'], environment['GITHUB_RUN_ATTEMPT']];
  if (run === undefined || !/^\d+$/.test(run)) return undefined;
  // act gives every run the number 1, so its runs cannot be told apart.
  if (environment['ACT'] === 'true') return undefined;
  return markOf(run, /^\d+$/.test(attempt ?? '') ? (attempt ?? '1') : '1', session);
}

/** The mark of another run's job, from GitHub's numbers. */
export function markOf(run: number | string, attempt: number | string, session: string): RunMark {
  const id = `${MARK}${run}.${attempt}:${session.replace(/[^A-Za-z0-9_.]+/g, '_').slice(0, 100)}`;
  return { id, line: `<!-- ${id} -->` };
}

/**
 * How another mark relates to our own. `sibling`: another job of the same attempt wrote it, such as a matrix that runs
 * one configuration twice. `unknown`: the text is not a mark.
 */
export type Relation = 'own' | 'older' | 'newer' | 'sibling' | 'unknown';

export function relationTo({ id }: Pick<RunMark, 'id'>, found: string | null | undefined): Relation {
  const [theirs, ours] = [parsed(found ?? ''), parsed(id)];
  if (theirs === undefined || ours === undefined) return 'unknown';
  // Compared as big integers: a run's number exceeds 32 bits, and may exceed 53.
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

/** The mark in a comment's second line. */
export const markIn = (body: string | undefined): string | undefined =>
  /^<!-- (pacegate-run:\S+) -->$/.exec(body?.split('\n')[1]?.trim() ?? '')?.[1];
