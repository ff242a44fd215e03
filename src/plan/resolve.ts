import {
  BUILT_IN_METRICS,
  DEFAULT_LIMIT,
  defaultRule,
  isPattern,
  type MetricPattern,
  VALGRIND_INSTRUCTIONS,
  type MetricRule,
} from '../session/metric.ts';
import type { EvidenceRequest, Rules, Verdict } from '../session/rules.ts';
import { COUNTING_TOOLS } from '../session/session.ts';
import { capOf, firstReachable, looksFor, PROFILE_SETTINGS, type Profile } from '../statistics/looks.ts';
import { configurationSchema, type Configuration, type VariantConfiguration } from './configuration.ts';
import { DEFAULTS } from './defaults.ts';
import { readYaml, type Problem, type YamlDocument } from './document.ts';
import { impossibleInterpreters, interpreterOf } from './interpreters.ts';
import { deepFreeze, METRICS_WORD, type Plan, type Server, type Variant, type Workload } from './plan.ts';
import { wrongFormulas } from './formulas.ts';
import { configurationError, problemsOf } from './problems.ts';
import { parseBytes, parseDuration, parseFraction } from './quantities.ts';

/** What the command line or the action's inputs say over the file. Lists replace the file's. */
export interface Overrides {
  readonly variants?: readonly string[] | undefined;
  readonly evidence?: EvidenceRequest;
  readonly failOn?: readonly Verdict[];
  /** As typed: `20m`. */
  readonly budget?: string;
  readonly seed?: number;
  readonly registry?: string;
  readonly cacheFrom?: readonly string[];
  readonly cacheTo?: readonly string[];
  readonly baselineBranch?: string;
}

export interface PlanSource {
  /** The configuration's text. */
  readonly text: string;
  /** Its name as the user knows it; messages begin with it. */
  readonly file: string;
  /** Absolute folder that the configuration's paths start from. */
  readonly root: string;
  readonly overrides?: Overrides;
}

/**
 * Reads, validates and freezes a configuration.
 * @throws ConfigurationError with every problem of the file and the options at once.
 */
export function resolvePlan({ text, file, root, overrides = {} }: PlanSource): Plan {
  const document = readYaml(text);
  const parsed = configurationSchema.safeParse(document.value);
  if (!parsed.success) {
    // A document that is no YAML has no values to complain about.
    const unreadable = document.problems.some(({ place }) => place === 'YAML');
    throw configurationError(file, [
      ...document.problems,
      ...(unreadable ? [] : problemsOf(parsed.error.issues, document)),
    ]);
  }
  const plan = toPlan(parsed.data, file, root, overrides);
  const problems = [
    ...document.problems,
    ...twins(parsed.data, document),
    ...wrongFormulas(parsed.data, document),
    ...impossibleInterpreters(parsed.data, document),
    ...wrongRepetitions(parsed.data, document),
    ...wrongServer(parsed.data, document),
    ...wrongOptions(parsed.data, overrides),
    ...impossibleCounts(parsed.data, plan, document),
    ...impossibleRules(plan, document),
  ];
  if (problems.length > 0) throw configurationError(file, problems);
  return deepFreeze(plan);
}

function toPlan(configuration: Configuration, file: string, root: string, overrides: Overrides): Plan {
  const { rules: given = {}, build = {} } = configuration;
  const profile = given.profile ?? DEFAULTS.profile;
  const metrics = metricRules(configuration, profile);
  const patterns = metricPatterns(configuration, profile);
  const evidence = overrides.evidence ?? given.evidence ?? DEFAULTS.evidence;
  const wanted = overrides.variants;
  const rules: Rules = {
    alpha: given.alpha ?? DEFAULTS.alpha,
    profile,
    blocks: given.blocks ?? capOf(profile),
    evidence,
    failOn: [...(overrides.failOn ?? given['fail-on'] ?? DEFAULTS.failOn)],
    metrics,
    ...(patterns.length === 0 ? {} : { patterns }),
  };
  return {
    configuration: configurationName(file),
    file,
    root,
    workload: toWorkload(configuration.workload),
    variants: Object.entries(configuration.variants)
      .filter(([name]) => wanted === undefined || wanted.includes(name))
      .map(([name, variant]) => toVariant(name, variant)),
    metrics,
    rules,
    evidence,
    budgetSeconds: seconds(overrides.budget ?? given.budget ?? DEFAULTS.budget),
    seed: overrides.seed,
    build: {
      cacheFrom: overrides.cacheFrom ?? build['cache-from'] ?? [],
      cacheTo: overrides.cacheTo ?? build['cache-to'] ?? [],
      secrets: build.secrets ?? [],
      ca: build.ca,
      registry: overrides.registry ?? build.registry,
      cold: build.cold ?? DEFAULTS.cold,
    },
    baselineBranch: overrides.baselineBranch ?? DEFAULTS.baselineBranch,
    anchor: given.anchor,
  };
}

