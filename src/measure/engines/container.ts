import { constants } from 'node:os';
import { join, posix } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MeasurementError } from '../../errors/errors.ts';
import type { Server } from '../../plan/plan.ts';
import { runCommand, type CommandResult } from '../../process/command.ts';
import { converse } from '../../process/conversation.ts';
import { engineAnswers, ENGINE_SILENT, watchEngine } from '../../process/docker-engine.ts';
import type { InterpreterFacts } from '../../session/facts.ts';
import type { ProcessReading } from '../../session/machine-reading.ts';
import {
  loadRequest,
  type ProbePlace,
  runWords,
  serverProbe,
  serveWords,
  diagnosticsModule,
  workloadEnvironment,
} from './command-line.ts';
import { countingMemory, hasCounters, maxAnswerBytes, type CountingPlaces } from '../counting/counted-run.ts';
import {
  serverOf,
  watchdogSeconds,
  type Engine,
  type FactsLimits,
  type Runnable,
  type RunRequest,
  type RunResult,
} from '../engine.ts';
import { factsArguments, factsLimits, readFacts } from '../probe/facts-answer.ts';
import { readProcess } from '../machine/machine-reading.ts';
import { MAX_ANSWER_BYTES, readProbeAnswer } from '../probe/probe-answer.ts';
import { profileEnvironment, type ProfilePlaces } from '../profile/profiled-command.ts';
import { unlessRemoved } from '../removed-files.ts';
import { loadWatchdogSeconds, measureServer, serverWatchdogSeconds, type Program } from '../server/server.ts';
import { runWithoutFigures } from '../run-failure.ts';

export const SESSION_LABEL = 'org.pacegate.session';
/** Process id and boot id of the owner, by which a later start tells the dead from the living. */
export const OWNER_LABEL = 'org.pacegate.owner';

const { SIGKILL, SIGTERM } = constants.signals;
const PROBE = '/pacegate/probe.py';
const SERVE = '/pacegate/serve.py';
const DIAGNOSTICS = '/pacegate/diagnostics.py';
const FACTS = '/pacegate/facts.py';
const METRICS_FOLDER = '/pacegate/metrics';
/** As much as the probe reads (METRICS_FILE_LIMIT); memory is taken as the file grows. */
const METRICS_FOLDER_SIZE = '128m';
const METRICS_FILE = `${METRICS_FOLDER}/metrics.json`;
/** What a profiler is mounted as, and where it leaves what it saw; in runs that are profiled alone. */
const PROFILE_PLACES: ProfilePlaces = {
  profiler: '/pacegate/profiler',
  pySpy: '/pacegate/py-spy',
  folder: '/pacegate/profiles',
};
const PROFILES_FOLDER_SIZE = '64m';
/** The same of valgrind, in runs that are counted alone. */
const COUNTING_PLACES: CountingPlaces = { tools: '/pacegate/valgrind', counts: '/pacegate/counts' };
/** Room for callgrind's files of some hundred processes; memory is taken as they grow. */
const COUNTS_SIZE = '256m';
const PLACE: ProbePlace = { contained: true, profiling: PROFILE_PLACES, counting: COUNTING_PLACES };

export interface ContainerEngineOptions {
  readonly sessionId: string;
  readonly owner: string;
  /** probe.py on this machine, absolute. */
  readonly probe: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
}

/** A docker client's status for "the engine could not do it", as opposed to the command's own status. */
const ENGINE_FAULT = 125;

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

/** Whether something that is being started again answers at once or not is chance: it is asked twice. */
const STOPPING_SECONDS = 2;

/** The same as `withoutAnswer`, where what the client says alone is not enough: the engine is asked. */
async function whyNoAnswer(result: CommandResult, request: RunRequest, name: string): Promise<RunResult> {
  const found = withoutAnswer(result, request);
  switch (found.outcome) {
    case 'timeout':
      return (await containerState(name)) === 'running' ? found : runWithoutFigures('engine', NO_ENDING);
    case 'signal': {
      // An engine that stops ends its containers.
      const answered = await engineAnswers();
      await delay(STOPPING_SECONDS * 1000);
      return answered && (await engineAnswers())
        ? found
        : runWithoutFigures('engine', `${found.message?.split('\n')[0] ?? ''}: ${ENGINE_SILENT}`);
    }
    default:
      return found;
  }
}

