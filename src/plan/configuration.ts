import { z } from 'zod';
import { LEGAL_FORMULA, parseFormula } from '../session/formula.ts';
import { betterSchema, METRIC_NAME_OR_PATTERN } from '../session/metric.ts';
import { CHANGED_MEASUREMENT } from '../session/measuring.ts';
import { PROFILERS } from '../session/profile.ts';
import { evidenceRequestSchema, LEAST_ALPHA, verdictSchema } from '../session/rules.ts';
import { INSTRUCTION_SOURCES } from '../session/session.ts';
import { PROFILES } from '../statistics/looks.ts';
import { IDENTITY } from './identity.ts';
import { COLD_BUILDS, STOP_SIGNALS } from './plan.ts';
import { BYTE_SIZE, DURATION, FRACTION, parseBytes, parseDuration, parseFraction } from './quantities.ts';

/**
 * The configuration file, `.github/pacegate.yml`. This definition is the only one: the validation, the
 * types and the published JSON Schema all come from it.
 */

/** A name that is safe in a file's path, an image tag and a Markdown table. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const legal = (example: string) => ({ error: `legal: ${example}` });

/** An object without other keys than these; the message for another one names them. */
const table = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
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
    legal(`${DURATION_WORDS}, above 0 and of a week (168h) at most`),
  )
  .meta({ description: 'A duration: 90s, 10m, 1h30m.', examples: ['10m'] });

// What was typed, as it would be right, is the shortest explanation.
const wrongFraction = {
  error: ({ input }: { input?: unknown }) => `legal: ${fractionWords(input)}`,
  abort: true,
};

/** The schema says as much as the parser: a number from 1 on has lost its per cent sign. */
const fraction = z
  .union([z.number().gt(0, wrongFraction).lt(1, wrongFraction), z.string().regex(FRACTION, wrongFraction)], {
    error: wrongFraction.error,
  })
  .refine((value) => parseFraction(String(value)) !== undefined, wrongFraction)
  .meta({ description: 'A percentage (3%), or a fraction below 1 (0.03).', examples: ['3%'] });

function fractionWords(input: unknown): string {
  const bare = Number(input);
  return (typeof input === 'number' || typeof input === 'string') && bare >= 1 && bare < 1000
    ? `a percentage with its sign, ${bare}%, or a fraction below 1`
    : 'a percentage such as 3%, above 0, or a fraction below 1 such as 0.03';
}

const version = z
  .string({ error: 'legal: a version in quotes, such as "3.13" (without quotes, YAML reads 3.10 as 3.1)' })
  .regex(/^\d+\.\d+(\.\d+)?((a|b|rc)\d+)?t?$/, legal('a version such as "3.13" or "3.13.5"'));

const release = z.string().regex(/^[a-z]+$/, legal('a Debian release by its name, such as trixie'));

const relativePath = z
  .string(legal('a path inside the repository'))
  .min(1, legal('a path inside the repository'))
  .refine(
    (path) => !path.startsWith('/') && !path.includes('\0') && !path.split('/').includes('..'),
    legal('a path inside the repository: relative, without ..'),
  );

const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, legal('a name of letters, digits and _')), z.string())
  .meta({ description: 'Environment variables of the workload.' });

const carried = {
  flags: z
    .array(z.string().regex(/^-/, legal('interpreter flags, each beginning with -')))
    .optional()
    .meta({ description: 'Flags of the interpreter, such as -O.', examples: [['-O']] }),
  env: environment.optional(),
};

const PINNED_BASE = 'an image with its digest: python:3.13-slim-trixie@sha256:…';

const CONTEXT = 'a folder inside of the repository, docker-image://… or https://…';

const built = {
  // An unknown scheme would be opened as a path, through whatever links lie on it.
  contexts: z
    .record(
      z.string(),
      z
        .string(legal(CONTEXT))
        .regex(/^((docker-image|https?):\/\/[\x21-\x7e]+|(?!.*:\/\/)[^\0\n\r]+)$/, legal(CONTEXT)),
    )
    .optional()
    .meta({
      description: 'Named build contexts of the interpreter: a mirror of its sources, a folder or an image.',
    }),
};

