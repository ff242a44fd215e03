import { join, posix } from 'node:path';
import { MeasurementError } from '../errors/errors.ts';
import { runCommand } from '../process/command.ts';
import { interpreterFactsSchema, type InterpreterFacts } from '../session/session.ts';
import { watchdogSeconds, workloadCommand, workloadEnvironment } from './command-line.ts';
import type { Engine, Runnable, RunRequest, RunResult } from './engine.ts';
import { readProbeAnswer, withTail } from './probe-answer.ts';

export const SESSION_LABEL = 'org.pacegate.session';
/** Process id and boot id of the owner, by which a later start tells the dead from the living. */
export const OWNER_LABEL = 'org.pacegate.owner';

const PROBE = '/pacegate/probe.py';
const METRICS_FOLDER = '/pacegate/metrics';

export interface ContainerEngineOptions {
  readonly sessionId: string;
  readonly owner: string;
  /** probe.py on this machine, absolute. */
  readonly probe: string;
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
      const result = await runCommand('docker', runArguments(request, name, options), {
        timeoutSeconds: watchdogSeconds(request),
        signal,
      });
      const answer = readProbeAnswer(result.stdout, result.stderr);
      // Killing the client leaves its container; the name makes it ours to remove.
      if (result.timedOut || signal.aborted) await removeContainer(name);
      if (answer !== undefined) return answer;
      return withoutAnswer(result, request);
    },
    facts: async (runnable) => await containerFacts(runnable, options),
    cleanUp: async () => await removeByLabel(`${SESSION_LABEL}=${options.sessionId}`),
  };
}

/** What ended a run in which the probe could not say it itself. */
function withoutAnswer(
  result: Awaited<ReturnType<typeof runCommand>>,
  { runnable, workload }: RunRequest,
): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string): RunResult => ({
    outcome,
    metrics: {},
    declared: {},
    noise: {},
    exitStatus: null,
    message: withTail(message, result.stderr),
  });
  if (result.timedOut) return failed('timeout', `the run did not end within ${workload.timeoutSeconds} s`);
  if (result.status === ENGINE_FAULT) return failed('engine', 'the engine could not start the container');
  if (result.status === 126 || result.status === 127)
    return failed(
      'nonzero',
      `the interpreter ${runnable.python} cannot be started in the image ${runnable.image.id}`,
    );
  // 137 without a word: the kernel or someone else killed the container as a whole.
  if (result.status === 137)
    return workload.memoryBytes === undefined
      ? failed('signal', 'the container was killed (SIGKILL)')
      : failed(
          'oom',
          `the container was killed, most likely for its memory limit of ${workload.memoryBytes} bytes`,
        );
  if (result.status === null)
    return failed('engine', `the docker client was ended by ${result.signal ?? 'a signal'}`);
  return failed('engine', `the probe gave no answer (status ${result.status})`);
}

/** The docker client's words for one run. Pure. */
export function runArguments(
  request: RunRequest,
  name: string,
  { sessionId, owner, probe }: ContainerEngineOptions,
): readonly string[] {
  const { runnable, workload, repetitions } = request;
  const environment = Object.entries(workloadEnvironment(request)).flatMap(([key, value]) => [
    '--env',
    `${key}=${value}`,
  ]);
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
    `${METRICS_FOLDER}:mode=1777,size=2m`,
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
    `--metrics=${METRICS_FOLDER}/metrics.json`,
    '--',
    ...workloadCommand(request),
  ];
}

/** What every container of ours has: no privileges, no log on the disk, and labels to be found by. */
const isolation = (sessionId: string, owner: string) => [
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--log-driver', 'none', '--pull', 'never'],
  ...['--label', `${SESSION_LABEL}=${sessionId}`, '--label', `${OWNER_LABEL}=${owner}`],
];

/** docker reads a mount as CSV: a field with a comma or a quote must be quoted itself. */
function mount(source: string, target: string): string {
  const field = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return ['type=bind', field(`src=${source}`), field(`dst=${target}`), 'readonly'].join(',');
}

async function containerFacts(
  runnable: Runnable,
  { sessionId, owner, probe }: ContainerEngineOptions,
): Promise<InterpreterFacts> {
  const { status, stdout, stderr } = await runCommand(
    'docker',
    [
      'run',
      '--rm',
      ...isolation(sessionId, owner),
      '--network',
      'none',
      '--mount',
      mount(probe, PROBE),
      '--entrypoint',
      runnable.python,
      runnable.image.id,
      ...['-I', '-S', PROBE, 'facts'],
    ],
    { timeoutSeconds: 60, maxStdoutBytes: 65_536 },
  );
  return readFacts(stdout, () =>
    withTail(
      `${runnable.image.variant} (${runnable.image.side}): the interpreter ${runnable.python} does not start in the image ${runnable.image.id} (status ${status ?? 'none'}). A variant's image must have it in the PATH; \`python:\` of the variant names another.`,
      stderr,
    ),
  );
}

/** Reads the probe's facts. @throws MeasurementError with the given words. */
export function readFacts(stdout: string, complaint: () => string): InterpreterFacts {
  try {
    return interpreterFactsSchema.parse(JSON.parse(stdout));
  } catch (error) {
    throw new MeasurementError(complaint(), { cause: error });
  }
}

async function removeContainer(name: string): Promise<void> {
  await runCommand('docker', ['rm', '--force', name], { timeoutSeconds: 60 });
}

async function removeByLabel(label: string): Promise<void> {
  const { stdout } = await runCommand('docker', ['ps', '--all', '--quiet', '--filter', `label=${label}`], {
    timeoutSeconds: 60,
  });
  const ids = stdout.split('\n').filter((id) => id !== '');
  if (ids.length > 0) await runCommand('docker', ['rm', '--force', ...ids], { timeoutSeconds: 120 });
}

/**
 * Removes containers that earlier starts left behind because they were killed before their clean-up.
 * @param isAlive whether the owner that a label names is still running on this machine
 */
export async function removeLeftovers(isAlive: (owner: string) => boolean): Promise<void> {
  const { stdout } = await runCommand(
    'docker',
    ['ps', '--all', '--filter', `label=${SESSION_LABEL}`, '--format', `{{.ID}} {{.Label "${OWNER_LABEL}"}}`],
    { timeoutSeconds: 60 },
  );
  const dead = stdout.split('\n').flatMap((line) => {
    const [id = '', owner = ''] = line.split(' ');
    return id !== '' && !isAlive(owner) ? [id] : [];
  });
  if (dead.length > 0) await runCommand('docker', ['rm', '--force', ...dead], { timeoutSeconds: 120 });
}
