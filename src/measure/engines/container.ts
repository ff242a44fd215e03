import type { Server } from '../../plan/plan.ts';
import { runCommand } from '../../process/command.ts';
import { converse } from '../../process/conversation.ts';
import { engineAnswers, ENGINE_SILENT, watchEngine } from '../../process/docker-engine.ts';
import { maxAnswerBytes } from '../counting/counted-run.ts';
import { serverOf, watchdogSeconds, type Engine, type RunRequest, type RunResult } from '../engine.ts';
import { MAX_ANSWER_BYTES, readProbeAnswer } from '../probe/probe-answer.ts';
import { unlessRemoved } from '../removed-files.ts';
import { runWithoutFigures } from '../run-failure.ts';
import { loadWatchdogSeconds, measureServer, serverWatchdogSeconds, type Program } from '../server/server.ts';
import { loadRequest } from './command-line.ts';
import { whyNoAnswer, withoutAnswer } from './container-end.ts';
import { containerFacts } from './container-facts.ts';
import {
  loadArguments,
  runArguments,
  serverArguments,
  SESSION_LABEL,
  type ContainerEngineOptions,
} from './container-arguments.ts';
import { removeByLabel, removeContainer } from './docker-questions.ts';

/**
 * Runs each workload in a fresh container through the docker client: one call a run, nothing more. A server has one, and
 * each round of its load another.
 */
export function containerEngine(options: ContainerEngineOptions): Engine {
  let count = 0;
  /** Whether the engine was silent when it was last asked: then the next run does not wait for it anew. */
  let silent = false;
  return {
    run: async (request, signal) => {
      count += 1;
      const name = `pacegate-${options.sessionId}-${count}`;
      if (silent && !(await engineAnswers())) return runWithoutFigures('engine', ENGINE_SILENT);
      silent = false;
      const watch = watchEngine();
      try {
        const result = await containerRun(request, name, options, AbortSignal.any([signal, watch.silence]));
        return watch.silence.aborted && !signal.aborted
          ? runWithoutFigures('engine', ENGINE_SILENT)
          : await unlessRemoved(result, request, [options.probe]);
      } catch (error) {
        return runWithoutFigures('engine', `the docker client could not be started (${String(error)})`);
      } finally {
        silent = watch.silence.aborted;
        watch.stop();
      }
    },
    facts: async (runnable, limits) => {
      count += 1;
      return await containerFacts(runnable, `pacegate-${options.sessionId}-${count}`, options, limits);
    },
    cleanUp: async () => await removeByLabel(`${SESSION_LABEL}=${options.sessionId}`),
  };
}

/** @param signal fires where the run is cancelled, and where the engine falls silent */
async function containerRun(
  request: RunRequest,
  name: string,
  options: ContainerEngineOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const server = serverOf(request);
  if (server !== undefined) return await serverRun(request, server, name, options, signal);
  const result = await runCommand('docker', runArguments(request, name, options), {
    timeoutSeconds: watchdogSeconds(request),
    maxStdoutBytes: maxAnswerBytes(request),
    signal,
  });
  const answer =
    readProbeAnswer(result) ??
    (signal.aborted ? withoutAnswer(result, request) : await whyNoAnswer(result, request, name));
  // A client that is killed leaves its container; the name makes it ours to remove.
  if (result.status === null || signal.aborted) await removeContainer(name);
  return answer;
}

/** A server in one container, and its load in others that see nothing but the server's network. */
async function serverRun(
  request: RunRequest,
  server: Server,
  name: string,
  options: ContainerEngineOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const load = loadRequest(request, server);
  return await measureServer(request, server, {
    server: () =>
      containerProgram(name, serverArguments(request, server, name, options), request, {
        timeoutSeconds: serverWatchdogSeconds(request, server),
        signal,
      }),
    load: (round) => {
      const own = `${name}-load-${round}`;
      return containerProgram(own, loadArguments(load, own, name, options), load, {
        timeoutSeconds: loadWatchdogSeconds(request),
        signal,
      });
    },
  });
}

function containerProgram(
  name: string,
  words: readonly string[],
  request: RunRequest,
  limits: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
): Program {
  const conversation = converse('docker', words, { ...limits, maxStdoutBytes: MAX_ANSWER_BYTES });
  return {
    conversation,
    end: async (seconds) => {
      const result = await conversation.finish(seconds);
      // A client that is killed leaves its container; the name makes it ours to remove.
      if (result.status === null || limits.signal.aborted) await removeContainer(name);
      return result;
    },
    withoutAnswer: async (result) =>
      limits.signal.aborted ? withoutAnswer(result, request) : await whyNoAnswer(result, request, name),
  };
}
