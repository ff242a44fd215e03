import { join, posix } from 'node:path';
import type { Server } from '../../plan/plan.ts';
import { countingMemory, hasCounters, type CountingPlaces } from '../counting/counted-run.ts';
import type { RunRequest } from '../engine.ts';
import { profileEnvironment, type ProfilePlaces } from '../profile/profiled-command.ts';
import {
  diagnosticsModule,
  type ProbePlace,
  runWords,
  serverProbe,
  serveWords,
  workloadEnvironment,
} from './command-line.ts';

/** The docker client's arguments for Pacegate's containers: rights, mounts, labels. */

export const SESSION_LABEL = 'org.pacegate.session';
/** Process id and boot id of the owner, with which a later start finds leftovers. */
export const OWNER_LABEL = 'org.pacegate.owner';

export interface ContainerEngineOptions {
  readonly sessionId: string;
  readonly owner: string;
  /** probe.py on this machine, absolute. */
  readonly probe: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
}

const PROBE = '/pacegate/probe.py';
const SERVE = '/pacegate/serve.py';
const DIAGNOSTICS = '/pacegate/diagnostics.py';
const METRICS_FOLDER = '/pacegate/metrics';
/** The size that the probe reads at most (METRICS_FILE_LIMIT); memory is used only as the file grows. */
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

/** The docker client's arguments for one run. Pure. */
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

/** The same for a server, whose probe reads its standard input. Pure. */
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
  return [
    ...['run', '--rm'],
    ...(own.interactive === true ? ['--interactive'] : []),
    ...isolation(sessionId, owner),
    ...(hasCounters(request) ? ['--cap-add', 'PERFMON'] : []),
    ...['--name', name],
    ...(request.traces === undefined ? [] : ['--cidfile', request.traces.containerIdFile]),
    ...['--network', own.network],
    ...limits(request),
    ...['--mount', mount(probe, PROBE)],
    ...(own.isServer === true ? ['--mount', mount(serverProbe(probe), SERVE)] : []),
    ...(profile === undefined && counting === undefined
      ? []
      : ['--mount', mount(diagnosticsModule(probe), DIAGNOSTICS)]),
    ...['--tmpfs', `${METRICS_FOLDER}:mode=1777,size=${METRICS_FOLDER_SIZE}`],
    ...countingPlaces(request),
    ...profilingPlaces(request),
    ...workload.files.flatMap((path) => [
      '--mount',
      mount(join(runnable.filesFrom, path), posix.join(runnable.workingDirectory, path)),
    ]),
    ...Object.entries({
      ...workloadEnvironment(request),
      ...profileEnvironment(request, PROFILE_PLACES),
    }).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...['--workdir', runnable.workingDirectory],
    ...['--entrypoint', runnable.python, runnable.image.id],
    // The probe starts without site packages, independent of what the workload's interpreter loads.
    ...['-I', '-S', ...own.probe],
  ];
}

function limits({ workload, counting }: RunRequest): readonly string[] {
  const memory = countingMemory(workload.memoryBytes, counting);
  return [
    ...['--pids-limit', String(workload.pids)],
    // Equal limits switch swap off; with swap a leak would show as slowness.
    ...(memory === undefined ? [] : ['--memory', String(memory), '--memory-swap', String(memory)]),
  ];
}

/** What a run under valgrind has besides. */
function countingPlaces({ counting }: RunRequest): readonly string[] {
  return counting === undefined
    ? []
    : [
        ...['--mount', mount(counting.folder, COUNTING_PLACES.tools)],
        // exec: beside the counts is the launcher of valgrind's children.
        ...['--tmpfs', `${COUNTING_PLACES.counts}:mode=1777,exec,size=${COUNTS_SIZE}`],
      ];
}

/** What a run under a profiler has besides. */
function profilingPlaces({ profile }: RunRequest): readonly string[] {
  return profile === undefined
    ? []
    : [
        ...['--tmpfs', `${PROFILE_PLACES.folder}:mode=1777,size=${PROFILES_FOLDER_SIZE}`],
        ...['--mount', mount(profile.scripts, PROFILE_PLACES.profiler)],
        ...(profile.pySpy === undefined ? [] : ['--mount', mount(profile.pySpy, PROFILE_PLACES.pySpy)]),
      ];
}

/**
 * Options of every container: no privileges, no log on the disk, no health check of the image, whose processes would
 * count as the workload's, and labels for the clean-up.
 */
export const isolation = (sessionId: string, owner: string) => [
  ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--log-driver', 'none', '--pull', 'never'],
  '--no-healthcheck',
  ...['--label', `${SESSION_LABEL}=${sessionId}`, '--label', `${OWNER_LABEL}=${owner}`],
];

/** docker reads a mount as CSV: a field with a comma, a quote or a line break must be quoted. */
export function mount(source: string, target: string): string {
  const field = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return ['type=bind', field(`src=${source}`), field(`dst=${target}`), 'readonly'].join(',');
}
