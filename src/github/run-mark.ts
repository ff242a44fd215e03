/** The hidden second line of a comment: which job of which run wrote it. */
export interface RunMark {
  readonly line: string;
  /** What the lines of all jobs of this run and attempt begin with. */
  readonly ofRun: string;
}

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
  const ofRun = `<!-- pacegate-run:${run}.${/^\d+$/.test(attempt ?? '') ? attempt : 1}:`;
  return { line: `${ofRun}${session.replace(/[^A-Za-z0-9_.]+/g, '_')} -->`, ofRun };
}

/** Whether a comment was written by another job of the same run: a matrix runs one configuration twice. */
export function isOfAnotherJob(body: string, { line, ofRun }: RunMark): boolean {
  const second = body.split('\n')[1]?.trim() ?? '';
  return second.startsWith(ofRun) && second !== line;
}