const NO_ENDING =
  'the engine did not start the container, or did not say that it ended: the probe ends each run at its time limit, and the docker client waited for half a minute longer';

/** `running`, `created`, `exited`… as the engine says it; nothing where it does not answer. */
async function containerState(name: string): Promise<string> {
  return (await askDocker('inspect', '--type', 'container', '--format', '{{.State.Status}}', name)).trim();
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

/** What ended a run in which the probe could not say it itself. */
export function withoutAnswer(
  result: CommandResult,
  { runnable, workload, counting }: RunRequest,
): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string) =>
    runWithoutFigures(outcome, message, result.stderr);
  if (result.timedOut) return failed('timeout', `the run did not end within ${workload.timeoutSeconds} s`);
  switch (result.status) {
    case null:
      return failed('engine', `the docker client was ended by ${result.signal ?? 'a signal'}`);
    case ENGINE_FAULT:
      return failed('engine', 'the engine could not start the container');
    case 126:
    case 127:
      // The client says both of its own troubles too, such as a file to mount that is gone.
      return isOfInterpreter(result.stderr)
        ? failed(
            'nonzero',
            `the interpreter ${runnable.python} cannot be started in the image ${runnable.image.id}`,
          )
        : failed('engine', 'the engine could not start the container');
    // The kernel or someone else ended the container as a whole.
    case 128 + SIGTERM:
      return failed('signal', 'the container was ended (SIGTERM)');
    case 128 + SIGKILL:
      return workload.memoryBytes === undefined
        ? failed('signal', 'the container was killed (SIGKILL)')
        : failed(
            'oom',
            `the container was killed, most likely for its memory limit of ${countingMemory(workload.memoryBytes, counting)} bytes`,
          );
    default:
      return failed('engine', `the probe gave no answer (status ${result.status})`);
  }
}

/** runc's words on the container's first program, as opposed to its mounts, its network and its limits. */
const isOfInterpreter = (stderr: string): boolean =>
  !stderr.includes('Error response from daemon') || /\bexec: |exec format error/.test(stderr);

/** The docker client's words for one run. Pure. */
export function runArguments(
  request: RunRequest,
  name: string,
  options: ContainerEngineOptions,
): readonly string[] {
  return containerArguments(request, name, options, {
    network: request.workload.network,
    probe: [PROBE, ...runWords(request, METRICS_FILE, PLACE)],
  });
}

/** The same for a server, whose probe is spoken to. Pure. */
export function serverArguments(
  request: RunRequest,
  server: Server,
  name: string,
  options: ContainerEngineOptions,
): readonly string[] {
  return containerArguments(request, name, options, {
    network: request.workload.network,
    interactive: true,
    isServer: true,
    probe: [SERVE, ...serveWords(request, server, PLACE)],
  });
}

/**
 * The same for one round of load: with no network of its own but the server's, so that with `none` both have a loopback
 * of their own and nothing else. Pure.
 * @param request the load's, as `loadRequest` makes it
 * @param server name of the server's container
 */
export function loadArguments(
  request: RunRequest,
  name: string,
  server: string,
  options: ContainerEngineOptions,
): readonly string[] {
  return containerArguments(request, name, options, {
    network: `container:${server}`,
    interactive: true,
    probe: [PROBE, ...runWords(request, METRICS_FILE, { ...PLACE, isLoad: true })],
  });
}

