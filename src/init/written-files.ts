import { additionWith, type Addition } from './additions.ts';
import { benchText, loadText } from './bench-text.ts';
import { configurationText, type ImageChoice, type ImageInstall } from './configuration-text.ts';
import {
  dockerfileText,
  ignoreText,
  lackingPackages,
  whyOwnDockerfile,
  WRITTEN_DOCKERFILE,
} from './dockerfile-text.ts';
import { below, has, within, type ProjectFiles } from './project-files.ts';
import type { ProjectFacts } from './project-facts.ts';
import type { ServerWorkload } from './servers.ts';
import { workflowText } from './workflow-text.ts';
import type { WorkloadFound } from './workloads.ts';

/** A file that `init` writes, its path from the repository's top. */
export interface WrittenFile {
  readonly path: string;
  readonly text: string;
}

export interface Written {
  /** The configuration first. */
  readonly files: readonly WrittenFile[];
  /** The load of a server; undefined for other workloads. */
  readonly load: Load | undefined;
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

export interface Load {
  readonly path: string;
  /** Its text without the routes that the server refused; undefined if no route is left. */
  readonly without: (refused: ReadonlySet<string>) => string | undefined;
}

/** Texts that are part of the program. */
export interface Templates {
  /** `examples/gate.yml` and `examples/baseline.yml`. */
  readonly gate: string;
  readonly nightly: string;
  /** The default image's ignore file. */
  readonly ignore: string;
}

export interface WritingRequest {
  readonly files: ProjectFiles;
  readonly facts: ProjectFacts;
  readonly workload: WorkloadFound;
  /** Measure with this machine's Python instead of images. */
  readonly host: boolean;
  /** The configuration's path from the repository's top. */
  readonly configuration: string;
  readonly templates: Templates;
}

export const DEFAULT_CONFIGURATION = '.github/pacegate.yml';
const WRITTEN_BAKE = 'pacegate.docker-bake.hcl';

/** The files of a gate for a project. The caller keeps existing files. */
export function writtenFiles(request: WritingRequest): Written {
  const { files, facts, workload, host, configuration, templates } = request;
  const inContext = within(files, facts.context);
  const {
    image,
    written: ofImage,
    notes,
  } = host ? { image: { kind: 'host' } as const, written: [], notes: [] } : chooseImage(request, inContext);
  const measuring = measuringCode(inContext, facts, workload);
  return {
    files: [
      { path: configuration, text: configurationText({ facts, workload, image, bench: measuring.path }) },
      ...(measuring.text === undefined
        ? []
        : [{ path: below(facts.context, measuring.path), text: measuring.text }]),
      ...ofImage,
      ...workflowFiles(configuration, templates),
    ],
    load: workload.kind === 'server' ? loadOf(below(facts.context, measuring.path), workload) : undefined,
    notes: [...facts.notes, ...notes, ...coverageNotes(workload, measuring.path)],
  };
}

const loadOf = (path: string, { routes }: ServerWorkload): Load => ({
  path,
  without: (refused) => {
    const rest = routes.filter((route) => !refused.has(route));
    return rest.length === 0 || rest.length === routes.length ? undefined : loadText(rest);
  },
});

/** Notes about code that a first workload does not run, because losses there are not found. */
function coverageNotes(workload: WorkloadFound, file: string): readonly string[] {
  switch (workload.kind) {
    case 'console-script':
      return [
        `${file} runs \`${workload.name} --help\` only. Put the work that your users wait for into it.`,
      ];
    case 'package':
      return [
        `${file} measures the import of ${workload.name} only. Put calls that your users wait for into it.`,
      ];
    case 'server':
      return [`${file} requests ${workload.routes.join(', ')}. Add the requests that your users send.`];
    default:
      return [];
  }
}

/** The workflows only, for a repository with a configuration. */
export function workflowFiles(configuration: string, templates: Templates): readonly WrittenFile[] {
  const other = configuration === DEFAULT_CONFIGURATION ? undefined : configuration;
  const suffix = other === undefined ? undefined : suffixOf(other);
  const path = (stem: string) => `.github/workflows/${stem}${suffix === undefined ? '' : `-${suffix}`}.yml`;
  return [
    { path: path('pacegate'), text: workflowText({ example: templates.gate, config: other, suffix }) },
    {
      path: path('pacegate-baseline'),
      text: workflowText({ example: templates.nightly, config: other, suffix }),
    },
  ];
}

/** `services/orders/pacegate.yml`: `services-orders`. */
const suffixOf = (configuration: string) =>
  configuration
    .replace(/(^|\/)(\.github\/)?(pacegate)?\.?[^/]*\.(ya?ml|json)$/, '')
    .replace(/^\.github\//, '')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') ||
  (configuration.split('/').at(-1) ?? 'other').replace(/\.\w+$/, '').replace(/[^A-Za-z0-9]+/g, '-');

interface Measuring {
  /** From the context. */
  readonly path: string;
  /** Undefined if it exists already. */
  readonly text: string | undefined;
}

function measuringCode(inContext: ProjectFiles, facts: ProjectFacts, workload: WorkloadFound): Measuring {
  if (workload.kind === 'bench') return { path: workload.file, text: undefined };
  const text = workload.kind === 'server' ? loadText(workload.routes) : benchText(workload);
  if (text === undefined) return { path: 'bench.py', text };
  const name = workload.kind === 'server' ? 'load' : 'bench';
  // Python searches the script's folder first. An installed project must not be found in that folder.
  const folder = facts.installed !== undefined && facts.roots.length === 0 ? 'benchmark/' : '';
  const path = [`${folder}${name}.py`, `pacegate_${name}.py`].find((one) => !has(inContext, one));
  return { path: path ?? `pacegate_${name}.py`, text };
}

interface Chosen {
  readonly image: ImageChoice;
  readonly written: readonly WrittenFile[];
  readonly notes: readonly string[];
}

function chooseImage({ facts, workload, templates }: WritingRequest, inContext: ProjectFiles): Chosen {
  const { image: own, context } = facts;
  const lacking = lackingPackages(facts, workload);
  // A suite needs packages that a production image lacks; only a Dockerfile can build a compiled project.
  if (own.kind === 'replaceable' && (lacking.length === 0 || facts.compiled))
    return {
      image: { kind: 'dockerfile', path: own.dockerfile },
      written: [],
      notes:
        lacking.length === 0
          ? []
          : [`The workload needs ${lacking.join(' and ')}: install them in ${own.dockerfile}.`],
    };
  if (lacking.length === 0 && own.kind === 'bake')
    return {
      image: { kind: 'bake', file: below(context, own.file), target: own.target },
      written: [],
      notes: [],
    };
  if (lacking.length === 0 && own.kind === 'fixed') {
    const file = below(context, WRITTEN_BAKE);
    return {
      image: { kind: 'bake', file, target: 'app' },
      written: [{ path: file, text: bakeText(context, own.dockerfile) }],
      notes: [
        `${own.dockerfile} is built as it is, on ${own.base}. To measure it with other interpreters, see docs/own-dockerfile.md#which-images-the-interpreter-replaces.`,
      ],
    };
  }
  const notes =
    own.kind === 'none'
      ? []
      : [`The project's own image lacks ${lacking.join(' and ')}, so the configuration does not use it.`];
  const why = whyOwnDockerfile(facts);
  if (why === undefined)
    return {
      image: { kind: 'default', install: installed(facts, workload, lacking) },
      written: [],
      notes: [...notes, ...unlockedNotes(facts)],
    };
  const path = below(context, WRITTEN_DOCKERFILE);
  return {
    image: { kind: 'dockerfile', path: WRITTEN_DOCKERFILE },
    written: [
      { path, text: dockerfileText(facts, workload, why) },
      {
        path: `${path}.dockerignore`,
        text: ignoreText(templates.ignore, inContext.texts.get('.dockerignore')),
      },
    ],
    notes: [...notes, `${path} installs the dependencies, because ${why}.`, ...unlockedNotes(facts)],
  };
}

const unlockedNotes = ({ dependencies: { kind } }: ProjectFacts): readonly string[] =>
  kind === 'pyproject' || kind === 'setup.py'
    ? ['No lock file names the versions of the dependencies, so a new release of one can change a result.']
    : [];

/**
 * What the default image installs for the suite: the group or extra with the packages that it needs, whose versions may be
 * locked, or else the packages; and the groups or extras with other modules that its files import.
 */
function installed(
  { additions, names }: ProjectFacts,
  workload: WorkloadFound,
  lacking: readonly string[],
): ImageInstall | undefined {
  const imports = workload.kind === 'pytest-benchmark' ? workload.imports : [];
  const whole = lacking.length === 0 ? undefined : additionWith(additions, lacking);
  const chosen = whole === undefined ? [] : [whole];
  const packages = chosen.length > 0 ? [] : lacking;
  const smallest = [...additions].sort((a, b) => a.names.size - b.names.size);
  for (const name of imports) {
    if (names.has(name) || lacking.includes(name) || chosen.some((one) => one.names.has(name))) continue;
    const addition = smallest.find((one) => one.names.has(name));
    if (addition !== undefined) chosen.push(addition);
  }
  if (chosen.length === 0 && packages.length === 0) return undefined;
  const named = (kind: Addition['kind']) => chosen.filter((one) => one.kind === kind).map(({ name }) => name);
  return { groups: named('groups'), extras: named('extras'), packages };
}

const bakeText = (
  context: string,
  dockerfile: string,
) => `# Written by \`pacegate init\`: the image as ${dockerfile} builds it.
target "app" {
  context    = ${JSON.stringify(context)}
  dockerfile = ${JSON.stringify(dockerfile)}
}
`;