const pinnedBase = z
  .string(legal(PINNED_BASE))
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/:-]*@sha256:[0-9a-f]{64}$/, legal(PINNED_BASE))
  .optional()
  .meta({
    description:
      'The image that the interpreter is taken from or stands on, pinned by its digest; without it the tag is looked up once, for both sides.',
  });

const debian = release.optional().meta({ description: 'The Debian release underneath.' });

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
    .string({ error: 'legal: an Alpine release in quotes, such as "3.22"' })
    .regex(/^\d+\.\d+$/, legal('an Alpine release such as "3.22"'))
    .optional(),
  base: pinnedBase,
  ...carried,
  ...built,
});

const debianVariant = table({
  interpreter: z.literal('debian').meta({ description: "Debian's own Python." }),
  debian,
  python: version.optional(),
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
      description: "More options of CPython's ./configure, such as --with-tail-call-interp and CC=clang.",
      examples: [['--with-tail-call-interp', 'CC=clang']],
    }),
  jit: z.boolean(legal('true or false')).optional().meta({
    description: 'Compile the experimental JIT in (3.13 and newer).',
  }),
  ...carried,
  ...built,
};

const MARCH = 'x86-64-v2, x86-64-v3 or x86-64-v4';
const march = z.enum(['x86-64-v2', 'x86-64-v3', 'x86-64-v4'], legal(MARCH)).optional().meta({
  description: 'Compile for processors of this level and newer; others are refused before the workload runs.',
});

const pyenvVariant = table({
  interpreter: z.literal('pyenv').meta({ description: 'CPython compiled by pyenv with no options.' }),
  march,
  ...compiled,
});

const pyenvOptimizedVariant = table({
  interpreter: z
    .literal('pyenv-optimized')
    .meta({ description: 'CPython compiled by pyenv with --enable-optimizations --with-lto.' }),
  march,
  ...compiled,
});

const pyenvNativeVariant = table({
  interpreter: z.literal('pyenv-native').meta({
    description: "pyenv-optimized with -march=native -mtune=native: for this machine's processor alone.",
  }),
  ...compiled,
});

const pyenvBoltVariant = table({
  interpreter: z.literal('pyenv-bolt').meta({ description: 'pyenv-optimized with --enable-bolt.' }),
  march,
  ...compiled,
});

const ADDRESS = 'an address: https://…, or file:///… of a folder in the build';
const address = z.string(legal(ADDRESS)).regex(/^(https?|file):\/\/[\x21-\x7e]*$/, legal(ADDRESS));

const uvVariant = table({
  interpreter: z.literal('uv').meta({ description: "uv's python-build-standalone." }),
  python: version,
  release: z
    .string({ error: 'legal: a release of python-build-standalone in quotes, such as "20250612"' })
    .regex(/^\d{8}$/, legal('a release of python-build-standalone such as "20250612"'))
    .optional()
    .meta({
      description: 'The release of python-build-standalone; what this uv knows where nothing is said.',
    }),
  mirror: address.optional().meta({
    description: "Where the archives come from instead of GitHub (uv's UV_PYTHON_INSTALL_MIRROR).",
  }),
  downloads: address.optional().meta({
    description:
      "A list of archives in place of the one that uv carries (uv's UV_PYTHON_DOWNLOADS_JSON_URL).",
  }),
  debian,
  base: pinnedBase,
  ...carried,
  ...built,
});

const condaForgeVariant = table({
  interpreter: z.literal('conda-forge').meta({ description: "conda-forge's Python, by micromamba." }),
  python: version,
  channel: z
    .string()
    .regex(/^[\x21-\x7e]+$/, legal('a channel or its address'))
    .optional()
    .meta({ description: 'A channel, or the address of a mirror, in place of conda-forge.' }),
  debian,
  base: pinnedBase,
  ...carried,
  ...built,
});

const hostVariant = table({
  interpreter: z.literal('host').meta({ description: "This machine's own interpreter, no container." }),
  python: z.string().min(1).meta({ description: 'A command or a path, resolved past shims.' }),
  ...carried,
});

const pythonInside = z
  .string()
  .min(1)
  .optional()
  .meta({ description: 'The interpreter inside the image; python where nothing is said.' });

