import { ConfigurationError } from '../errors/errors.ts';
import { deepFreeze, type Plan } from './plan.ts';
import type { Overrides } from './resolve.ts';

/**
 * What a pull request may not decide about itself, taken from its base: limits, alpha, metrics, what fails the job, and
 * who counts instructions, for `counters` gives its code a capability and `none` hides them; and the build's secrets, certificate authority, registry and caches, which reach whatever Dockerfile the
 * head carries.
 * @param overrides what the workflow's inputs say; they stand over either file
 */
export function withRulesOf(plan: Plan, base: Plan, overrides: Overrides = {}): Plan {
  const evidence = overrides.evidence ?? base.evidence;
  return deepFreeze({
    ...plan,
    workload: { ...plan.workload, instructions: base.workload.instructions },
    metrics: base.metrics,
    rules: { ...base.rules, failOn: [...(overrides.failOn ?? base.rules.failOn)], evidence },
    evidence,
    build: base.build,
    budgetSeconds: overrides.budget === undefined ? base.budgetSeconds : plan.budgetSeconds,
  });
}

/** The plan with no build secrets. The certificate authority stays: it is public. */
export function withoutSecrets(plan: Plan): Plan {
  return deepFreeze({ ...plan, build: { ...plan.build, secrets: [] } });
}

/**
 * The variants of a pull request without what would reach past the containers: a folder of this machine as a build
 * context of an interpreter, unless the base names it too; and a host interpreter that the base does not have is
 * refused, for its code would run on the runner itself.
 * @throws ConfigurationError for such a host variant
 */
export function guarded(plan: Plan, base: Plan | undefined): Plan {
  const hosts = plan.variants.filter(
    ({ name, kind }) =>
      kind === 'host' && !(base?.variants.some((own) => own.name === name && own.kind === 'host') ?? false),
  );
  if (hosts.length > 0)
    throw new ConfigurationError(
      `${hosts.map(({ name }) => name).join(', ')}: a pull request adds a variant with \`interpreter: host\`, which the configuration of its base does not have. It would run the pull request's code on the runner itself, outside of any container. Add it on the base branch first.`,
    );
  const variants = plan.variants.map((variant) => {
    if (variant.kind !== 'interpreter') return variant;
    const own = base?.variants.find(({ name }) => name === variant.name);
    const allowed = own?.kind === 'interpreter' ? own.contexts : {};
    const contexts = Object.entries(variant.contexts).filter(
      ([name, value]) => value.includes('://') || allowed[name] === value,
    );
    return { ...variant, contexts: Object.fromEntries(contexts) };
  });
  return deepFreeze({ ...plan, variants });
}

/** Sentences on what the head's configuration changes of its own judgement; none where nothing changed. */
export function ruleChanges(head: Plan, base: Plan): string[] {
  const changes = [
    ...differences('rules', rulesOf(head), rulesOf(base)),
    ...differences('metric', metricsOf(head), metricsOf(base)),
    ...differences('variant', variantsOf(head), variantsOf(base)),
    ...differences('workload', workloadOf(head), workloadOf(base)),
  ];
  if (changes.length === 0) return [];
  const judged = changes.filter((change) => /^(rules|metric) /.test(change));
  return [
    `This change edits its own configuration: ${changes.join('; ')}.`,
    ...(judged.length === 0
      ? []
      : ['It is judged by the rules of its base; the edited rules hold from the next change on.']),
  ];
}

const rulesOf = ({
  rules: { alpha, profile, blocks, failOn },
  workload: { instructions },
  evidence,
  budgetSeconds,
  anchor,
}: Plan) => ({
  budget: `${budgetSeconds} s`,
  alpha,
  profile,
  blocks,
  evidence,
  'fail-on': failOn.join(', ') || 'none',
  anchor: anchor ?? 'none',
  instructions,
});

const metricsOf = ({ metrics, rules: { patterns = [] } }: Plan) =>
  Object.fromEntries([
    ...metrics.map(({ name, better, gate, limit, formula }) => [
      name,
      `${gate ? 'judged' : 'not judged'}, ${better} is better, limit ${+(limit * 100).toFixed(2)} %${formula === undefined ? '' : `, ${formula}`}`,
    ]),
    // Which of two patterns comes first decides what both match.
    ...patterns.map(({ pattern, unit, better, gate, limit }, index) => [
      pattern,
      `pattern ${index + 1}, ${gate ? 'judged' : 'not judged'}, ${better === undefined ? '' : `${better} is better, `}limit ${+(limit * 100).toFixed(2)} %${unit === undefined ? '' : `, in ${unit}`}`,
    ]),
  ]) as Readonly<Record<string, string>>;

/** With each setting of a server by itself. */
const workloadOf = ({ workload: { server, ...workload } }: Plan) => ({
  ...workload,
  // It is among the rules.
  instructions: undefined,
  ...Object.fromEntries(
    Object.entries(server ?? {}).map(([name, value]: [string, unknown]) => [`server.${name}`, value]),
  ),
});

const variantsOf = ({ variants }: Plan) =>
  Object.fromEntries(variants.map((variant) => [variant.name, variant]));

function differences(
  what: string,
  head: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>>,
): string[] {
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
  return [...new Set([...Object.keys(base), ...Object.keys(head)])].flatMap((name) => {
    const [before, after] = [text(base[name]), text(head[name])];
    if (before === after) return [];
    if (after === undefined) return [`${what} ${name} removed`];
    if (before === undefined) return [`${what} ${name} added`];
    return before.length + after.length > 120
      ? [`${what} ${name} changed`]
      : [`${what} ${name} from ${before} to ${after}`];
  });
}
