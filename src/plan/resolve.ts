import { ConfigurationError } from '../errors/errors.ts';
import { isTested } from '../session/metric.ts';
import type { EvidenceRequest, Rules, Verdict } from '../session/rules.ts';
import { capOf, firstReachable, looksFor, NEWEST_METHOD, steadyBlocks } from '../statistics/looks.ts';
import { configurationSchema, type Configuration, type VariantConfiguration } from './configuration.ts';
import { DEFAULTS } from './defaults.ts';
import { readYaml, type Problem, type YamlDocument } from './document.ts';
import { IDENTITY, identityOf } from './identity.ts';
import { impossibleInterpreters, interpreterOf } from './interpreters.ts';
import { deepFreeze, type Plan, type Variant } from './plan.ts';
import { wrongFormulas } from './formulas.ts';
import { impossibleCounts, metricPatterns, metricRules, wrongBounds, wrongWarnings } from './metrics.ts';
import { configurationError, problemsOf } from './problems.ts';
import { parseDuration, seconds } from './quantities.ts';
import { toWorkload, wrongInstall, wrongInterpreterFrom, wrongRepetitions, wrongServer } from './workload.ts';

/** Options of the command line or inputs of the action, which replace keys of the file. Lists replace the file's. */
export interface Overrides {
  /** A name that replaces the one made from the path, for a configuration that a workflow runs twice. */
  readonly name?: string;
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

/** Selects the overrides from options or inputs. */
export function overridesOf(given: {
  readonly [Name in keyof Overrides]: Overrides[Name] | undefined;
}): Overrides {
  const wanted = OVERRIDES.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]));
  return Object.fromEntries(wanted) as Overrides;
}

/** One entry for each key, so that the compiler reports a missing one. */
const OVERRIDES = Object.keys({
  name: true,
  variants: true,
  evidence: true,
  failOn: true,
  budget: true,
  seed: true,
  registry: true,
  cacheFrom: true,
  cacheTo: true,
  baselineBranch: true,
} satisfies Record<keyof Overrides, true>) as readonly (keyof Overrides)[];

export interface PlanSource {
  /** The configuration's text. */
  readonly text: string;
  /** Its name as the user typed it; messages begin with it. */
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
    // A document that is not YAML has no values to check.
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
    ...wrongInterpreterFrom(parsed.data, document),
    ...wrongInstall(parsed.data, document),
    ...wrongOptions(parsed.data, overrides),
    ...impossibleCounts(parsed.data, plan, document),
    ...wrongWarnings(plan, document),
    ...wrongBounds(parsed.data, document),
    ...impossibleRules(plan, document),
  ];
  if (problems.length > 0) throw configurationError(file, problems);
  return deepFreeze(plan);
}

function toPlan(configuration: Configuration, file: string, root: string, overrides: Overrides): Plan {
  const { rules: given = {}, build = {} } = configuration;
  const profile = given.profile ?? DEFAULTS.profile;
  const evidence = overrides.evidence ?? given.evidence ?? DEFAULTS.evidence;
  const patterns = metricPatterns(configuration, profile);
  const wanted = overrides.variants;
  const rules: Rules = {
    alpha: given.alpha ?? DEFAULTS.alpha,
    profile,
    method: NEWEST_METHOD,
    // Stored evidence tests once, with all runs: they are as many as a night's.
    blocks: given.blocks ?? (evidence === 'stored' ? steadyBlocks(profile, capOf(profile)) : capOf(profile)),
    evidence,
    failOn: [...(overrides.failOn ?? given['fail-on'] ?? DEFAULTS.failOn)],
    changedMeasurement: given['changed-measurement'],
    metrics: metricRules(configuration, profile),
    patterns: patterns.length === 0 ? undefined : patterns,
  };
  return {
    configuration: overrides.name ?? configuration.name ?? identityOf(file),
    file,
    root,
    workload: toWorkload(configuration.workload),
    variants: Object.entries(configuration.variants)
      .filter(([name]) => wanted === undefined || wanted.includes(name))
      .map(([name, variant]) => toVariant(name, variant)),
    rules,
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
    trustedBranches: configuration.trust?.branches ?? [],
    pathsIgnore: configuration.rules?.['paths-ignore'],
  };
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

/** Reports two variants with the same definition, which would be measured twice. */
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
    ...(overrides.name === undefined || IDENTITY.test(overrides.name)
      ? []
      : [
          {
            line: undefined,
            place: 'the option name',
            found: JSON.stringify(overrides.name),
            legal: 'a name of small letters, digits, ., _ and -, at most 60',
          },
        ]),
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
            legal: 'a duration such as 90s, 10m or 1h30m, above 0 and at most a week (168h)',
          },
        ]),
  ];
}

