import { z } from 'zod';
import { MARCH_LEVELS } from '../session/cpu.ts';
import { LEGAL_FORMULA, parseFormula } from '../session/formula.ts';
import { betterSchema, METRIC_NAME_OR_PATTERN } from '../session/metric.ts';
import { CHANGED_MEASUREMENT } from '../session/measuring.ts';
import { PROFILERS } from '../session/profile.ts';
import { evidenceRequestSchema, LEAST_ALPHA, verdictSchema } from '../session/rules.ts';
import { INSTRUCTION_SOURCES } from '../session/session.ts';
import { PROFILES } from '../statistics/looks.ts';
import { DEFAULTS } from './defaults.ts';
import { IDENTITY } from './identity.ts';
import { COLD_BUILDS, STOP_SIGNALS } from './plan.ts';
import { NEWEST_PYTHON, OLDEST_PYTHON, PYTHON_VERSION, SUPPORTED_PYTHON } from './python-versions.ts';
import { BYTE_SIZE, DURATION, FRACTION, parseBytes, parseDuration, parseFraction } from './quantities.ts';

/**
 * The configuration file, `.github/pacegate.yml`. This definition is the only one: the validation, the
 * types, the published JSON Schema and the keys of docs/configuration.md all come from it. A `default` here is what
 * editors show; `DEFAULTS` applies it.
 */

/** A name that is safe in a file's path, an image tag and a Markdown table. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export const legal = (example: string) => ({ error: `legal: ${example}` });

/** An object with these keys only; the message for any other key lists them. */
export const table = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `legal: ${Object.keys(shape).join(', ')}` : undefined,
  });

const DURATION_WORDS = 'a duration such as 90s, 10m or 1h30m';
const duration = z
  .string(legal(DURATION_WORDS))
  .regex(DURATION, { ...legal(DURATION_WORDS), abort: true })
  .refine(
    (text) => parseDuration(text) !== undefined,
    legal(`${DURATION_WORDS}, above 0 and at most a week (168h)`),
  )
  .meta({ examples: ['10m'] });

// The corrected value is the shortest explanation.
const wrongFraction = {
  error: ({ input }: { input?: unknown }) => `legal: ${fractionWords(input)}`,
  abort: true,
};

/** The schema is as strict as the parser: a number from 1 on lacks its per cent sign. */
export const fraction = z
  .union([z.number().gt(0, wrongFraction).lt(1, wrongFraction), z.string().regex(FRACTION, wrongFraction)], {
    error: wrongFraction.error,
  })
  .refine((value) => parseFraction(String(value)) !== undefined, wrongFraction)
  .meta({ examples: ['3%'] });

function fractionWords(input: unknown): string {
  const bare = Number(input);
  return (typeof input === 'number' || typeof input === 'string') && bare >= 1 && bare < 1000
    ? `a percentage with its sign, ${bare}%, or a fraction below 1`
    : 'a percentage such as 3%, above 0, or a fraction below 1 such as 0.03';
}

const SUPPORTED_WORDS = `a version of Python from ${OLDEST_PYTHON} to ${NEWEST_PYTHON}`;

const version = z
  .string({ error: 'legal: a version in quotes, such as "3.13" (without quotes, YAML reads 3.10 as 3.1)' })
  .regex(SUPPORTED_PYTHON, {
    error: ({ input }) =>
      `legal: ${typeof input === 'string' && PYTHON_VERSION.test(input) ? SUPPORTED_WORDS : 'a version such as "3.13" or "3.13.5"'}`,
  })
  .meta({
    description:
      'The version of Python, in quotes, from 3.9 to 3.15. A minor version such as "3.13" takes the newest patch release that the interpreter\'s source has. A trailing `t` ("3.13t") asks for the free-threaded build, where the interpreter has one.',
    examples: ['3.13', '3.13.5', '3.13t'],
  });

const release = z.string().regex(/^[a-z]+$/, legal('a Debian release by its name, such as trixie'));

const relativePath = z
  .string(legal('a path inside the repository'))
  .min(1, legal('a path inside the repository'))
  .refine(
    (path) => !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'),
    legal('a path inside the repository: relative, without ..'),
  );