const imageVariant = table({
  image: z.string().min(1).meta({ description: 'An image that exists already.' }),
  baseline: z.string().min(1).optional().meta({ description: "The baseline's image where it is another." }),
  python: pythonInside,
  ...carried,
});

const bakeVariant = table({
  bake: z.string().min(1).meta({ description: "A target of the project's own bake file." }),
  file: relativePath
    .optional()
    .meta({ description: 'The bake file; docker-bake.hcl where nothing is said.' }),
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
        // Loopback alone: on a host engine any other would be somebody else's server.
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
        'When the server is ready: a TCP port of loopback that takes connections, or an http:// address there that answers with 2xx or 3xx.',
      examples: [8000, 'http://127.0.0.1:8000/health'],
    }),
  load: z.array(z.string(), legal(COMMAND)).min(1, legal(COMMAND)).meta({
    description:
      "One round of load, run in a second container beside the server's; a first word python or python3 is the interpreter of the baseline's image on both sides.",
  }),
  'warm-up': z
    .int(legal(WARM_UP))
    .min(0, legal(WARM_UP))
    .max(100, legal(WARM_UP))
    .optional()
    .meta({ description: 'Rounds of load before the one that counts; 1 where nothing is said.' }),
  'start-timeout': duration.optional(),
  stop: z.enum(STOP_SIGNALS).optional().meta({ description: 'The signal that asks the server to end.' }),
  'stop-timeout': duration.optional(),
}).meta({
  description: 'The command is a server: it is measured while a second container puts load on it.',
});

const portOf = (address: string) => Number(/:(\d+)(\/|$)/.exec(address.slice('http://'.length))?.[1]);

const SIZE_WORDS = 'a size such as 512m or 2g';

const workloadSchema = table({
  context: relativePath.optional().meta({ description: 'The folder that the images carry.' }),
  dockerfile: relativePath.optional().meta({
    description:
      "The application's Dockerfile, relative to the context; its `FROM python` is replaced by each interpreter. Without one, the default installs from uv.lock, poetry.lock or requirements.txt and copies the context.",
  }),
  files: z.array(relativePath).optional().meta({
    description:
      'The measuring code, relative to the context: taken from the head, mounted read-only on both sides.',
  }),
  command: z.array(z.string(), legal(COMMAND)).min(1, legal(COMMAND)).meta({
    description: "The command; a first word python or python3 is the variant's own interpreter.",
  }),
  timeout: duration.optional(),
  env: environment.optional(),
  network: z.enum(['none', 'bridge']).optional(),
  memory: z
    .string(legal(SIZE_WORDS))
    .regex(BYTE_SIZE, { ...legal(SIZE_WORDS), abort: true })
    .refine((text) => parseBytes(text) !== undefined, legal(SIZE_WORDS))
    .optional()
    .meta({ description: "A run's memory limit: 512m, 2g." }),
  pids: z.int().min(1).max(1_000_000).optional().meta({ description: "A run's limit of processes." }),
  repetitions: z
    .union([z.literal('auto'), z.int().min(1).max(100_000)], legal('auto, or a number from 1'))
    .optional()
    .meta({ description: 'How often a run repeats the command; auto aims at half a second.' }),
  instructions: z.enum(INSTRUCTION_SOURCES).optional().meta({
    description:
      "counters: the hardware's, in containers too, which takes the capability PERFMON. cachegrind or callgrind: both sides are run once more under valgrind, and what it counts is judged as valgrind_instructions; callgrind keeps a profile too.",
  }),
  server: serverSchema.optional(),
  profiler: z
    .enum(PROFILERS, legal(PROFILERS.join(', ')))
    .optional()
    .meta({
      description:
        'What looks at one more run of each side of a variant that regressed: cprofile, py-spy (where it is installed on the machine) or none.',
    }),
});

const metricSchema = table({
  limit: fraction.optional().meta({ description: 'The smallest change that counts.' }),
  better: betterSchema.optional(),
  unit: z.string().max(30).optional(),
  gate: z.boolean(legal('true or false')).optional(),
  formula: z
    .string(legal(LEGAL_FORMULA))
    .refine((text) => parseFormula(text) !== undefined, legal(LEGAL_FORMULA))
    .optional()
    .meta({
      description:
        'A hybrid: worked out run by run from other metrics of the run, with + - * / ( ) and numbers. Names in it are of letters, digits and _.',
      examples: ['cpu_time_s / tasks'],
    }),
});