/** `.github/pacegate.yml` -> `pacegate`: what comments, baselines and artifacts of several are told apart by. */
export function configurationName(file: string): string {
  const stem = (file.split('/').at(-1) ?? '').replace(/\.(ya?ml|json)$/i, '');
  return (
    stem
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 60) || 'pacegate'
  );
}

function toWorkload(given: Configuration['workload']): Workload {
  return {
    context: given.context ?? DEFAULTS.context,
    dockerfile: given.dockerfile,
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
    ...(given.server === undefined ? {} : { server: toServer(given.server) }),
  };
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
 * What a command writes to {metrics} is one file a run, which pyperf refuses to write again and of which only the last
 * would count; and the suites that write one repeat by themselves. How large a round of load is, the load says.
 */
function toRepetitions({ command, repetitions, server }: Configuration['workload']): Workload['repetitions'] {
  const asked = repetitions ?? DEFAULTS.repetitions;
  return asked === 'auto' && (server !== undefined || writesMetrics(command)) ? 1 : asked;
}

const writesMetrics = (command: readonly string[]) => command.some((word) => word.includes(METRICS_WORD));

function wrongRepetitions(
  { workload: { command, repetitions = 1, server } }: Configuration,
  document: YamlDocument,
): Problem[] {
  if (repetitions === 'auto' || repetitions === 1) return [];
  if (server !== undefined)
    return [
      {
        line: document.lineOf(['workload', 'repetitions']),
        place: 'workload.repetitions',
        found: `${repetitions} with a server, which is started once in a run`,
        legal: '1 or auto: how much load a round is, workload.server.load says itself',
      },
    ];
  if (!writesMetrics(command)) return [];
  return [
    {
      line: document.lineOf(['workload', 'repetitions']),
      place: 'workload.repetitions',
      found: `${repetitions} with a command that writes ${METRICS_WORD}, of which only the last repetition's would count`,
      legal: '1 or auto: what writes benchmarks repeats by itself, and has an option for how often',
    },
  ];
}

/** What a server has not: a metrics file of its own, for its figures are the load's, and a count. */
function wrongServer(
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
            legal: `${METRICS_WORD} in workload.server.load: what the load reports is the run's`,
          },
        ]
      : []),
    // Between two words there is no place to begin a count, and its start and its end would be in it.
    ...(instructions === 'none'
      ? []
      : [
          {
            line: document.lineOf(['workload', 'instructions']),
            place: 'workload.instructions',
            found: `${instructions} for a server`,
            legal: 'none: instructions are those of a command that ends by itself',
          },
        ]),
  ];
}

function toVariant(name: string, given: VariantConfiguration): Variant {
  const carried = { name, flags: given.flags ?? [], env: given.env ?? {} };
  if ('image' in given)
    return {
      ...carried,
      kind: 'image',
      image: given.image,
      baselineImage: given.baseline,
      python: given.python ?? 'python',
    };
  if ('bake' in given)
    return {
      ...carried,
      kind: 'bake',
      target: given.bake,
      file: given.file ?? DEFAULTS.bakeFile,
      python: given.python ?? 'python',
    };
  if (given.interpreter === 'host') return { ...carried, kind: 'host', python: given.python };
  return { ...carried, kind: 'interpreter', ...interpreterOf(given), contexts: given.contexts ?? {} };
}

function metricRules({ metrics = {}, workload }: Configuration, profile: Profile): MetricRule[] {
  const given = Object.keys(metrics).filter((name) => !isPattern(name));
  const names = new Set([...BUILT_IN_METRICS.map(({ name }) => name), ...given]);
  return [...names].map((name) => {
    const rule = defaultRule(name, true);
    const given = metrics[name] ?? {};
    return {
      name,
      unit: given.unit ?? rule.unit,
      better: given.better ?? rule.better,
      // Naming a metric in the configuration is asking for it to be judged; so is having it counted.
      gate:
        given.gate ??
        (name in metrics || (name === VALGRIND_INSTRUCTIONS && isCounted(workload)) || rule.gate),
      limit:
        (given.limit === undefined ? undefined : parseFraction(String(given.limit))) ??
        // A profile speaks for what has no limit of its own.
        (rule.limit === DEFAULT_LIMIT ? PROFILE_SETTINGS[profile].limit : rule.limit),
      ...(rule.deterministic === undefined ? {} : { deterministic: rule.deterministic }),
      ...(rule.once === undefined ? {} : { once: rule.once }),
      ...(rule.counted === undefined ? {} : { counted: rule.counted }),
      ...(given.formula === undefined ? {} : { formula: given.formula }),
    };
  });
}

const isCounted = ({ instructions }: Configuration['workload']): boolean =>
  COUNTING_TOOLS.some((tool) => tool === instructions);

