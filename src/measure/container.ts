import { constants } from 'node:os';
import { join, posix } from 'node:path';
import { runCommand, type CommandResult } from '../process/command.ts';
import type { InterpreterFacts } from '../session/facts.ts';
import type { ProcessReading } from '../session/machine-reading.ts';
import { interpreterWords, watchdogSeconds, workloadCommand, workloadEnvironment } from './command-line.ts';
import type { Engine, Runnable, RunRequest, RunResult } from './engine.ts';
import { factsArguments, FACTS_LIMITS, readFacts } from './facts-answer.ts';
import { readProcess } from './machine-reading.ts';
import { MAX_ANSWER_BYTES, readProbeAnswer, unmeasured } from './probe-answer.ts';
import { profiledCommand, profileEnvironment, type ProfilePlaces } from './profiled-command.ts';

export const SESSION_LABEL = 'org.pacegate.session';
/** Process id and boot id of the owner, by which a later start tells the dead from the living. */
export const OWNER_LABEL = 'org.pacegate.owner';

const { SIGKILL, SIGTERM } = constants.signals;
const PROBE = '/pacegate/probe.py';
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

/** Runs each workload in a fresh container through the docker client: one call a run, nothing more. */
export function containerEngine(options: ContainerEngineOptions): Engine {
  let count = 0;
  return {
    run: async (request, signal) => {
      count += 1;
      const name = `pacegate-${options.sessionId}-${count}`;
      try {
        const result = await runCommand('docker', runArguments(request, name, options), {
          timeoutSeconds: watchdogSeconds(request),
          maxStdoutBytes: MAX_ANSWER_BYTES,
          signal,
        });
        // A client that is killed leaves its container; the name makes it ours to remove.
        if (result.status === null || signal.aborted) await removeContainer(name);
        return readProbeAnswer(result) ?? withoutAnswer(result, request);
      } catch (error) {
        return unmeasured('engine', `the docker client could not be started (${String(error)})`);
      }
    },
    facts: async (runnable) => {
      count += 1;
      return await containerFacts(runnable, `pacegate-${options.sessionId}-${count}`, options);
    },
    cleanUp: async () => await removeByLabel(`${SESSION_LABEL}=${options.sessionId}`),
  };
}

/** What ended a run in which the probe could not say it itself. */
export function withoutAnswer(result: CommandResult, { runnable, workload }: RunRequest): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string) =>
    unmeasured(outcome, message, result.stderr);
  if (result.timedOut) return failed('timeout', `the run did not end within ${workload.timeoutSeconds} s`);
  switch (result.status) {
    case null:
      return failed('engine', `the docker client was ended by ${result.signal ?? 'a signal'}`);
    case ENGINE_FAULT:
      return failed('engine', 'the engine could not start the container');
    case 126:
    case 127:
      return failed(
        'nonzero',
        `the interpreter ${runnable.python} cannot be started in the image ${runnable.image.id}`,
      );
    // The kernel or someone else ended the container as a whole.
    case 128 + SIGTERM:
      return failed('signal', 'the container was ended (SIGTERM)');
    case 128 + SIGKILL:
      return workload.memoryBytes === undefined
        ? failed('signal', 'the container was killed (SIGKILL)')
        : failed(
            'oom',
            `the container was killed, most likely for its memory limit of ${workload.memoryBytes} bytes`,
          );
    default:
      return failed('engine', `the probe gave no answer (status ${result.status})`);
  }
}

/** The docker client's words for one run. Pure. */
export function runArguments(
  request: RunRequest,
  name: string,
  { sessionId, owner, probe }: ContainerEngineOptions,
): readonly string[] {
  const { runnable, workload, repetitions, profile } = request;
  const own = workloadEnvironment(request);
  const environment = Object.entries({ ...own, ...profileEnvironment(request, own, PROFILE_PLACES) }).flatMap(
    ([key, value]) => ['--env', `${key}=${value}`],
  );
  const files = workload.files.flatMap((path) => [
    '--mount',
    mount(join(runnable.filesFrom, path), posix.join(runnable.workingDirectory, path)),
  ]);
  return [
    'run',
    '--rm',
    ...isolation(sessionId, owner),
    '--name',
    name,
    ...(request.traces === undefined ? [] : ['--cidfile', request.traces.containerIdFile]),
    '--network',
    workload.network,
    '--pids-limit',
    String(workload.pids),
    // Equal limits: no swap, or a leak would be measured as slowness.
    ...(workload.memoryBytes === undefined
      ? []
      : ['--memory', String(workload.memoryBytes), '--memory-swap', String(workload.memoryBytes)]),
    '--mount',
    mount(probe, PROBE),
    '--tmpfs',
    `${METRICS_FOLDER}:mode=1777,size=${METRICS_FOLDER_SIZE}`,
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
    ...['-I', '-S', PROBE, 'run', '--contained'],
    `--timeout=${workload.timeoutSeconds}`,
    `--repetitions=${repetitions}`,
    `--interpreter=${interpreterWords(request)}`,
    `--metrics=${METRICS_FILE}`,
    ...(profile === undefined ? [] : [`--profiles=${PROFILE_PLACES.folder}`]),
    '--',
    ...profiledCommand(request, workloadCommand(request, METRICS_FILE), PROFILE_PLACES),
  ];
}

/** What every container of ours has: no privileges, no log on the disk, and labels to be found by. */
const isolation = (sessionId: string, owner: string) => [
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--log-driver', 'none', '--pull', 'never'],
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
): Promise<CommandResult> {
  const result = await runCommand(
    'docker',
    [
      ...['run', '--rm', ...isolation(sessionId, owner), '--network', 'none', ...mounts],
      // A process of the image that goes on after its answer, or starts others, ends at these.
      ...['--pids-limit', '256', '--name', name, '--entrypoint', runnable.python, runnable.image.id],
      ...words,
    ],
    FACTS_LIMITS,
  );
  // A client that is killed leaves its container.
  if (result.status === null) await removeContainer(name);
  return result;
}

async function containerFacts(
  runnable: Runnable,
  name: string,
  options: ContainerEngineOptions,
): Promise<InterpreterFacts> {
  const words = factsArguments(runnable, FACTS);
  const mounts = ['--mount', mount(options.facts, FACTS)];
  const result = await askInterpreter(runnable, name, options, words, mounts);
  return readFacts(result, {
    who: `${runnable.image.variant} (${runnable.image.side})`,
    notStarted: `the interpreter ${runnable.python} does not start in the image ${runnable.image.id} (status ${result.status ?? 'none'}). A variant's image must have it in the PATH; \`python:\` of the variant names another.`,
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

/** Asks docker for something that a machine without docker has nothing of. @returns its output, or nothing */
async function askDocker(...args: readonly string[]): Promise<string> {
  try {
    return (await runCommand('docker', args, { timeoutSeconds: 120 })).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function removeContainer(...names: readonly string[]): Promise<void> {
  if (names.length > 0) await askDocker('rm', '--force', '--volumes', ...names);
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
