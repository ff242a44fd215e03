import { getExecOutput } from '@actions/exec';
import { StoreError } from '../errors/errors.ts';

export interface GitOptions {
  /** Added to this process's environment: `GIT_INDEX_FILE`, credentials in `GIT_CONFIG_*`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface GitResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs git in a folder and gives what it answered, whatever its status. Never asks for a password. */
export async function tryGit(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitResult> {
  const { exitCode, stdout, stderr } = await getExecOutput('git', [...args], {
    cwd: directory,
    silent: true,
    ignoreReturnCode: true,
    env: {
      ...definedEnvironment(),
      GIT_TERMINAL_PROMPT: '0',
      // Messages are told apart by their words in one place (a rejected push), so they must be in one language.
      LC_ALL: 'C.UTF-8',
      ...options.env,
    },
    ...(options.input === undefined ? {} : { input: Buffer.from(options.input) }),
  });
  return { status: exitCode, stdout, stderr };
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

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
