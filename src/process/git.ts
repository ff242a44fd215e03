import { existsSync } from 'node:fs';
import { ConfigurationError, StoreError } from '../errors/errors.ts';
import { runCommand } from './command.ts';

/** Runs git with an argument list, and reads its answers. */

export interface GitOptions {
  /** Added to this process's environment: `GIT_INDEX_FILE`, credentials in `GIT_CONFIG_*`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string | undefined;
  /** Seconds until a call that uses a server is killed. Other calls have `LOCAL_SECONDS`. */
  readonly timeoutSeconds?: number | undefined;
}

export interface GitResult {
  /** Git's exit status; `KILLED` if a signal or the time limit ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The time limit of local calls. A large repository takes seconds; the limit is for a disk that does not answer. */
const LOCAL_SECONDS = 600;
/** Seconds for a fetch or a push: a server that is silent for longer must not hold a job. */
export const SERVER_SECONDS = 300;
/** The status that a shell gives a command that a signal killed. */
const KILLED = 137;
/** The largest output. A session of some thousand runs has some MiB. */
const MOST_STDOUT_BYTES = 1024 * 1024 * 1024;

/**
 * Switches off the user's hooks, the file system monitor, which would keep running, and the rewriting of the index by
 * `git status`.
 */
const LEAVE_ALONE = ['--no-optional-locks', '-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false'];

let cancelling: AbortSignal | undefined;

/**
 * From now on the signal ends running git calls, so that a silent server does not delay a cancelled run. After the
 * signal git still reads and writes the disk, which storing the session needs, and uses no server.
 */
export const endGitWith = (signal: AbortSignal | undefined): void => void (cancelling = signal);

/**
 * Runs git in a folder and returns its output for any status. Never asks for a password. @throws ConfigurationError
 * without git; StoreError if the run was cancelled meanwhile
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
        // The reason of a rejected push is read from git's messages, so they must be in English.
        LC_ALL: 'C.UTF-8',
        LANGUAGE: '',
        ...(view && alternates(view, env)),
        ...env,
      },
      timeoutSeconds,
      maxStdoutBytes: MOST_STDOUT_BYTES,
      signal: before ? undefined : cancel,
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

/** @param args git's arguments; the command is the first one that is not a setting */
function cancelledIn(args: readonly string[]): StoreError {
  const command = args.find((word, index) => !word.startsWith('-') && args[index - 1] !== '-c');
  return new StoreError(
    `The run was cancelled while git worked (\`git ${command ?? ''}\`), so git was ended and there is no verdict.`,
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

/** Pacegate's object folders that git also reads, by the folder in which git runs. */
const viewOf = new Map<string, string>();

/** From now on git in `directory` also reads the objects in `objects`, which were fetched into Pacegate's store. */
export const showObjects = (directory: string, objects: string): void => void viewOf.set(directory, objects);

export const hideObjects = (): void => viewOf.clear();

function alternates(objects: string, env: GitOptions['env'] = {}): Record<string, string> {
  const name = 'GIT_ALTERNATE_OBJECT_DIRECTORIES';
  const before = env[name] ?? process.env[name];
  // In quotes, so that a colon in a folder's name does not separate paths.
  const own = `"${objects.replace(/["\\]/g, '\\$&')}"`;
  return { [name]: before === undefined || before === '' ? own : `${own}:${before}` };
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';

/**
 * The lines of git's error stream that name the cause. The last line is often advice ("and the repository exists."),
 * and a server's reason comes before git's. @returns one line; `no message` without output
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
  // The message of ssh comes first; git only adds that it could not read.
  const spoken =
    own?.startsWith('fatal: Could not read from remote') === true ? local[0] : (own ?? rejected ?? local[0]);
  const words = [...new Set([...fromServer.slice(0, MOST_REASONS), rejected, spoken])].filter(
    (line) => line !== undefined,
  );
  return words.length === 0 ? 'no message' : words.join('; ').slice(0, MOST_CHARACTERS);
}

/** GitHub's message about a rule has about five lines with an address. */
const MOST_REASONS = 8;
const MOST_CHARACTERS = 1000;