const environment = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, legal('a name of letters, digits and _')),
  z.string(),
);

const carried = {
  flags: z
    .array(z.string().regex(/^-/, legal('interpreter flags, each beginning with -')))
    .optional()
    .meta({
      description:
        'Flags of the interpreter. They follow the first word of the command where that is `python` or `python3`.',
      default: [],
      examples: [['-O']],
    }),
  env: environment.optional().meta({
    description:
      'Environment variables of the workload in this variant. They take precedence over `workload.env`.',
    default: {},
    examples: [{ PYTHONMALLOC: 'malloc' }],
  }),
};

const PINNED_BASE = 'an image with its digest: python:3.13-slim-trixie@sha256:…';

const CONTEXT = 'a folder inside the repository, docker-image://… or https://…';

const built = {
  // An unknown scheme would be opened as a path, and links on it would be followed.
  contexts: z
    .record(
      z.string(),
      z
        .string(legal(CONTEXT))
        .regex(/^((docker-image|https?):\/\/[\x21-\x7e]+|(?!.*:\/\/)[^\0\n\r]+)$/, legal(CONTEXT)),
    )
    .optional()
    .meta({
      description:
        "Named build contexts of the interpreter's Dockerfile, for example a mirror of its sources. Each is a folder of the repository, `docker-image://…` or `https://…`. The README of the interpreter's folder in `variants/` lists the names. A pull request may only use the contexts that its base names.",
      default: {},
      examples: [{ 'python-source': 'vendor/python' }],
    }),
};

const pinnedBase = z
  .string(legal(PINNED_BASE))
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}$/, legal(PINNED_BASE))
  .optional()
  .meta({
    description:
      'The base image, pinned by its digest. Without this key the tag is looked up once and both sides build on the same digest.',
    examples: [`python:3.13-slim-trixie@sha256:${'0123456789abcdef'.repeat(4)}`],
  });

const debian = release.optional().meta({
  description: 'The Debian release of the base image.',
  default: DEFAULTS.debian,
  examples: ['bookworm'],
});

const officialVariant = table({
  interpreter: z.literal('official').meta({ description: "Docker's official Python image, slim." }),
  python: version,
  debian,
  base: pinnedBase,
  ...carried,
  ...built,
});

const alpineVariant = table({
  interpreter: z.literal('alpine').meta({ description: "Docker's official Python image on Alpine (musl)." }),
  python: version,
  alpine: z
    .string({ error: 'legal: an Alpine release in quotes, such as "3.24"' })
    .regex(/^\d+\.\d+$/, legal('an Alpine release such as "3.24"'))
    .optional()
    .meta({
      description: 'The Alpine release of the base image, in quotes.',
      default: DEFAULTS.alpine,
      examples: ['3.23'],
    }),
  base: pinnedBase,
  ...carried,
  ...built,
});

const debianVariant = table({
  interpreter: z.literal('debian').meta({ description: "Debian's own Python." }),
  debian,
  python: version.optional().meta({
    description:
      "The version that Debian's Python must have. It selects nothing: a release has one Python, and the build fails if that is another version.",
    examples: ['3.13'],
  }),
  base: pinnedBase,
  ...carried,
  ...built,
});

const compiled = {
  python: version,
  debian,
  base: pinnedBase,
  configure: z
    .array(
      z.string().regex(/^[\x21-\x7e]+$/, legal('options without spaces, such as --with-assertions')),
      legal('a list of options'),
    )
    .optional()
    .meta({
      description: "Further options of CPython's `./configure`. An option cannot contain a space.",
      default: [],
      examples: [['--with-tail-call-interp', 'CC=clang']],
    }),
  jit: z
    .boolean(legal('true or false'))
    .optional()
    .meta({
      description: 'Builds the experimental JIT (Python 3.13 and newer, not with a free-threaded build).',
      default: false,
      examples: [true],
    }),
  ...carried,
  ...built,
};