const ANCHOR = 'a tag or a commit of the repository in quotes, such as "v1.2.0"';

const ALPHA_WORDS = 'a probability such as 0.05, from 0.000001 to below 0.5';

const rulesSchema = table({
  alpha: z
    .number(legal(ALPHA_WORDS))
    .gte(LEAST_ALPHA, legal(ALPHA_WORDS))
    .lt(0.5, legal(ALPHA_WORDS))
    .optional()
    .meta({ description: 'False alarms accepted for the whole pull request, one-sided.' }),
  profile: z.enum(PROFILES).optional().meta({
    description:
      'balanced: 3 % counts, up to 30 blocks; strict: 2 %, up to 60; loose: 5 %, up to 20. What is said beside it stands.',
  }),
  blocks: z
    .int(legal('a whole number of blocks, 1 to 1000'))
    .min(1, legal('a whole number of blocks, 1 to 1000'))
    .max(1000, legal('a whole number of blocks, 1 to 1000'))
    .optional()
    .meta({ description: 'Pairs measured for each variant at most; fewer where they decide.' }),
  budget: duration.optional(),
  evidence: evidenceRequestSchema.optional(),
  'fail-on': z.array(verdictSchema).optional(),
  'changed-measurement': z
    .enum(CHANGED_MEASUREMENT, legal(CHANGED_MEASUREMENT.join(', ')))
    .optional()
    .meta({
      description:
        "What it does to the verdict where a change removes a variant or edits the workload's command, settings or files: report, or fail (the gate says no). From the base's configuration.",
    }),
  anchor: z
    .string(legal(ANCHOR))
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/+-]*$/, legal(ANCHOR))
    .optional()
    .meta({
      description:
        'A fixed, older commit with which the nightly compares once a week, to see what adds up: a tag or a commit. It moves by a change of this line alone.',
      examples: ['v1.2.0'],
    }),
});

const buildSchema = table({
  'cache-from': z.array(z.string()).optional(),
  'cache-to': z.array(z.string()).optional(),
  secrets: z
    .array(z.string())
    .optional()
    .meta({ description: 'Build secrets as buildx has them: id=…,env=… or id=…,src=…' }),
  ca: z
    .string()
    .optional()
    .meta({ description: 'A file with an extra certificate authority for builds (PEM).' }),
  registry: z
    .string()
    .optional()
    .meta({ description: 'Where baseline images and interpreters are pushed and pulled by digest.' }),
  cold: z.enum(COLD_BUILDS).optional().meta({
    description:
      'Images that the nightly builds once more from nothing, for their build time: quick (all that are not compiled), all or none.',
  }),
});

const BRANCH = 'a branch, or a pattern that begins with a letter or digit, such as release/*';

const trustSchema = table({
  branches: z
    .array(z.string(legal(BRANCH)).regex(/^[A-Za-z0-9][A-Za-z0-9._/*+-]{0,199}$/, legal(BRANCH)))
    .optional()
    .meta({
      description:
        "Branches beside the default one whose commits are trusted as its own are, by GitHub's patterns (* is anything but a slash, ** anything). Only what stands on the default branch counts.",
      examples: [['release/*']],
    }),
}).meta({ description: 'Whose commits may use build secrets, host variants and the baseline branch.' });

const NAME_WORDS = 'a name of small letters, digits, ., _ and -, at most 60';

export const configurationSchema = table({
  version: z.literal(1, legal('1')),
  name: z.string(legal(NAME_WORDS)).regex(IDENTITY, legal(NAME_WORDS)).optional().meta({
    description:
      'What the comment, the artifact, the baselines and the pushed images of this configuration are kept under, in place of a name made of its path.',
  }),
  workload: workloadSchema,
  variants: z
    .record(z.string().regex(NAME, legal('a name of small letters, digits, ., _ and -')), variantSchema)
    .refine((variants) => Object.keys(variants).length > 0, legal('at least one variant')),
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
        "How each metric is judged, by its name; a pattern such as 'test_*' stands for the metrics that the workload reports and that have no entry of their own, the first that matches.",
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
