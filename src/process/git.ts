import { existsSync } from 'node:fs';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { runCommand } from './command.ts';

/** Runs git with an argument list, and reads its answers. */

export interface GitOptions {
  /** Added to this process's environment: `GIT_INDEX_FILE`, credentials in `GIT_CONFIG_*`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | undefined;
  /** Seconds until git is killed, of a call that asks a server. One that does not has `LOCAL_SECONDS`. */
  readonly timeoutSeconds?: number | undefined;
}

export interface GitResult {
  /** What git ended with; `KILLED` where a signal or the deadline ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Reading and writing objects of a large repository takes seconds; this is for a disk that does not answer. */
const LOCAL_SECONDS = 600;
/** Seconds for a fetch or a push: a server that is silent for longer must not hold a job. */
export const SERVER_SECONDS = 300;
/** The status that a shell gives a command that a signal killed. */
const KILLED = 137;
/** A session of some thousand runs has some MiB; a flood is killed. */
const MOST_STDOUT_BYTES = 1024 * 1024 * 1024;

/**
 * The user's hooks are for the user's own commands, a file system monitor would be started for good, and `git status`
 * rewrites the index unless it is told not to.
 */
const LEAVE_ALONE = ['--no-optional-locks', '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];

let cancelling: AbortSignal | undefined;

/**
 * From now on the signal ends what git is doing: a server that does not answer must not hold a run that is cancelled.
 * After it git still answers from the disk, which keeping the session needs, and asks no server any more.
 */
export const endGitWith = (signal: AbortSignal | undefined): void => void (cancelling = signal);

/**
 * Runs git in a folder and gives what it answered, whatever its status. Never asks for a password.
 * @throws ConfigurationError where there is no git; StoreError where the run was cancelled meanwhile
 */
export async function tryGit(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitResult> {
  const { env, input, timeoutSeconds = LOCAL_SECONDS } = options;
  const view = viewOf.get(directory);
  const cancel = cancelling;
  const isCancelled = () => cancel?.aborted === true;
  const before = isCancelled();
  const asksServer = options.timeoutSeconds !== undefined;
  if (before && asksServer) throw cancelledIn(args);
  try {
    const ended = await runCommand('git', [...LEAVE_ALONE, ...args], {
      cwd: directory,
      env: {
        GIT_TERMINAL_PROMPT: '0',
        // Messages are told apart by their words in one place (a rejected push), so they must be in one language.
        LC_ALL: 'C.UTF-8',
        LANGUAGE: '',
        ...(view === undefined ? {} : alternates(view, env)),
        ...env,
      },
      timeoutSeconds,
      maxStdoutBytes: MOST_STDOUT_BYTES,
      ...(cancel === undefined || before ? {} : { signal: cancel }),
      input,
    });
    if (!before && isCancelled() && ended.status !== 0) throw cancelledIn(args);
    const stderr = ended.timedOut
      ? `${ended.stderr}\nfatal: git did not end within ${timeoutSeconds} s`
      : ended.stderr;
    return { status: ended.status ?? KILLED, stdout: ended.stdout, stderr };
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw existsSync(directory)
      ? new ConfigurationError(
          'git was not found on the PATH. Pacegate reads the two commits that it compares with it: install git (apt-get install git), or use an image that has it.',
          { cause: error },
        )
      : new ConfigurationError(`The folder ${directory} does not exist, so git cannot read it.`, {
          cause: error,
        });
  }
}

/** @param args git's words, of which the command itself is the first that is no setting */
function cancelledIn(args: readonly string[]): StoreError {
  const command = args.find((word, index) => !word.startsWith('-') && args[index - 1] !== '-c');
  return new StoreError(
    `The run was cancelled while git worked (\`git ${command ?? ''}\`), so git was ended and nothing was decided.`,
  );
}

/**
 * Runs git in a folder.
 * @returns its standard output without the last line break.
 * @throws StoreError with the command and git's own words when its status is not 0.
 */
export async function git(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryGit(directory, args, options);
  if (status !== 0)
    throw new StoreError(
      `\`git ${args.join(' ')}\` in ${directory} ended with status ${status}: ${stderr.trim() || 'no message'}`,
    );
  return stdout.replace(/\n$/, '');
}

/** Object folders of the tool's own that git also looks into, by the folder that git runs in. */
const viewOf = new Map<string, string>();

/** From now on git in `directory` also sees the objects in `objects`: what was fetched and not given to the user. */
export const showObjects = (directory: string, objects: string): void => void viewOf.set(directory, objects);

export const hideObjects = (): void => viewOf.clear();

function alternates(objects: string, env: GitOptions['env'] = {}): Record<string, string> {
  const name = 'GIT_ALTERNATE_OBJECT_DIRECTORIES';
  const before = env[name] ?? process.env[name];
  // In quotes, so that a colon in a folder's name parts nothing.
  const own = `"${objects.replace(/["\\]/g, '\\$&')}"`;
  return { [name]: before === undefined || before === '' ? own : `${own}:${before}` };
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

/**
 * The lines of git's error stream that say what is wrong. Its last one is often advice ("and the repository
 * exists."), and a server's own reason comes before git's.
 *
 * @returns one line; `no message` where git said nothing
 */
export function gitReason(stderr: string): string {
  const lines = stderr
    // A terminal's carriage returns and control bytes do not belong in a message.
    .split(/[\r\n]+/)
    .map((line) => line.replace(/\p{Cc}(\[[0-9;]*[A-Za-z])?/gu, '').trim())
    .filter((line) => line !== '' && !/^(hint|warning|To |From |Everything up-to-date)/.test(line));
  const fromServer = lines
    .filter((line) => line.startsWith('remote:'))
    .map((line) => line.slice('remote:'.length).trim())
    .filter((line) => line !== '' && !/^(Counting|Compressing|Enumerating|Total|Resolving) /.test(line));
  const local = lines.filter((line) => !line.startsWith('remote:'));
  const rejected = local.find((line) => line.startsWith('! '))?.replace(/^! /, '');
  const own = local.find(
    (line) => /^(fatal|error): /.test(line) && !line.includes('failed to push some refs'),
  );
  // ssh speaks before git does, and git then only says that it could not read.
  const spoken =
    own?.startsWith('fatal: Could not read from remote') === true ? local[0] : (own ?? rejected ?? local[0]);
  const words = [...new Set([...fromServer.slice(0, MOST_REASONS), rejected, spoken])].filter(
    (line) => line !== undefined,
  );
  return words.length === 0 ? 'no message' : words.join('; ').slice(0, MOST_CHARACTERS);
}

/** GitHub's own words on a rule have some five lines, with an address to look at. */
const MOST_REASONS = 8;
const MOST_CHARACTERS = 1000;