const LEVELS = [...MARCH_LEVELS.amd64, ...MARCH_LEVELS.arm64] as const;
const march = z
  .enum(LEVELS, legal(`${LEVELS.slice(0, -1).join(', ')} or ${LEVELS.at(-1) ?? ''}`))
  .optional()
  .meta({
    description:
      'The level of processors to compile for: of x86-64, or of arm64. Pacegate does not start the image on a processor that lacks an instruction set of the level, and refuses a level of the other architecture. Without this key the interpreter runs on every processor of the architecture.',
    examples: ['x86-64-v3', 'armv8.2-a'],
  });

const pyenvVariant = table({
  interpreter: z
    .literal('pyenv')
    .meta({ description: 'CPython compiled by pyenv without options: neither PGO nor LTO.' }),
  march,
  ...compiled,
});

const pyenvOptimizedVariant = table({
  interpreter: z
    .literal('pyenv-optimized')
    .meta({ description: 'CPython compiled by pyenv with `--enable-optimizations --with-lto`.' }),
  march,
  ...compiled,
});

const pyenvNativeVariant = table({
  interpreter: z.literal('pyenv-native').meta({
    description: "`pyenv-optimized` with `-march=native -mtune=native`: for this machine's processor only.",
  }),
  ...compiled,
});

const pyenvBoltVariant = table({
  interpreter: z.literal('pyenv-bolt').meta({ description: '`pyenv-optimized` with `--enable-bolt`.' }),
  march,
  ...compiled,
});

const ADDRESS = 'an address: https://…, or file:///… of a folder in the build';
const address = z.string(legal(ADDRESS)).regex(/^(https?|file):\/\/[\x21-\x7e]*$/, legal(ADDRESS));

const uvVariant = table({
  interpreter: z.literal('uv').meta({ description: 'python-build-standalone, installed by uv.' }),
  python: version,
  release: z
    .string({ error: 'legal: a release of python-build-standalone in quotes, such as "20250612"' })
    .regex(/^\d{8}$/, legal('a release of python-build-standalone such as "20250612"'))
    .optional()
    .meta({
      description:
        "The release of python-build-standalone. Without this key the build uses the one in uv's own list.",
      examples: ['20250612'],
    }),
  mirror: address.optional().meta({
    description: "Where uv downloads the archives, in place of GitHub (uv's `UV_PYTHON_INSTALL_MIRROR`).",
    examples: ['https://mirror.example.org/python-build-standalone'],
  }),
  downloads: address.optional().meta({
    description: "A list of archives that replaces the one in uv (uv's `UV_PYTHON_DOWNLOADS_JSON_URL`).",
    examples: ['https://mirror.example.org/downloads.json'],
  }),
  debian,
  base: pinnedBase,
  ...carried,
  ...built,
});

const condaForgeVariant = table({
  interpreter: z
    .literal('conda-forge')
    .meta({ description: "conda-forge's Python, installed by micromamba." }),
  python: version,
  channel: z
    .string()
    .regex(/^[\x21-\x7e]+$/, legal('a channel or its address'))
    .optional()
    .meta({
      description: 'The channel, or the address of a mirror. No other channel is used.',
      default: 'conda-forge',
      examples: ['https://mirror.example.org/conda-forge'],
    }),
  debian,
  base: pinnedBase,
  ...carried,
  ...built,
});

const DISTRIBUTION = 'the end of a tag of dhi.io/python, such as debian13, alpine3.24 or debian13-dev';

const dhiVariant = table({
  interpreter: z.literal('dhi').meta({ description: "Docker's hardened Python image, which has no shell." }),
  python: version,
  distribution: z
    .string()
    .regex(/^[a-z]+[0-9]+(\.[0-9]+)?(-dev)?$/, legal(DISTRIBUTION))
    .optional()
    .meta({
      description:
        "The part of the image's tag after the version: the system below, and `-dev` for the image that has a shell and a package manager.",
      default: DEFAULTS.distribution,
      examples: ['alpine3.24', 'debian13-dev'],
    }),
  base: pinnedBase,
  ...carried,
  ...built,
});

const wolfiVariant = table({
  interpreter: z.literal('wolfi').meta({ description: "Wolfi's own Python, as in Chainguard's images." }),
  python: version,
  base: pinnedBase,
  ...carried,
  ...built,
});

