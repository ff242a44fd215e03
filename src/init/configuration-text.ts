import type { ProjectFacts } from './project-facts.ts';
import type { PythonChoice } from './python-version.ts';
import { PORT } from './servers.ts';
import type { WorkloadFound } from './workloads.ts';

/** `workload.install`: what the suite needs in addition to the dependencies. */
export interface ImageInstall {
  readonly groups: readonly string[];
  readonly extras: readonly string[];
  readonly packages: readonly string[];
}

/** The source of the configuration's images. */
export type ImageChoice =
  | { readonly kind: 'default'; readonly install?: ImageInstall | undefined }
  | { readonly kind: 'dockerfile'; readonly path: string }
  | { readonly kind: 'bake'; readonly file: string; readonly target: string }
  | { readonly kind: 'host' };

export interface ConfigurationRequest {
  readonly facts: ProjectFacts;
  readonly workload: WorkloadFound;
  readonly image: ImageChoice;
  /** The measuring code, relative to the context. It is written or existed before. */
  readonly bench: string;
}

interface Measured {
  readonly files: readonly string[];
  readonly command: readonly string[];
  readonly lines: readonly string[];
  readonly metrics: readonly string[];
}

const SCHEMA =
  '# yaml-language-server: $schema=https://raw.githubusercontent.com/pacegate/pacegate/v1/dist/configuration.schema.json';

export function configurationText({ facts, workload, image, bench }: ConfigurationRequest): string {
  const { files, command, lines, metrics } = measured(workload, bench);
  const own = image.kind === 'bake' || (image.kind === 'dockerfile' && facts.image.kind === 'replaceable');
  // The Dockerfile of the user's own image decides where its modules are.
  const path = own || (facts.installed !== undefined && image.kind !== 'host') ? [] : facts.roots;
  return `${[
    SCHEMA,
    '# Written by `pacegate init`. docs/configuration.md of Pacegate lists every key.',
    'version: 1',
    'workload:',
    ...(facts.context === '.' ? [] : [`  context: ${scalar(facts.context)}`]),
    ...(image.kind === 'dockerfile' ? [`  dockerfile: ${scalar(image.path)}`] : []),
    ...(image.kind === 'default' && image.install !== undefined ? installLines(image.install) : []),
    `  files: ${list(files)} # the measuring code: both sides run the head's`,
    `  command: ${list(command)}`,
    ...lines,
    ...(path.length === 0
      ? []
      : [`  env: { PYTHONPATH: ${scalar(path.join(':'))} } # the modules are imported from there`]),
    'variants:',
    ...variantLines(image, facts.python),
    ...(metrics.length === 0 ? [] : ['metrics:', ...metrics]),
  ].join('\n')}\n`;
}

function installLines({ groups, extras, packages }: ImageInstall): readonly string[] {
  const words = Object.entries({ groups, extras, packages }).flatMap(([key, names]) =>
    names.length === 0 ? [] : `${key}: ${list(names)}`,
  );
  return [`  install: { ${words.join(', ')} } # what the suite needs besides the dependencies`];
}

function measured(workload: WorkloadFound, bench: string): Measured {
  const plain = { files: [bench], command: ['python', bench], lines: [], metrics: [] };
  switch (workload.kind) {
    case 'pytest-benchmark':
      return {
        files: workload.files,
        command: [
          ...['python', '-m', 'pytest', '-q', '-o', 'addopts=', '-p', 'no:cacheprovider', '--benchmark-only'],
          ...['--benchmark-max-time=0.05', '--benchmark-json', '{metrics}', ...workload.paths],
        ],
        lines: ['  timeout: 10m'],
        metrics: suiteMetrics("'test_*': { limit: 5% } # every benchmark of the suite"),
      };
    case 'pyperf':
      return {
        files: [workload.file],
        command: [
          ...['python', workload.file, '-p', '1', '-n', '5'],
          // pyperf starts its workers with almost no environment.
          ...['--inherit-environ=PYTHONHASHSEED,PYTHONPATH', '-o', '{metrics}'],
        ],
        lines: ['  timeout: 10m'],
        metrics: suiteMetrics("'*': { limit: 5% } # every benchmark of the suite"),
      };
    case 'asv':
      return {
        files: [bench, workload.folder],
        command: ['python', bench],
        lines: ['  timeout: 10m', '  repetitions: 1 # bench.py repeats each benchmark'],
        metrics: suiteMetrics(
          "'time_*': { limit: 5% } # every benchmark of the suite",
          "'track_*': { limit: 5% }",
        ),
      };
    case 'server': {
      const ready =
        workload.health === undefined ? String(PORT) : scalar(`http://127.0.0.1:${PORT}${workload.health}`);
      return {
        files: [bench],
        command: workload.command,
        lines: [
          '  timeout: 60s # of one round of load',
          '  server:',
          `    ready: ${ready}`,
          `    load: ${list(['python', bench])}`,
        ],
        metrics: [
          '  wall_time_s: { gate: false } # of one round of load',
          `  requests: { unit: requests, better: higher, gate: false } # ${bench} reports them`,
          '  cpu_per_request: { formula: cpu_time_s / requests, unit: s }',
        ],
      };
    }
    case 'bench':
    case 'console-script':
    case 'script':
    case 'package':
      return plain;
  }
}

const suiteMetrics = (...patterns: readonly string[]): readonly string[] => [
  ...patterns.map((pattern) => `  ${pattern}`),
  '  wall_time_s: { gate: false } # of the tool: it repeats for a fixed time',
  '  cpu_time_s: { gate: false }',
];

function variantLines(image: ImageChoice, { version, from }: PythonChoice): readonly string[] {
  switch (image.kind) {
    case 'host':
      return ["  here: { interpreter: host, python: python3 } # this machine's Python, without a container"];
    case 'bake':
      return [
        `  image: { bake: ${scalar(image.target)}, file: ${scalar(image.file)} } # built as its Dockerfile says`,
      ];
    case 'default':
    case 'dockerfile':
      // Docker's official images have no free-threaded build.
      return version.endsWith('t')
        ? [`  uv: { interpreter: uv, python: '${version}' } # from ${from}`]
        : [
            `  official: { interpreter: official, python: '${version}' } # from ${from}`,
            '  # docs/interpreters.md has the others, such as the one of Debian:',
            '  # debian: { interpreter: debian, debian: trixie }',
          ];
  }
}

/** Text that YAML reads as itself without quotes, also inside of brackets. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_./][\w./-]*$|^--?[A-Za-z][\w./=,-]*$/i;

const scalar = (text: string): string => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "''")}'`);

const list = (words: readonly string[]): string => `[${words.map(scalar).join(', ')}]`;