function containerArguments(
  request: RunRequest,
  name: string,
  { sessionId, owner, probe }: ContainerEngineOptions,
  own: {
    readonly network: string;
    /** Its probe is spoken to. */
    readonly interactive?: boolean;
    /** The server's own probe is there, too: it takes much from the other. */
    readonly isServer?: boolean;
    /** The probe's file and words. */
    readonly probe: readonly string[];
  },
): readonly string[] {
  const { runnable, workload, profile, counting } = request;
  const memory = countingMemory(workload.memoryBytes, counting);
  const environment = Object.entries({
    ...workloadEnvironment(request),
    ...profileEnvironment(request, PROFILE_PLACES),
  }).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const files = workload.files.flatMap((path) => [
    '--mount',
    mount(join(runnable.filesFrom, path), posix.join(runnable.workingDirectory, path)),
  ]);
  return [
    'run',
    '--rm',
    ...(own.interactive === true ? ['--interactive'] : []),
    ...isolation(sessionId, owner),
    ...(hasCounters(request) ? ['--cap-add', 'PERFMON'] : []),
    '--name',
    name,
    ...(request.traces === undefined ? [] : ['--cidfile', request.traces.containerIdFile]),
    '--network',
    own.network,
    '--pids-limit',
    String(workload.pids),
    // Equal limits: no swap, or a leak would be measured as slowness.
    ...(memory === undefined ? [] : ['--memory', String(memory), '--memory-swap', String(memory)]),
    '--mount',
    mount(probe, PROBE),
    ...(own.isServer === true ? ['--mount', mount(serverProbe(probe), SERVE)] : []),
    ...(profile === undefined && counting === undefined
      ? []
      : ['--mount', mount(diagnosticsModule(probe), DIAGNOSTICS)]),
    '--tmpfs',
    `${METRICS_FOLDER}:mode=1777,size=${METRICS_FOLDER_SIZE}`,
    ...(counting === undefined
      ? []
      : [
          ...['--mount', mount(counting.folder, COUNTING_PLACES.tools)],
          // exec: beside the counts is the launcher of valgrind's children.
          ...['--tmpfs', `${COUNTING_PLACES.counts}:mode=1777,exec,size=${COUNTS_SIZE}`],
        ]),
    ...(profile === undefined
      ? []
      : [
          ...['--tmpfs', `${PROFILE_PLACES.folder}:mode=1777,size=${PROFILES_FOLDER_SIZE}`],
          ...['--mount', mount(profile.scripts, PROFILE_PLACES.profiler)],
          ...(profile.pySpy === undefined ? [] : ['--mount', mount(profile.pySpy, PROFILE_PLACES.pySpy)]),
        ]),
    ...files,
    ...environment,
    '--workdir',
    runnable.workingDirectory,
    '--entrypoint',
    runnable.python,
    runnable.image.id,
    // The probe starts as bare as Python can: what the workload's interpreter loads is not its affair.
    ...['-I', '-S', ...own.probe],
  ];
}

/**
 * What every container of ours has: no privileges, no log on the disk, no health check of the image's, whose processes
 * would be measured with the workload, and labels to be found by.
 */
const isolation = (sessionId: string, owner: string) => [
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--log-driver', 'none', '--pull', 'never'],
  '--no-healthcheck',
  ...['--label', `${SESSION_LABEL}=${sessionId}`, '--label', `${OWNER_LABEL}=${owner}`],
];

/** docker reads a mount as CSV: a field with a comma, a quote or a line break must be quoted. */
function mount(source: string, target: string): string {
  const field = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return ['type=bind', field(`src=${source}`), field(`dst=${target}`), 'readonly'].join(',');
}

