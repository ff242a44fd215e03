import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Runs a program: with an argument list, within bounds of time and output, and to an end that is enforced. */

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
  const child: Child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env === undefined ? process.env : { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: options.group === true,
  });
  // If the pipes cannot be created (EMFILE), only the error event follows.
  if (!hasPipes(child)) throw await new Promise((resolve) => child.once('error', resolve));
  const control = controlOf(child, options.group === true);
  if (child.pid !== undefined) options.onStart?.(child.pid);

  const stdout = collectStdout(child.stdout, options, () => control.end('SIGKILL'));
  const stderr = collectStderr(child.stderr, options.onStderrLine);
  giveInput(child.stdin, options);
  const bounds = enforceEnd(options, control.end);
  try {
    const [status, signal] = await endOf(child, bounds.clearTimeout);
    stderr.flush();
    return { status, signal, stdout: stdout(), stderr: stderr.tail(), timedOut: bounds.timedOut() };
  } finally {
    bounds.release();
    control.release();
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Control {
  /** Sends a signal to the command, or to its whole group. */
  readonly end: (name: NodeJS.Signals) => void;
  /** Ends the watch over the group. What an ended command left behind is killed. */
  readonly release: () => void;
}

function controlOf(child: Child, group: boolean): Control {
  const unwatch = group && child.pid !== undefined ? endGroupWithUs(child.pid) : () => undefined;
  let ended = false;
  const end = (name: NodeJS.Signals) => {
    ended = true;
    if (group && child.pid !== undefined) killGroup(child.pid, name);
    else child.kill(name);
  };
  return {
    end,
    release: () => {
      unwatch();
      // Processes that it left behind are not needed.
      if (group && ended) end('SIGKILL');
    },
  };
}

/** Keeps the output and hands on its whole lines. @returns the text so far */
function collectStdout(
  stream: Readable,
  { maxStdoutBytes = DEFAULT_MAX_STDOUT_BYTES, onStdoutLine }: CommandOptions,
  flooded: () => void,
): () => string {
  const chunks: Buffer[] = [];
  const decoder = new StringDecoder('utf8');
  let bytes = 0;
  let partial = '';
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxStdoutBytes) {
      flooded();
      return;
    }
    chunks.push(chunk);
    if (onStdoutLine === undefined) return;
    const [first = '', ...rest] = decoder.write(chunk).split('\n');
    // A line that arrives in many pieces is joined once, not at each piece.
    const begun = partial + first;
    const last = rest.pop();
    partial = last ?? begun;
    if (last === undefined) return;
    for (const line of [begun, ...rest]) onStdoutLine(line);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

/** Keeps the last part of the error stream and hands on its whole lines; `flush` hands on a last line without an end. */
function collectStderr(
  stream: Readable,
  onLine: CommandOptions['onStderrLine'],
): { readonly tail: () => string; readonly flush: () => void } {
  let tail = '';
  let partial = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-STDERR_TAIL_BYTES);
    if (onLine === undefined) return;
    const lines = (partial + chunk).split('\n');
    partial = (lines.pop() ?? '').slice(-STDERR_TAIL_BYTES);
    for (const line of lines) onLine(line);
  });
  return {
    tail: () => tail,
    flush: () => {
      if (partial !== '') onLine?.(partial);
    },
  };
}

function giveInput(stdin: Writable, { input = '', onInput }: CommandOptions): void {
  // A program that ends without reading its input is not an error.
  stdin.on('error', () => undefined);
  if (onInput === undefined) stdin.end(input);
  else onInput(stdin);
}

interface Bounds {
  readonly timedOut: () => boolean;
  /** The time limit is of the command, not of what it left behind. */
  readonly clearTimeout: () => void;
  readonly release: () => void;
}

/** Ends the command at its time limit, and when the signal aborts. */
function enforceEnd({ timeoutSeconds, signal }: CommandOptions, end: Control['end']): Bounds {
  let timedOut = false;
  const timer =
    timeoutSeconds === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end('SIGKILL');
        }, timeoutSeconds * 1000);
  let killing: NodeJS.Timeout | undefined;
  const abort = () => {
    end('SIGTERM');
    killing = setTimeout(() => end('SIGKILL'), GRACE_SECONDS * 1000);
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return {
    timedOut: () => timedOut,
    clearTimeout: () => clearTimeout(timer),
    release: () => {
      clearTimeout(timer);
      clearTimeout(killing);
      signal?.removeEventListener('abort', abort);
    },
  };
}

/**
 * Waits for the end of the command and of its output.
 * @throws the spawn error
 */
async function endOf(
  child: Child,
  exited: () => void,
): Promise<readonly [number | null, NodeJS.Signals | null]> {
  let releasing: NodeJS.Timeout | undefined;
  const release = () => {
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy();
  };
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, name) => resolve([code, name]));
      // A process that the command left behind may hold its pipes open; this function does not wait for it.
      child.once('exit', () => {
        exited();
        releasing = setTimeout(() => setImmediate(release), PIPE_SECONDS * 1000);
      });
    });
  } finally {
    clearTimeout(releasing);
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
