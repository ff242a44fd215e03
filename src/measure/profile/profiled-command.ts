import type { RunRequest } from '../engine.ts';
import { SAMPLES_A_SECOND } from './stacks.ts';

/** Where a profiled run finds its profiler and leaves what that saw, as the workload's processes see the places. */
export interface ProfilePlaces {
  /** Folder of profiler/sitecustomize.py and profiler/imports.py. */
  readonly profiler: string;
  /** The program py-spy. */
  readonly pySpy: string;
  /** Folder for what is left. */
  readonly folder: string;
}

/** Whether a run is looked at from outside, by py-spy. */
export const isBySampling = ({ profile }: Pick<RunRequest, 'profile'>): boolean =>
  profile?.profiler === 'py-spy';

/**
 * The words of a run with its profiler around them.
 * @param command the workload's, as `workloadCommand` makes it
 */
export function profiledCommand(
  request: Pick<RunRequest, 'runnable' | 'profile'>,
  command: readonly string[],
  { profiler, pySpy, folder }: ProfilePlaces,
): readonly string[] {
  const { runnable, profile } = request;
  if (profile?.kind === 'imports')
    return [runnable.python, '-I', '-S', `${profiler}/imports.py`, folder, ...runnable.flags];
  if (!isBySampling(request)) return command;
  return [
    pySpy,
    'record',
    ...['--format', 'raw', '--rate', String(SAMPLES_A_SECOND), '--subprocesses'],
    // Else a thread that waits is passed over.
    ...(profile?.kind === 'time' ? ['--idle'] : []),
    ...['--output', `${folder}/py-spy.raw`],
    '--',
    ...command,
  ];
}

/** Whether the run's interpreters import their profiler: see profiler/sitecustomize.py. */
const isImported = (request: Pick<RunRequest, 'profile'>): boolean =>
  request.profile !== undefined && request.profile.kind !== 'imports' && !isBySampling(request);

/** The probe's options for a profiled run. It puts the profiler in front of the PYTHONPATH that the image has. */
export const profileOptions = (
  request: Pick<RunRequest, 'profile'>,
  { profiler, folder }: ProfilePlaces,
): readonly string[] => [
  ...(request.profile === undefined ? [] : [`--profiles=${folder}`]),
  ...(isImported(request) ? [`--profiler=${profiler}`] : []),
];

/** What the profiler reads: what is to be looked at, and where to leave it. */
export const profileEnvironment = (
  request: Pick<RunRequest, 'profile'>,
  { folder }: ProfilePlaces,
): Readonly<Record<string, string>> =>
  isImported(request) ? { PACEGATE_PROFILE: request.profile?.kind ?? '', PACEGATE_PROFILES: folder } : {};
