import {
  repository,
  repositoryWithOrigin,
  runGit,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';

/** A project on a git server, and changes of its baseline branch by hand. */

export const BRANCH = 'pacegate-baseline';

/** A bare repository with one commit, which may be pushed to over HTTP. */
export interface Forge {
  readonly bare: string;
  /** @param options of `git clone` */
  readonly clone: (...options: readonly string[]) => string;
}

export function startForge(): Forge {
  const first = repositoryWithOrigin();
  const bare = first.origin;
  runGit(bare, 'config', 'http.receivepack', 'true');
  first.write('app.py', 'app');
  first.commit('app');
  first.git('push', '-q', 'origin', 'main');
  return { bare, clone: (...options) => cloneOf(bare, options).path };
}

/** Writes files on the baseline branch as a person would, in a clone. */
export function edit(bare: string, files: Readonly<Record<string, string>>): void {
  const other = cloneOf(bare, ['-b', BRANCH]);
  for (const [name, text] of Object.entries(files)) other.write(name, text);
  other.commit('by hand');
  other.git('push', '-q', 'origin', BRANCH);
}

/** Files of so many sessions, in the order of their numbers, which start at 1. */
export const sessionFiles = (count: number, text: (at: number) => string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `pacegate/sessions/20270102T${String(index + 1).padStart(6, '0')}-x.json`,
      text(index + 1),
    ]),
  );

function cloneOf(bare: string, options: readonly string[]): TestRepository {
  const clone = repository(temporaryFolder());
  clone.git('clone', '-q', ...options, `file://${bare}`, '.');
  return clone;
}
