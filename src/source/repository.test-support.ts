import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A real git repository in a temporary folder. */
export interface TestRepository {
  readonly path: string;
  readonly git: (...args: string[]) => string;
  readonly write: (name: string, text: string) => void;
  /**
   * Commits everything.
   * @returns the commit
   */
  readonly commit: (message: string) => string;
}

const folders: string[] = [];

/** Removes every folder that the tests created. */
export const removeTemporaryFolders = (): void =>
  folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true }));

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-test-'));
  folders.push(folder);
  return folder;
}

export const runGit = (directory: string, ...args: string[]): string =>
  execFileSync('git', args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@example.org',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@example.org',
      GIT_CONFIG_GLOBAL: '/dev/null',
    },
  }).trim();

/** @param path an existing clone; defaults to a new repository with the branch main */
export function repository(path?: string): TestRepository {
  const folder = path ?? temporaryFolder();
  if (path === undefined) runGit(folder, 'init', '-q', '-b', 'main');
  const git = (...args: string[]) => runGit(folder, ...args);
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  return {
    path: folder,
    git,
    write,
    commit: (message) => {
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
  };
}

/** A bare repository with the default branch `main`. A client may fetch any commit by its id, as from GitHub. */
export function bareRepository(): string {
  const folder = temporaryFolder();
  runGit(folder, 'init', '-q', '--bare', '-b', 'main');
  runGit(folder, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  return folder;
}

/** A new repository, and the bare repository `origin` that it pushes to. */
export function repositoryWithOrigin(): TestRepository & { readonly origin: string } {
  const [made, origin] = [repository(), bareRepository()];
  made.git('remote', 'add', 'origin', origin);
  return { ...made, origin };
}

/** A clone with one commit of history, like the runner's checkout. */
export function shallowClone(origin: string, ref: string): TestRepository {
  const folder = temporaryFolder();
  runGit(folder, 'init', '-q', '-b', 'checkout');
  runGit(folder, 'remote', 'add', 'origin', `file://${origin}`);
  runGit(folder, 'fetch', '-q', '--depth=1', 'origin', ref);
  runGit(folder, 'checkout', '-q', '--detach', 'FETCH_HEAD');
  return repository(folder);
}
