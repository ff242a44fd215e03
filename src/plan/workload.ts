import type { Configuration } from './configuration.ts';
import { DEFAULTS } from './defaults.ts';
import type { Problem, YamlDocument } from './document.ts';
import { METRICS_WORD, type Install, type Server, type Workload } from './plan.ts';
import { parseBytes, seconds } from './quantities.ts';

/** The workload of a plan, and combinations that are refused. */

/** The workload of a configuration, with defaults. */
export function toWorkload(given: Configuration['workload']): Workload {
  return {
    context: given.context ?? DEFAULTS.context,
    dockerfile: given.dockerfile,
    interpreterFrom: given['interpreter-from'] === undefined ? undefined : [given['interpreter-from']].flat(),
    install: toInstall(given.install ?? {}),
    files: given.files ?? [],
    command: given.command,
    timeoutSeconds: seconds(given.timeout ?? DEFAULTS.timeout),
    env: given.env ?? {},
    network: given.network ?? DEFAULTS.network,
    memoryBytes: given.memory === undefined ? undefined : parseBytes(given.memory),
    pids: given.pids ?? DEFAULTS.pids,
    repetitions: toRepetitions(given),
    instructions: given.instructions ?? DEFAULTS.instructions,
    profiler: given.profiler ?? DEFAULTS.profiler,
    server: given.server === undefined ? undefined : toServer(given.server),
  };
}

function toInstall({
  groups = [],
  extras = [],
  packages = [],
}: NonNullable<Configuration['workload']['install']>): Install | undefined {
  return groups.length + extras.length + packages.length === 0 ? undefined : { groups, extras, packages };
}

/** Packages for a Dockerfile that installs by itself, or for no image that is built here. */
export function wrongInstall(
  { workload: { dockerfile, install }, variants }: Configuration,
  document: YamlDocument,
): Problem[] {
  if (install === undefined) return [];
  const problem = (found: string, legal: string): Problem[] => [
    { line: document.lineOf(['workload', 'install']), place: 'workload.install', found, legal },
  ];
  if (dockerfile !== undefined)
    return problem(
      `packages together with workload.dockerfile (${dockerfile}), which does not read them`,
      'one of the two: install them in that Dockerfile, or leave workload.dockerfile out',
    );
  const isBuilt = Object.values(variants).some(
    (variant) => 'interpreter' in variant && variant.interpreter !== 'host',
  );
  return isBuilt
    ? []
    : problem(
        'packages, and no variant that the default Dockerfile builds',
        'a variant with an interpreter of an image; packages of this machine, of an existing image or of a bake target are installed there',
      );
}

function toServer(given: NonNullable<Configuration['workload']['server']>): Server {
  return {
    ready: given.ready,
    load: given.load,
    warmUp: given['warm-up'] ?? DEFAULTS.warmUp,
    startTimeoutSeconds: seconds(given['start-timeout'] ?? DEFAULTS.startTimeout),
    stop: given.stop ?? DEFAULTS.stop,
    stopTimeoutSeconds: seconds(given['stop-timeout'] ?? DEFAULTS.stopTimeout),
  };
}

/**
 * Commands with {metrics} are not repeated: pyperf refuses to overwrite its file, only the last repetition would count,
 * and such suites repeat on their own. Servers are not repeated either: the load decides how long a round is.
 */
function toRepetitions({ command, repetitions, server }: Configuration['workload']): Workload['repetitions'] {
  const asked = repetitions ?? DEFAULTS.repetitions;
  return asked === 'auto' && (server !== undefined || writesMetrics(command)) ? 1 : asked;
}

const writesMetrics = (command: readonly string[]) => command.some((word) => word.includes(METRICS_WORD));

/** Reports `repetitions` for a workload that a run executes once. */
export function wrongRepetitions(
  { workload: { command, repetitions = 1, server } }: Configuration,
  document: YamlDocument,
): Problem[] {
  if (repetitions === 'auto' || repetitions === 1) return [];
  if (server !== undefined)
    return [
      {
        line: document.lineOf(['workload', 'repetitions']),
        place: 'workload.repetitions',
        found: `${repetitions} with a server, which starts once in a run`,
        legal: '1 or auto; workload.server.load decides how much load a round has',
      },
    ];
  if (!writesMetrics(command)) return [];
  return [
    {
      line: document.lineOf(['workload', 'repetitions']),
      place: 'workload.repetitions',
      found: `${repetitions} with a command that writes ${METRICS_WORD}, of which only the last repetition's would count`,
      legal: '1 or auto; use the option of the benchmark tool for repeating',
    },
  ];
}

/** The default Dockerfile has a base of its own. */
export function wrongInterpreterFrom({ workload }: Configuration, document: YamlDocument): Problem[] {
  return workload['interpreter-from'] === undefined || workload.dockerfile !== undefined
    ? []
    : [
        {
          line: document.lineOf(['workload', 'interpreter-from']),
          place: 'workload.interpreter-from',
          found: 'no workload.dockerfile whose image it could name',
          legal: 'workload.dockerfile too, or neither',
        },
      ];
}

/**
 * Reports settings that a server does not support: {metrics} in its command, because the load reports the metrics, and
 * instruction counts.
 */
export function wrongServer(
  { workload: { command, server, instructions = 'none' } }: Configuration,
  document: YamlDocument,
): Problem[] {
  if (server === undefined) return [];
  return [
    ...(writesMetrics(command)
      ? [
          {
            line: document.lineOf(['workload', 'command']),
            place: 'workload.command',
            found: `${METRICS_WORD} in the command of a server`,
            legal: `${METRICS_WORD} in workload.server.load, which reports the metrics of the run`,
          },
        ]
      : []),
    // A count cannot begin and end with the load, so it would include the server's start and end.
    ...(instructions === 'none'
      ? []
      : [
          {
            line: document.lineOf(['workload', 'instructions']),
            place: 'workload.instructions',
            found: `${instructions} for a server`,
            legal: 'none; instructions are counted only for commands that end by themselves',
          },
        ]),
  ];
}