/** Starts the image's interpreter once, isolated as a run is, with some words and at most one file of ours. */
async function askInterpreter(
  runnable: Runnable,
  name: string,
  { sessionId, owner }: Pick<ContainerEngineOptions, 'sessionId' | 'owner'>,
  words: readonly string[],
  mounts: readonly string[] = [],
  limits: FactsLimits = {},
): Promise<CommandResult> {
  const result = await runCommand(
    'docker',
    [
      ...['run', '--rm', ...isolation(sessionId, owner), '--network', 'none', ...mounts],
      // A process of the image that goes on after its answer, or starts others, ends at these.
      ...['--pids-limit', '256', '--name', name],
      // A PATH of the variant decides which interpreter it is.
      ...Object.entries(runnable.env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      ...['--entrypoint', runnable.python, runnable.image.id],
      ...words,
    ],
    factsLimits(limits),
  );
  // A client that is killed leaves its container.
  if (result.status === null || limits.signal?.aborted === true) await removeContainer(name);
  return result;
}

async function containerFacts(
  runnable: Runnable,
  name: string,
  options: ContainerEngineOptions,
  limits: FactsLimits = {},
): Promise<InterpreterFacts> {
  const words = factsArguments(runnable, FACTS);
  const mounts = ['--mount', mount(options.facts, FACTS)];
  const result = await askInterpreter(runnable, name, options, words, mounts, limits);
  if (result.status !== 0 && limits.signal?.aborted !== true && !(await engineAnswers()))
    throw new MeasurementError(`${runnable.image.variant} (${runnable.image.side}): ${ENGINE_SILENT}`);
  return readFacts(result, {
    limits,
    who: `${runnable.image.variant} (${runnable.image.side})`,
    notStarted:
      result.status === ENGINE_FAULT
        ? `the engine could not start a container of the image ${runnable.image.id} to ask the interpreter what it is. The interpreter did not run; the engine names the cause.`
        : `the interpreter ${runnable.python} does not start in the image ${runnable.image.id} (status ${result.status ?? 'none'}). A variant's image must have it in the PATH; \`python:\` of the variant names another.`,
  });
}

/** What the kernel says of a process in a container of ours; nothing of it where the container does not answer. */
export async function readContainerProcess(
  runnable: Runnable,
  options: Pick<ContainerEngineOptions, 'sessionId' | 'owner'>,
): Promise<ProcessReading> {
  const words = ['-I', '-S', '-c', "print(open('/proc/self/status').read())"];
  const name = `pacegate-${options.sessionId}-status`;
  return readProcess((await askInterpreter(runnable, name, options, words)).stdout);
}

/** For a list or a state; removing a container may give gigabytes of its layer back. */
const QUESTION_SECONDS = 20;
const REMOVAL_SECONDS = 60;

/**
 * Asks docker for something that a machine without docker has nothing of.
 * @returns its output, or nothing: of an engine that does not answer too
 */
async function askDocker(...args: readonly string[]): Promise<string> {
  try {
    const timeoutSeconds = args[0] === 'rm' ? REMOVAL_SECONDS : QUESTION_SECONDS;
    return (await runCommand('docker', args, { timeoutSeconds })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

const REACH_SECONDS = 5;

async function removeContainer(...names: readonly string[]): Promise<void> {
  // With an engine that does not answer they stay: a later start removes them.
  if (names.length > 0 && (await engineAnswers(REACH_SECONDS)))
    await askDocker('rm', '--force', '--volumes', ...names);
}

async function removeByLabel(label: string): Promise<void> {
  const ids = await askDocker('ps', '--all', '--quiet', '--filter', `label=${label}`);
  await removeContainer(...ids.split('\n').filter((id) => id !== ''));
}

/** Age from which a container is a leftover whoever owns it: no run lasts as long. */
const LEFTOVER_SECONDS = 24 * 3600;

/**
 * Removes containers that earlier starts left behind because they were killed before their clean-up.
 * @param isAlive whether the owner that a label names may still be running
 */
export async function removeLeftovers(
  isAlive: (owner: string) => boolean,
  now: Date = new Date(),
): Promise<void> {
  const listed = await askDocker(
    ...['ps', '--all', '--filter', `label=${SESSION_LABEL}`],
    ...['--format', `{{.ID}}\t{{.Label "${OWNER_LABEL}"}}\t{{.CreatedAt}}`],
  );
  const dead = listed.split('\n').flatMap((line) => {
    const [id = '', owner = '', created = ''] = line.split('\t');
    return id !== '' && (!isAlive(owner) || ageSeconds(created, now) > LEFTOVER_SECONDS) ? [id] : [];
  });
  await removeContainer(...dead);
}

/** Of docker's `2026-01-31 12:00:00 +0100 CET`; 0 where it says it otherwise. */
function ageSeconds(created: string, now: Date): number {
  const time = Date.parse(/^\S+ \S+ [+-]\d{4}/.exec(created)?.[0] ?? '');
  return Number.isNaN(time) ? 0 : (now.getTime() - time) / 1000;
}