const hostVariant = table({
  interpreter: z
    .literal('host')
    .meta({ description: 'An interpreter of this machine, without a container. For code that you trust.' }),
  python: z
    .string()
    .min(1)
    .meta({
      description:
        'The interpreter: a command in the `PATH`, or a path. Shims (pyenv, asdf) are resolved to the interpreter behind them.',
      examples: ['python3'],
    }),
  ...carried,
});

const pythonInside = z
  .string()
  .min(1)
  .optional()
  .meta({
    description: 'The interpreter in the image: a command in its `PATH`, or a path.',
    default: 'python',
    examples: ['/opt/venv/bin/python'],
  });

const imageVariant = table({
  image: z
    .string()
    .min(1)
    .meta({
      description: 'An existing image with the application in it. Pacegate pulls it and builds nothing.',
      examples: ['registry.example.org/team/app:new'],
    }),
  baseline: z
    .string()
    .min(1)
    .optional()
    .meta({
      description: "The baseline's image. Without this key both sides use `image`.",
      examples: ['registry.example.org/team/app:old'],
    }),
  python: pythonInside,
  ...carried,
});

const bakeVariant = table({
  bake: z
    .string()
    .min(1)
    .meta({
      description: "A target of the project's own bake file. Each side builds the target from its own files.",
      examples: ['app'],
    }),
  file: relativePath.optional().meta({
    description: 'The bake file.',
    default: DEFAULTS.bakeFile,
    examples: ['deploy/docker-bake.hcl'],
  }),
  python: pythonInside,
  ...carried,
});

export const variantSchema = z.union([
  officialVariant,
  alpineVariant,
  debianVariant,
  pyenvVariant,
  pyenvOptimizedVariant,
  pyenvNativeVariant,
  pyenvBoltVariant,
  uvVariant,
  condaForgeVariant,
  dhiVariant,
  wolfiVariant,
  hostVariant,
  imageVariant,
  bakeVariant,
]);
export type VariantConfiguration = z.infer<typeof variantSchema>;

const COMMAND = 'a list of words, such as [python, bench.py]';

const READY =
  'a TCP port from 1 to 65535, or an address of this machine such as http://127.0.0.1:8000/health';
const WARM_UP = 'a whole number of rounds, 0 to 100';

const serverSchema = table({
  ready: z
    .union(
      [
        z.int(legal(READY)).min(1, legal(READY)).max(65_535, legal(READY)),
        // Loopback only: on a host engine any other address would be another server.
        z
          .string()
          .regex(/^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}(\/[\x21-\x7e]{0,500})?$/, {
            ...legal(READY),
            abort: true,
          })
          .refine((address) => portOf(address) >= 1 && portOf(address) <= 65_535, legal(READY)),
      ],
      legal(READY),
    )
    .meta({
      description:
        'When the server is ready: when a TCP port of the loopback interface accepts connections, or when an `http://` address there answers with 2xx or 3xx.',
      examples: [8000, 'http://127.0.0.1:8000/health'],
    }),
  load: z
    .array(z.string(), legal(COMMAND))
    .min(1, legal(COMMAND))
    .meta({
      description:
        "One round of load, as a list of words. It runs in a second container in the server's network. A first word `python` or `python3` is the interpreter of the baseline's image on both sides.",
      examples: [['python', 'load.py']],
    }),
  'warm-up': z
    .int(legal(WARM_UP))
    .min(0, legal(WARM_UP))
    .max(100, legal(WARM_UP))
    .optional()
    .meta({
      description: 'Rounds of load before the measured one.',
      default: DEFAULTS.warmUp,
      examples: [3],
    }),
  'start-timeout': duration.optional().meta({
    description: 'Time that the server has to become ready.',
    default: DEFAULTS.startTimeout,
    examples: ['2m'],
  }),
  stop: z
    .enum(STOP_SIGNALS)
    .optional()
    .meta({
      description: 'The signal that asks the server to end.',
      default: DEFAULTS.stop,
      examples: ['SIGINT'],
    }),
  'stop-timeout': duration.optional().meta({
    description: 'Time that the server has to end after the signal. Then it gets SIGKILL.',
    default: DEFAULTS.stopTimeout,
    examples: ['30s'],
  }),
}).meta({
  description: 'Makes `command` a server: it is measured while a second container puts load on it.',
});

