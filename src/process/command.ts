import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** The result of a finished command. `status` is null if a signal ended it. */
export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** The last part of the error stream, at most `STDERR_TAIL_BYTES` characters. */
  readonly stderr: string;
  /** True when `timeoutSeconds` ran out and the command was killed. */
  readonly timedOut: boolean;
}

export interface CommandOptions {
  readonly cwd?: string | undefined;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly input?: string | undefined;
  /** Given the program's standard input, which then stays open until it is ended there; in place of `input`. */
  readonly onInput?: ((input: Writable) => void) | undefined;
  readonly timeoutSeconds?: number | undefined;
  /** When it aborts, the command gets SIGTERM, and SIGKILL after `GRACE_SECONDS`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Runs the command in a process group of its own. Its end, and the end of this process, also end what the command
   * started, such as a plugin of the docker client.
   */
  readonly group?: boolean | undefined;
  /** Called with each whole line of the error stream, as it comes. */
  readonly onStderrLine?: ((line: string) => void) | undefined;
  /** Called with each whole line of stdout, as it comes. */
  readonly onStdoutLine?: ((line: string) => void) | undefined;
  /** Called with the process id as soon as there is one. */
  readonly onStart?: ((pid: number) => void) | undefined;
  /** How much of stdout is kept before the command is killed as flooding. Default 64 MiB. */
  readonly maxStdoutBytes?: number | undefined;
}

const STDERR_TAIL_BYTES = 16_384;
const DEFAULT_MAX_STDOUT_BYTES = 64 * 1024 * 1024;
/** Less than the 7.5 s that GitHub's runner waits between its own two signals. */
const GRACE_SECONDS = 5;
/** After a command's end its last output is in the pipe; reading it takes no time. */
const PIPE_SECONDS = 1;

/**
 * Runs a program with an argument list, never through a shell, and waits for its end.
 *
 * Not @actions/exec, because it has no time limit, no abort signal and no bound on the output, and a workload's output
 * may be hostile.
 *
 * @throws the spawn error (`ENOENT`…) when the program cannot be started at all.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutSeconds, signal, maxStdoutBytes = DEFAULT_MAX_STDOUT_BYTES } = options;
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env === undefined ? process.env : { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: options.group === true,
  });
  // If the pipes cannot be created (EMFILE), only the error event follows.
  if (!hasPipes(child)) throw await new Promise((resolve) => child.once('error', resolve));
  const end = (name: NodeJS.Signals) => {
    state.ended = true;
    if (options.group === true && child.pid !== undefined) killGroup(child.pid, name);
    else child.kill(name);
  };

  if (child.pid !== undefined) options.onStart?.(child.pid);
  const unwatch =
    options.group === true && child.pid !== undefined ? endGroupWithUs(child.pid) : () => undefined;

  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = '';
  let partialLine = '';
  let partialAnswer = '';
  const decoder = new StringDecoder('utf8');
  let timedOut = false;
  const state = { ended: false };

  child.stdout.on('data', (chunk: Buffer) => {
    stdoutBytes += chunk.length;
    if (stdoutBytes > maxStdoutBytes) {
      end('SIGKILL');
      return;
    }
    stdout.push(chunk);
    if (options.onStdoutLine === undefined) return;
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    // A line that arrives in many pieces is joined once, not at each piece.
    const begun = partialAnswer + first;
    const last = rest.pop();
    partialAnswer = last ?? begun;
    if (last === undefined) return;
    for (const line of [begun, ...rest]) options.onStdoutLine(line);
  });
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-STDERR_TAIL_BYTES);
    if (options.onStderrLine === undefined) return;
    const lines = (partialLine + chunk).split('\n');
    partialLine = (lines.pop() ?? '').slice(-STDERR_TAIL_BYTES);
    for (const line of lines) options.onStderrLine(line);
  });
  // A program that ends without reading its input is not an error.
  child.stdin.on('error', () => undefined);
  if (options.onInput === undefined) child.stdin.end(options.input ?? '');
  else options.onInput(child.stdin);

  const timer =
    timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end('SIGKILL');
        }, timeoutSeconds * 1000);
  let ending: NodeJS.Timeout | undefined;
  const abort = () => {
    end('SIGTERM');
    ending = setTimeout(() => {
      end('SIGKILL');
    }, GRACE_SECONDS * 1000);
  };
  let releasing: NodeJS.Timeout | undefined;
  const release = () => {
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });

  try {
    const [status, endSignal] = await new Promise<[number | null, NodeJS.Signals | null]>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, name) => resolve([code, name]));
        // A process that the command left behind may hold its pipes open; this function does not wait for it.
        child.once('exit', () => {
          clearTimeout(timer);
          releasing = setTimeout(() => setImmediate(release), PIPE_SECONDS * 1000);
        });
      },
    );
    if (partialLine !== '') options.onStderrLine?.(partialLine);
    return { status, signal: endSignal, stdout: Buffer.concat(stdout).toString('utf8'), stderr, timedOut };
  } finally {
    clearTimeout(timer);
    clearTimeout(ending);
    clearTimeout(releasing);
    unwatch();
    // Processes that it left behind are not needed.
    if (options.group === true && state.ended) end('SIGKILL');
    signal?.removeEventListener('abort', abort);
  }
}

/** Node's types promise these streams, but they are missing if the process has too many open files. */
const hasPipes = (child: Pick<ReturnType<typeof spawn>, 'stdin'> | { readonly stdin: undefined }): boolean =>
  child.stdin !== undefined && child.stdin !== null;

function killGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name);
  } catch {
    // All of them have ended.
  }
}

/**
 * Kills a process group when this process ends. This process cannot do it after SIGKILL, so a shell waits for the end
 * of a pipe that only this process holds. Without a shell, the next start finds the group by its owner. @returns a
 * function that stops the watch, for a group that has ended
 */
function endGroupWithUs(leader: number): () => void {
  const watcher = spawn('sh', ['-c', `read -r line; kill -s KILL -- -${leader}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // The shell ignores Ctrl-C, because this process then ends the group.
    detached: true,
  });
  watcher.on('error', () => undefined);
  if (!hasPipes(watcher)) return () => undefined;
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  return () => {
    // The shell is killed before its pipe closes, because another process may have the group's number by then.
    watcher.kill('SIGKILL');
    watcher.stdin.destroy();
  };
}
