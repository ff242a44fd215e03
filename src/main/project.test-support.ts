import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Session } from '../session/session.ts';
import { parseSession } from '../session/read.ts';
import { repository, type TestRepository } from '../source/repository.test-support.ts';

/** A small project to gate with the program as a separate process. */

export const application = (rounds: number): string =>
  `def work():\n    total = 0\n    for i in range(${rounds}):\n        total += i & 7\n    return total\n`;

export const HOST = '  here: { interpreter: host, python: python3 }\n';
export const IMAGES =
  '  official: { interpreter: official, python: "3.13" }\n  debian: { interpreter: debian }\n';

/** A repository whose first commit has the configuration and an application. Memory is not judged. */
export function project(
  variants: string,
  { rounds = 1_500_000, more = '', rules = 'blocks: 10' } = {},
): TestRepository {
  const made = repository();
  made.write(
    '.github/pacegate.yml',
    `version: 1\nworkload: { files: [bench.py], command: [python, bench.py], timeout: 60s${more} }\nvariants:\n${variants}metrics: { max_rss_bytes: { gate: false } }\nrules: { ${rules} }\n`,
  );
  made.write('bench.py', 'from app import work\n\nwork()\n');
  made.write('app.py', application(rounds));
  made.commit('one');
  return made;
}

/** The session that the last command left in the default out folder of `directory`. */
export const sessionIn = (directory: string): Session => {
  const file = join(directory, 'pacegate-out/session.json');
  return parseSession(readFileSync(file, 'utf8'), file);
};

interface Answer {
  readonly verdict: string;
  readonly results: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly verdict: string;
  }[];
}
/** The verdicts of one metric in a printed JSON report, in the order of its rows. */
export const verdictsOf = (out: string, metric: string): string[] =>
  (JSON.parse(out) as Answer).results.filter((row) => row.metric === metric).map(({ verdict }) => verdict);
