import type { Server } from '../../plan/plan.ts';
import type { CommandResult } from '../../process/command.ts';
import type { Conversation } from '../../process/conversation.ts';
import { DESCRIBED_METRICS } from '../../session/metric.ts';
import { watchdogSeconds, type RunRequest, type RunResult } from '../engine.ts';
import { checkedFromOutside, MARGIN_SECONDS_OF_A_ROUND } from '../outside-check.ts';
import { readProbeAnswer } from '../probe/probe-answer.ts';
import { runWithoutFigures, withTail } from '../run-failure.ts';

/** One of the two programs of a server's run: a probe in a container or on this machine. */
export interface Program {
  readonly conversation: Conversation;
  /** Waits so many seconds for its end, ends it, and removes what it left. */
  end(seconds: number): Promise<CommandResult>;
  /** Why it ended, if its probe could not report it. */
  withoutAnswer(result: CommandResult): RunResult | Promise<RunResult>;
}

/** How an engine starts them. */
export interface ServerPrograms {
  readonly server: () => Program;
  readonly load: (round: number) => Program;
}

/** Time limit of the engine to start a container, to end one, and to deliver a word. */
const ENGINE_SECONDS = 30;
/** The probe kills within these, and then starts the interpreter for the last time. */
const PROBE_SECONDS = 45;

/** Seconds after which the engine gives up on the probe of a server that should have ended itself. */
export const serverWatchdogSeconds = (request: RunRequest, server: Server): number =>
  server.startTimeoutSeconds +
  (server.warmUp + 1) * loadWatchdogSeconds(request) +
  server.stopTimeoutSeconds +
  ENGINE_SECONDS +
  PROBE_SECONDS;

/** The same for one round of load, which is started and then waits for its word. */
export const loadWatchdogSeconds = (request: RunRequest): number =>
  watchdogSeconds({ ...request, repetitions: 1 }) + 2 * ENGINE_SECONDS;

/**
 * Measures a server under load: starts it, waits until it is ready, runs the rounds of load, stops it.
 *
 * The figures are the server's own, between two words that stand around the last round alone: the start of the load's
 * container is in none of them. Wall time and the business metrics are that round's.
 */
export async function measureServer(
  request: RunRequest,
  server: Server,
  programs: ServerPrograms,
): Promise<RunResult> {
  const program = programs.server();
  let load: RunResult | undefined;
  const outside: Outside = {};
  let late = false;
  let result: CommandResult;
  try {
    const opening = await program.conversation.hear(
      eventOf('ready', 'occupied'),
      server.startTimeoutSeconds + server.stopTimeoutSeconds + ENGINE_SECONDS,
    );
    late = opening === undefined && !program.conversation.isOver();
    if (opening?.event === 'occupied') return occupied(opening.message);
    if (opening !== undefined) {
      load = await underLoad(request, server, program, programs, outside);
      program.conversation.say('stop');
      // Closing the input would end the probe before its answer.
      await program.conversation.hear(answerOf, server.stopTimeoutSeconds + PROBE_SECONDS);
    }
  } finally {
    result = await program.end(ENGINE_SECONDS);
  }
  const answer = readProbeAnswer(result) ?? (await program.withoutAnswer(result));
  // The probe keeps the server's time limit: where it says nothing the engine took the time.
  if (late) return runWithoutFigures('engine', 'the engine did not start the server', result.stderr);
  if (answer.outcome !== 'ok') return answer;
  if (load === undefined)
    return runWithoutFigures('engine', 'the probe of the server did not say that it was ready');
  if (load.outcome !== 'ok')
    return {
      ...load,
      noise: answer.noise,
      message: ofBoth(`load: ${load.message ?? load.outcome}`, result.stderr),
    };
  const { before, after } = outside;
  return checkedFromOutside(
    together(answer, load),
    1,
    before === undefined || after === undefined ? undefined : after - before,
    MARGIN_SECONDS_OF_A_ROUND,
  );
}

/**
 * CPU seconds of the server's container, as the kernel counts them, just behind the word that begins what is measured and
 * just before the one that ends it: what is between them is never more than what the probe has.
 */
interface Outside {
  before?: number | undefined;
  after?: number | undefined;
}

/** Rounds of load until one does not end well. @returns the last round's result: that of the measured one */
async function underLoad(
  request: RunRequest,
  server: Server,
  program: Program,
  programs: ServerPrograms,
  outside: Outside,
): Promise<RunResult | undefined> {
  for (let round = 0; ; round++) {
    const counts = round === server.warmUp;
    const load = await roundOfLoad(
      request,
      program.conversation,
      programs.load(round),
      counts ? outside : undefined,
    );
    if (counts || load.outcome !== 'ok') return load;
  }
}

