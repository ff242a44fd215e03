import { spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { runCommand } from './command.ts';

/** After this time without an answer an engine counts as silent. It answers such a request within milliseconds. */
const ANSWER_SECONDS = 10;
/**
 * Time between two requests during a run; the first value is for a socket, where a request takes a tenth of a
 * millisecond.
 */
const PING_SECONDS = 5;
const CLIENT_PING_SECONDS = 30;
/** One request may time out because this process itself was stopped. */
const SILENT_TIMES = 2;
/** The time limit of each request. */
const PING_ANSWER_SECONDS = 5;

export const ENGINE_SILENT =
  'the Docker engine does not answer, which is not caused by what is built or measured. Restart it (`docker info` and its log say more), then run this again.';

/** Whether a Docker engine answers now. Never throws; false without a docker client. */
export async function engineAnswers(seconds = ANSWER_SECONDS): Promise<boolean> {
  const socket = await engineSocket();
  if (socket !== undefined) return await pingSocket(socket, seconds);
  const asked = runCommand('docker', ['version', '--format', '{{.Server.Version}}'], {
    timeoutSeconds: seconds,
  });
  return await asked.then(
    ({ status }) => status === 0,
    () => false,
  );
}

/** Watches an engine during a long operation. */
export interface EngineWatch {
  /** Fires when two requests in a row have no answer. */
  readonly silence: AbortSignal;
  readonly stop: () => void;
}

/** Asks the engine every few seconds until it is stopped. The requests do not affect measurements. */
export function watchEngine(answers: (seconds?: number) => Promise<boolean> = engineAnswers): EngineWatch {
  const silence = new AbortController();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let missed = 0;
  const again = async () => {
    const seconds = (await engineSocket()) === undefined ? CLIENT_PING_SECONDS : PING_SECONDS;
    if (!stopped) timer = setTimeout(() => void ask(), seconds * 1000).unref();
  };
  const ask = async () => {
    missed = (await answers(PING_ANSWER_SECONDS)) ? 0 : missed + 1;
    if (stopped) return;
    if (missed >= SILENT_TIMES) silence.abort(new Error('the engine does not answer'));
    else if (missed > 0) await ask();
    else await again();
  };
  void again();
  return {
    silence: silence.signal,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Cached, because the client's current context hardly changes during a run. */
let contextHost: Promise<string> | undefined;

/** The engine's socket on this machine; undefined for another kind of connection. */
async function engineSocket(): Promise<string | undefined> {
  const { DOCKER_HOST: named = '' } = process.env;
  contextHost ??= askContext();
  const host = named === '' ? await contextHost : named;
  return /^unix:\/\/(\/.+)$/.exec(host)?.[1];
}

async function askContext(): Promise<string> {
  const format = ['--format', '{{.Endpoints.docker.Host}}'];
  const asked = runCommand('docker', ['context', 'inspect', ...format], { timeoutSeconds: ANSWER_SECONDS });
  return await asked.then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}

async function pingSocket(socketPath: string, seconds: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request(
      { socketPath, path: '/_ping', headers: { host: 'docker' }, agent: false },
      (answer) => {
        answer.resume();
        end(answer.statusCode === 200);
      },
    );
    const timer = setTimeout(() => {
      end(false);
    }, seconds * 1000);
    const end = (answers: boolean) => {
      clearTimeout(timer);
      resolve(answers);
      asked.destroy();
    };
    asked.on('error', () => {
      end(false);
    });
    asked.end();
  });
}

/** The time limit of each call at the end of the process, because an engine that does not answer must not delay it. */
const LAST_CALL_MILLISECONDS = 5000;

/**
 * Calls docker synchronously, for the end of the process.
 * @returns its lines; empty if the engine does not answer
 */
export function askDockerNow(...args: readonly string[]): readonly string[] {
  const { error, stdout } = spawnSync('docker', args, {
    timeout: LAST_CALL_MILLISECONDS,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return error === undefined ? stdout.split('\n').filter((line) => line !== '') : [];
}