/**
 * Reports rules that can never give `regressed`. The number of metrics that a pattern matches is known only after the
 * warm-up, so a pattern counts as one here, and the same check runs again after the warm-up.
 */
function impossibleRules(plan: Plan, document: YamlDocument): Problem[] {
  const judged = plan.rules.metrics.filter(({ gate }) => gate);
  const patterns = (plan.rules.patterns ?? []).filter(({ gate }) => gate).length;
  // A configuration without variants is reported elsewhere.
  if (plan.rules.evidence === 'stored' || plan.variants.length === 0) return [];
  if (judged.length + patterns === 0)
    return [
      {
        line: document.lineOf(['metrics']),
        place: 'metrics',
        found: 'no metric that is judged (gate: false on all)',
        legal: 'at least one metric with gate: true',
      },
    ];
  const unreachable = unreachableWith(plan, plan.variants.length);
  if (unreachable === undefined) return [];
  return [
    {
      line: document.lineOf(['rules', 'blocks']) ?? document.lineOf(['rules', 'alpha']),
      place: 'rules.blocks',
      ...unreachable,
    },
  ];
}

/** Why so many variants can never reach significance by a plan's rules, and what would help; undefined if they can. */
function unreachableWith(
  { rules: { alpha, profile, method = 1, blocks, metrics, patterns = [] } }: Plan,
  variants: number,
): Pick<Problem, 'found' | 'legal'> | undefined {
  const gated = metrics.filter(isTested).length + patterns.filter(({ gate }) => gate).length;
  const tests = gated * variants;
  if (tests === 0 || firstReachable(looksFor(profile, blocks, method), tests, alpha) !== undefined)
    return undefined;
  let needed = blocks;
  while (firstReachable(looksFor(profile, needed, method), tests, alpha) === undefined) needed++;
  const last = looksFor(profile, blocks, method).at(-1)?.weight ?? 1;
  return {
    found: `${blocks}, which can never reach significance: ${tests} tests (${variants} variants x ${gated} metrics) share alpha ${alpha}, which leaves p <= ${((alpha / tests) * last).toPrecision(2)} at the last look, and ${blocks} blocks give at best ${(2 ** -blocks).toPrecision(2)}`,
    legal: `at least ${needed} blocks, or fewer variants or metrics`,
  };
}

/**
 * Refuses a pull request's plan that can never give a verdict, although each file alone can: the rules come from the
 * base, the variants from both. Variants that the base does not have form a family of their own.
 * @throws ConfigurationError with what was found and what is legal
 */
export function refuseImpossible(plan: Plan, base: Plan, file: string): void {
  if (plan.rules.evidence === 'stored') return;
  const isOld = ({ name }: Variant) => base.variants.some((own) => own.name === name);
  const families = [
    { whose: 'the variants of the base', variants: plan.variants.filter(isOld) },
    { whose: 'the variants that this change adds', variants: plan.variants.filter((one) => !isOld(one)) },
  ];
  for (const { whose, variants } of families) {
    const unreachable = unreachableWith(plan, variants.length);
    if (unreachable !== undefined)
      throw new ConfigurationError(
        `${file}, with the rules of its base: ${whose} (${variants.map(({ name }) => name).join(', ')}): rules.blocks: found ${unreachable.found}; expected: ${unreachable.legal}. Nothing was built or run.`,
      );
  }
}