/**
 * One round. A server that ends takes its load along: it would only wait for a dead server.
 * @param outside of the round that counts: what the kernel counts meanwhile is put there
 */
async function roundOfLoad(
  request: RunRequest,
  server: Conversation,
  load: Program,
  outside: Outside | undefined,
): Promise<RunResult> {
  const counts = outside !== undefined;
  const unlessEnded = async <Heard>(heard: Promise<Heard | undefined>) =>
    await Promise.race([heard, server.ended.then(() => undefined)]);
  let answered = false;
  let step: Pick<RunResult, 'outcome' | 'message'> | undefined;
  let result: CommandResult;
  try {
    step = { outcome: 'engine', message: `the engine did not start it within ${ENGINE_SECONDS} s` };
    const waits = await unlessEnded(load.conversation.hear(eventOf('waiting'), ENGINE_SECONDS));
    if (waits !== undefined && (!counts || (await ask(server, 'begin', 'begun')))) {
      step = {
        outcome: 'timeout',
        message: 'it did not end within its time limit, nor could its probe end it',
      };
      if (outside !== undefined) outside.before = request.traces?.outsideSeconds?.();
      load.conversation.say('go');
      const patience = request.workload.timeoutSeconds + ENGINE_SECONDS;
      answered = (await unlessEnded(load.conversation.hear(answerOf, patience))) !== undefined;
      if (outside !== undefined) outside.after = request.traces?.outsideSeconds?.();
      if (counts && answered) await ask(server, 'end', 'ended');
    }
    // A program that has ended reports the reason itself.
    if (answered || load.conversation.isOver() || server.isOver()) step = undefined;
  } finally {
    result = await load.end(answered ? ENGINE_SECONDS : 0);
  }
  if (step !== undefined) return runWithoutFigures(step.outcome, step.message ?? '', result.stderr);
  return readProbeAnswer(result) ?? (await load.withoutAnswer(result));
}

async function ask(server: Conversation, word: string, answer: string): Promise<boolean> {
  server.say(word);
  return (await server.hear(eventOf(answer), ENGINE_SECONDS)) !== undefined;
}

/** A probe's message to Pacegate. Any other output is ignored. */
const eventOf =
  (...names: readonly string[]) =>
  (line: string): { readonly event: string; readonly message: string } | undefined => {
    const { event, message } = fieldsOf(line);
    return typeof event === 'string' && names.includes(event)
      ? { event, message: typeof message === 'string' ? message.slice(0, 1000) : '' }
      : undefined;
  };

/** Whether a line is the probe's answer, which is read only after the probe has succeeded. */
const answerOf = (line: string): true | undefined => ('outcome' in fieldsOf(line) ? true : undefined);

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const occupied = (message: string): RunResult =>
  runWithoutFigures(
    'engine',
    `${message}: another program of this machine uses it, and Pacegate would measure that program instead of the server. End that program, or let workload.command and server.ready name another port.`,
  );

/** The last lines of both programs, because the server often causes a failure of the load. */
const ofBoth = (message: string, serverOutput: string): string =>
  serverOutput.trim() === '' ? message : withTail(`${message}\nThe server's last lines:`, serverOutput);

const ENGINE_METRICS: ReadonlySet<string> = new Set(DESCRIBED_METRICS.map(({ name }) => name));
/** Two clocks' reading of the same time, in seconds. */
const CLOCK_SECONDS = 0.01;

/** One run of the two: the server's figures, the load's business metrics, and the wall time of its round. */
function together(server: RunResult, load: RunResult): RunResult {
  const { window_s: windowSeconds = 0, ...metrics } = server.metrics;
  const { wall_time_s: wall = 0, cpu_time_s: loadCpu } = load.metrics;
  // The word `end` before its time would hide what the server does: it can find its probe's input through /proc.
  if (windowSeconds < wall - CLOCK_SECONDS)
    return {
      ...runWithoutFigures(
        'nonzero',
        `the server was measured for ${windowSeconds.toFixed(3)} s while its load took ${wall.toFixed(3)} s: something other than Pacegate wrote to the probe of the server`,
      ),
      noise: server.noise,
    };
  const { other_cpu_s: others, ...noise } = server.noise;
  return {
    ...server,
    // The load is no other's work, though the server's probe cannot know it.
    noise: {
      ...noise,
      ...(others === undefined ? {} : { other_cpu_s: Math.max(0, others - (loadCpu ?? 0)) }),
    },
    metrics: {
      ...Object.fromEntries(Object.entries(load.metrics).filter(([name]) => !ENGINE_METRICS.has(name))),
      ...metrics,
      wall_time_s: wall,
      ...(loadCpu === undefined ? {} : { load_cpu_time_s: loadCpu }),
    },
    declared: load.declared,
    exitStatus: load.exitStatus,
  };
}