/** A count that is judged and never made, for nobody asked valgrind, or for there is no second side to run under it. */
function impossibleCounts(
  { metrics = {}, workload }: Configuration,
  { evidence, metrics: rules }: Plan,
  document: YamlDocument,
): Problem[] {
  const judged = rules.some(({ name, gate }) => name === VALGRIND_INSTRUCTIONS && gate);
  if (!judged) return [];
  if (!isCounted(workload))
    return [
      {
        line: document.lineOf(['metrics', VALGRIND_INSTRUCTIONS]),
        place: `metrics.${VALGRIND_INSTRUCTIONS}`,
        found: `a judged metric with workload.instructions: ${workload.instructions ?? DEFAULTS.instructions}, which does not count it`,
        legal: `workload.instructions: ${COUNTING_TOOLS.join(' or ')}, or gate: false`,
      },
    ];
  if (evidence !== 'stored') return [];
  return [
    {
      line: document.lineOf(['workload', 'instructions']),
      place: 'workload.instructions',
      found: `${workload.instructions ?? ''} with evidence: stored, which runs no second side to compare the count with`,
      legal: `evidence: auto or paired, instructions: none, or gate: false for ${VALGRIND_INSTRUCTIONS}${VALGRIND_INSTRUCTIONS in metrics ? '' : ' under metrics'}`,
    },
  ];
}

/** In the order of the file, which says which of them holds. */
const metricPatterns = ({ metrics = {} }: Configuration, profile: Profile): MetricPattern[] =>
  Object.entries(metrics)
    .filter(([name]) => isPattern(name))
    .map(([pattern, given]) => ({
      pattern,
      ...(given?.unit === undefined ? {} : { unit: given.unit }),
      ...(given?.better === undefined ? {} : { better: given.better }),
      gate: given?.gate ?? true,
      limit:
        (given?.limit === undefined ? undefined : parseFraction(String(given.limit))) ??
        PROFILE_SETTINGS[profile].limit,
    }));

const seconds = (text: string) => parseDuration(text) ?? Number.NaN;

/** Variants under two names that would be the same image and the same run. */
function twins(configuration: Configuration, document: YamlDocument): Problem[] {
  const problems: Problem[] = [];
  const seen = new Map<string, string>();
  for (const [name, variant] of Object.entries(configuration.variants)) {
    const definition = JSON.stringify(toVariant('', variant));
    const twin = seen.get(definition);
    if (twin === undefined) seen.set(definition, name);
    else
      problems.push({
        line: document.lineOf(['variants', name]),
        place: `variants.${name}`,
        found: `the same definition as ${twin}`,
        legal: 'variants that differ in interpreter, version, flags, environment or image',
      });
  }
  return problems;
}

function wrongOptions(configuration: Configuration, overrides: Overrides): Problem[] {
  const names = Object.keys(configuration.variants);
  const unknown = (overrides.variants ?? []).filter((name) => !names.includes(name));
  return [
    ...(overrides.variants?.length === 0
      ? [
          {
            line: undefined,
            place: 'the option variants',
            found: 'an empty list',
            legal: names.join(', '),
          },
        ]
      : []),
    ...unknown.map((name) => ({
      line: undefined,
      place: 'the option variants',
      found: JSON.stringify(name),
      legal: names.join(', '),
    })),
    ...(overrides.budget === undefined || parseDuration(overrides.budget) !== undefined
      ? []
      : [
          {
            line: undefined,
            place: 'the option budget',
            found: JSON.stringify(overrides.budget),
            legal: 'a duration such as 90s, 10m or 1h30m',
          },
        ]),
  ];
}

/**
 * Rules that could never say `regressed`, whatever is measured. How many metrics a pattern stands for is known after the
 * warm-up alone: here it is one, and what is too much then is said then.
 */
function impossibleRules(plan: Plan, document: YamlDocument): Problem[] {
  const { alpha, profile, blocks } = plan.rules;
  const judged = plan.metrics.filter(({ gate }) => gate);
  const patterns = (plan.rules.patterns ?? []).filter(({ gate }) => gate).length;
  const gated = judged.filter(({ deterministic }) => deterministic !== true).length + patterns;
  const tests = gated * plan.variants.length;
  // No variant at all is a problem of its own, said where it stands.
  if (plan.evidence === 'stored' || plan.variants.length === 0) return [];
  if (judged.length + patterns === 0)
    return [
      {
        line: document.lineOf(['metrics']),
        place: 'metrics',
        found: 'no metric that is judged (gate: false on all)',
        legal: 'at least one metric with gate: true',
      },
    ];
  if (tests === 0 || firstReachable(looksFor(profile, blocks), tests, alpha) !== undefined) return [];
  let needed = blocks;
  while (firstReachable(looksFor(profile, needed), tests, alpha) === undefined) needed++;
  const last = looksFor(profile, blocks).at(-1)?.weight ?? 1;
  return [
    {
      line: document.lineOf(['rules', 'blocks']) ?? document.lineOf(['rules', 'alpha']),
      place: 'rules.blocks',
      found: `${blocks}, which can never reach significance: ${tests} tests (${plan.variants.length} variants x ${gated} metrics) share alpha ${alpha}, which leaves p <= ${((alpha / tests) * last).toPrecision(2)} at the last look, and ${blocks} blocks give at best ${(2 ** -blocks).toPrecision(2)}`,
      legal: `at least ${needed} blocks, or fewer variants or metrics`,
    },
  ];
}