const portOf = (address: string) => Number(/:(\d+)(\/|$)/.exec(address.slice('http://'.length))?.[1]);

const SIZE_WORDS = 'a size such as 512m or 2g';

const IMAGE_OR_STAGE = 'an image or a stage of the Dockerfile such as python:3.12-slim';
const imageOrStage = z
  .string(legal(IMAGE_OR_STAGE))
  .regex(/^[A-Za-z0-9][\w./:@-]{0,254}$/, legal(IMAGE_OR_STAGE));

const INSTALLED_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** A name, extras and ranges of versions: no option of pip, no address and no path. */
const REQUIREMENT =
  /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*(\[[A-Za-z0-9._,\s-]*\])?\s*((===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+(\s*,\s*(===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+)*)?$/;
const REQUIREMENT_WORDS = 'a package, such as pytest-benchmark or "pytest-benchmark>=5,<6"';

const namesOf = (what: string, example: string) =>
  z
    .array(z.string(legal(what)).regex(INSTALLED_NAME, legal(what)), legal(`a list, such as [${example}]`))
    .optional();

const installSchema = table({
  groups: namesOf('the name of a dependency group', 'bench').meta({
    description:
      "Dependency groups: those of `[dependency-groups]` in `pyproject.toml`, of Poetry and PDM, or Pipenv's categories.",
    default: [],
    examples: [['bench']],
  }),
  extras: namesOf('the name of an extra', 'fast').meta({
    description:
      'Extras of the project: the names in `[project.optional-dependencies]`, or those of its lock file.',
    default: [],
    examples: [['fast']],
  }),
  packages: z
    .array(
      z.string(legal(REQUIREMENT_WORDS)).regex(REQUIREMENT, legal(REQUIREMENT_WORDS)),
      legal('a list, such as [pytest-benchmark]'),
    )
    .optional()
    .meta({
      description:
        'Further packages, each with its range of versions if you want one. They do not change the version of a dependency that is installed already.',
      default: [],
      examples: [['pytest-benchmark']],
    }),
}).meta({
  description:
    'What the default Dockerfile installs besides the dependencies, such as a benchmark suite. Not with `dockerfile`: that one installs what it needs itself.',
});

const workloadSchema = table({
  context: relativePath.optional().meta({
    description: "The folder that the images carry, relative to the repository's top.",
    default: DEFAULTS.context,
    examples: ['services/orders'],
  }),
  dockerfile: relativePath.optional().meta({
    description:
      "The application's Dockerfile, relative to `context`. Each variant's interpreter takes the place of its images called `python`, such as `python:3.13-slim`. Without this key a default Dockerfile installs the project's dependencies and copies the context.",
    examples: ['Dockerfile'],
  }),
  'interpreter-from': z
    .union([imageOrStage, z.array(imageOrStage).min(1).max(20)], legal(IMAGE_OR_STAGE))
    .optional()
    .meta({
      description:
        "The image of the Dockerfile, or the stage, that each variant's interpreter takes the place of, or a list of them. Write an image as the Dockerfile has it after `FROM`. Without this key it is every image called `python`.",
      examples: ['python:3.12-slim', 'python-base'],
    }),
  install: installSchema.optional(),
  files: z
    .array(relativePath)
    .optional()
    .meta({
      description:
        'The measuring code: files and folders, relative to `context`. Both sides run the copy of the head, mounted read-only.',
      default: [],
      examples: [['bench.py', 'data/']],
    }),
  command: z
    .array(z.string(), legal(COMMAND))
    .min(1, legal(COMMAND))
    .meta({
      description:
        "The command to measure, as a list of words; no shell is involved. A first word `python` or `python3` is the variant's interpreter. `{metrics}` in a word stands for the file of business metrics.",
      examples: [['python', 'bench.py']],
    }),
  timeout: duration.optional().meta({
    description:
      'Time limit of the command: of one repetition, or of one round of load where the command is a server.',
    default: DEFAULTS.timeout,
    examples: ['90s'],
  }),
  env: environment.optional().meta({
    description: 'Environment variables of the workload, in all variants.',
    default: {},
    examples: [{ MODE: 'fast' }],
  }),
  network: z
    .enum(['none', 'bridge'])
    .optional()
    .meta({
      description: "The network of a run's container: `none`, or `bridge` for the engine's default network.",
      default: DEFAULTS.network,
      examples: ['bridge'],
    }),
  memory: z
    .string(legal(SIZE_WORDS))
    .regex(BYTE_SIZE, { ...legal(SIZE_WORDS), abort: true })
    .refine((text) => parseBytes(text) !== undefined, legal(SIZE_WORDS))
    .optional()
    .meta({
      description:
        "Memory limit of a run's container. Without this key there is no limit. The unit is required: `512m`, `2g`, `2GiB`.",
      examples: ['2g'],
    }),
  pids: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .meta({
      description: "Maximum number of processes and threads in a run's container.",
      default: DEFAULTS.pids,
      examples: [4096],
    }),
  repetitions: z
    .union([z.literal('auto'), z.int().min(1).max(100_000)], legal('auto, or a number from 1'))
    .optional()
    .meta({
      description:
        'How often one run repeats the command. Times and counts are those of one repetition. `auto` repeats a command that takes less than 0.3 s until a run takes about 0.5 s, at most 1000 times. It is 1 for a server and for a command with `{metrics}`.',
      default: DEFAULTS.repetitions,
      examples: [10],
    }),
  instructions: z
    .enum(INSTRUCTION_SOURCES)
    .optional()
    .meta({
      description:
        "How instructions are counted. `counters`: by the processor's counters, in containers too; the container gets the capability `PERFMON`. `cachegrind`, `callgrind`: each side runs once more under valgrind, and the count is judged as `valgrind_instructions`; `callgrind` keeps a profile as well.",
      default: DEFAULTS.instructions,
      examples: ['cachegrind'],
    }),
  server: serverSchema.optional(),
  profiler: z
    .enum(PROFILERS, legal(PROFILERS.join(', ')))
    .optional()
    .meta({
      description:
        'The profiler that runs once on each side of a variant that regressed. `py-spy` must be installed on the machine.',
      default: DEFAULTS.profiler,
      examples: ['py-spy'],
    }),
}).meta({ description: 'The command that is measured, and how it runs.' });

/** Read with the metric's unit: see bounds.ts. */
const bound = z.union(
  [z.number(), z.string().max(60)],
  legal('a number with its unit, such as 300ms or 200MiB'),
);

const metricSchema = table({
  limit: fraction.optional().meta({
    description:
      "The smallest change that counts: a percentage with its sign, or a fraction below 1. Defaults to the metric's own limit, or that of `rules.profile`.",
    examples: ['5%', 0.05],
  }),
  warn: fraction.optional().meta({
    description:
      'A smaller loss that gives the verdict `warning`, below the `limit`. A warning does not fail the job, unless `fail-on` names it.',
    examples: ['2%'],
  }),
  max: bound.optional().meta({
    description:
      "An absolute bound of the head's median, where lower is better, with its unit: `300ms`, `200MiB`, `5%`. A count is a number alone. A head that is above it has the verdict `over_limit`, unless the base is above it too.",
    examples: ['300ms', '200MiB', 20],
  }),
  min: bound.optional().meta({
    description: 'The same where higher is better: the verdict is `over_limit` if the head is below it.',
    examples: [100],
  }),
  better: betterSchema.optional().meta({
    description:
      'Which values are better. Defaults to what the workload reports with the metric, else to `lower`.',
    examples: ['higher'],
  }),
  unit: z
    .string()
    .max(30)
    .optional()
    .meta({
      description:
        'The unit of the values. Values that the workload reports in another unit of the same kind are converted. Defaults to the unit that the workload reports first.',
      examples: ['ms'],
    }),
  gate: z
    .boolean(legal('true or false'))
    .optional()
    .meta({
      description: 'Whether the metric is judged. `false` shows it in the report and tests nothing.',
      default: true,
      examples: [false],
    }),
  formula: z
    .string(legal(LEGAL_FORMULA))
    .refine((text) => parseFormula(text) !== undefined, legal(LEGAL_FORMULA))
    .optional()
    .meta({
      description:
        "Computes the metric of each run from the run's other metrics, with numbers, `+ - * /` and brackets. The names in it may only contain letters, digits and `_`.",
      examples: ['cpu_time_s / tasks'],
    }),
});

const ANCHOR = 'a tag or a commit of the repository in quotes, such as "v1.2.0"';

const ALPHA_WORDS = 'a probability such as 0.05, from 0.000001 to below 0.5';

const PATHS = 'patterns of paths with * and ** only, such as docs/** or **.md';
/** GitHub's other signs (`?`, `+`, `[]`, `!`) mean something else in most tools. */
const PATH_PATTERN = /^[^?+[\]!\\\s/][^?+[\]!\\]{0,254}$/;

const rulesSchema = table({
  alpha: z
    .number(legal(ALPHA_WORDS))
    .gte(LEAST_ALPHA, legal(ALPHA_WORDS))
    .lt(0.5, legal(ALPHA_WORDS))
    .optional()
    .meta({
      description: 'The accepted probability of a false alarm, for the whole report, one-sided.',
      default: DEFAULTS.alpha,
      examples: [0.01],
    }),
  profile: z
    .enum(PROFILES)
    .optional()
    .meta({
      description:
        'A set of limit and looks. `balanced`: 3 %, at most 60 blocks. `strict`: 2 %, at most 60. `loose`: 5 %, at most 20. A `limit` or `blocks` of the file takes precedence.',
      default: DEFAULTS.profile,
      examples: ['strict'],
    }),
  blocks: z
    .int(legal('a whole number of blocks, 1 to 1000'))
    .min(1, legal('a whole number of blocks, 1 to 1000'))
    .max(1000, legal('a whole number of blocks, 1 to 1000'))
    .optional()
    .meta({
      description:
        "Maximum number of blocks, which is the number of pairs of a variant. A variant stops earlier when all of its rows are decided. Defaults to the profile's maximum.",
      examples: [40],
    }),
  budget: duration.optional().meta({
    description:
      'Time for building and measuring together. Rows that it leaves undecided are `inconclusive`. An interpreter that has to be compiled has at least an hour. Profiles of a regression come after the budget.',
    default: DEFAULTS.budget,
    examples: ['45m'],
  }),
  evidence: evidenceRequestSchema.optional().meta({
    description:
      'What the head is compared with. `paired`: the baseline, measured on this machine in the same blocks. `stored`: nights of the same kind of machine. `auto`: paired, or stored where the baseline cannot be measured.',
    default: DEFAULTS.evidence,
    examples: ['paired'],
  }),
  'fail-on': z
    .array(verdictSchema)
    .optional()
    .meta({
      description:
        'The verdicts that fail the job with exit status 1. `failed` and `no_data` end with status 3 whatever this list says. An empty list fails on no verdict.',
      default: [...DEFAULTS.failOn],
      examples: [['regressed', 'inconclusive']],
    }),
  'changed-measurement': z
    .enum(CHANGED_MEASUREMENT, legal(CHANGED_MEASUREMENT.join(', ')))
    .optional()
    .meta({
      description:
        'What happens when a change removes a variant, or edits the command, the settings or the files of the workload. `report`: the report lists it. `fail`: the verdict is also `failed`, with exit status 1.',
      default: 'report',
      examples: ['fail'],
    }),
  'paths-ignore': z
    .array(z.string(legal(PATHS)).regex(PATH_PATTERN, legal(PATHS)), legal(`a list: ${PATHS}`))
    .max(200)
    .optional()
    .meta({
      description:
        'Files that cannot change a run. A change of such files only is not built or measured, and passes. `*` matches anything but a slash, `**` anything, `**/` also no folder. The list of the base applies.',
      examples: [['docs/**', '**.md']],
    }),
  anchor: z
    .string(legal(ANCHOR))
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/, legal(ANCHOR))
    .optional()
    .meta({
      description:
        'A tag or a commit with which the nightly compares once a week, to find losses that add up. A branch is refused.',
      examples: ['v1.2.0'],
    }),
}).meta({ description: 'When a change counts, how much is measured, and what fails the job.' });

const buildSchema = table({
  'cache-from': z
    .array(z.string())
    .optional()
    .meta({
      description:
        "Caches that builds read, in the syntax of `docker buildx build`. `{variant}` stands for the variant's name; a `type=gha` cache without it gets a scope for each variant.",
      default: [],
      examples: [['type=gha']],
    }),
  'cache-to': z
    .array(z.string())
    .optional()
    .meta({
      description:
        'Caches that builds write, in the form of `cache-from`. The builder must be able to export them.',
      default: [],
      examples: [['type=gha,mode=max'], ['type=registry,ref=ghcr.io/organisation/cache:{variant}']],
    }),
  secrets: z
    .array(z.string())
    .optional()
    .meta({
      description:
        "Build secrets, in the syntax of `docker buildx build`: `id=…,env=…` or `id=…,src=…`. A pull request's build does not get them unless the workflow allows it.",
      default: [],
      examples: [['id=pip.conf,src=pip.conf']],
    }),
  ca: z
    .string()
    .optional()
    .meta({
      description:
        'A PEM file with an additional certificate authority for builds. It reaches them as the secret `ca`.',
      examples: ['company-ca.pem'],
    }),
  registry: z
    .string()
    .optional()
    .meta({
      description:
        'The repository for baseline images and interpreters, without a tag. The nightly pushes to it and a gate pulls from it by digest.',
      examples: ['ghcr.io/organisation/name'],
    }),
  cold: z
    .enum(COLD_BUILDS)
    .optional()
    .meta({
      description:
        'The images that the nightly also builds without a cache, for their build time. `quick`: all whose interpreter is not compiled.',
      default: DEFAULTS.cold,
      examples: ['none'],
    }),
}).meta({ description: 'How images are built, cached and pushed.' });

const BRANCH = 'a branch, or a pattern that begins with a letter or digit, such as release/*';

const trustSchema = table({
  branches: z
    .array(z.string(legal(BRANCH)).regex(/^[A-Za-z0-9][A-Za-z0-9._/*+-]{0,199}$/, legal(BRANCH)))
    .optional()
    .meta({
      description:
        'Branches whose commits are trusted as those of the default branch are. `*` matches anything but a slash, `**` anything. Only the list on the default branch counts.',
      default: [],
      examples: [['release/*']],
    }),
}).meta({
  description: 'Whose commits may use build secrets and host variants, and may write to the baseline branch.',
});

const NAME_WORDS = 'a name of small letters, digits, ., _ and -, at most 60';

export const configurationSchema = table({
  version: z
    .literal(1, legal('1'))
    .meta({ description: 'Version of the configuration format.', examples: [1] }),
  name: z
    .string(legal(NAME_WORDS))
    .regex(IDENTITY, legal(NAME_WORDS))
    .optional()
    .meta({
      description:
        "The name of this configuration. Its comment, artifact, baselines and pushed images are kept under it. Defaults to a name made from the file's path.",
      examples: ['orders'],
    }),
  workload: workloadSchema,
  variants: z
    .record(z.string().regex(NAME, legal('a name of small letters, digits, ., _ and -')), variantSchema)
    .refine((variants) => Object.keys(variants).length > 0, legal('at least one variant'))
    .meta({
      description:
        'The images to measure, by name; at least one. A name has small letters, digits, `.`, `_` and `-`. Each variant says where its Python comes from: `interpreter`, `image` or `bake`.',
    }),
  metrics: z
    .record(
      z
        .string()
        .regex(
          METRIC_NAME_OR_PATTERN,
          legal("a name of letters, digits, _, ., / and -, or a pattern with * in it, such as 'test_*'"),
        ),
      z.union([metricSchema, z.null()]),
    )
    .meta({
      description:
        "How metrics are judged, by name. A pattern such as `'test_*'` applies to the metrics that the workload reports and that have no entry of their own; the first pattern that matches applies. An entry may be empty: naming a metric makes it judged.",
    })
    .optional(),
  rules: rulesSchema.optional(),
  build: buildSchema.optional(),
  trust: trustSchema.optional(),
}).meta({ title: 'Pacegate configuration' });
export type Configuration = z.infer<typeof configurationSchema>;

/** The JSON Schema (2020-12) of the configuration file, for editors. */
export function configurationJsonSchema(): unknown {
  return z.toJSONSchema(configurationSchema, { io: 'input' });
}
