import { ConfigurationError } from '../errors/errors.ts';
import { judgingWorkload } from './measuring-changes.ts';
import { deepFreeze, type InterpreterVariant, type Plan } from './plan.ts';
import type { Overrides } from './resolve.ts';
import { own } from '../session/record.ts';

/**
 * Takes from the base what a pull request may not decide about itself: limits, alpha, metrics and what fails the job;
 * how instructions are counted, because `counters` gives its code a capability and `none` hides them; and the build's
 * secrets, certificate authority, registry and caches, which reach any Dockerfile of the head.
 * @param overrides the workflow's inputs, which replace keys of either file
 */
export function withRulesOf(plan: Plan, base: Plan, overrides: Overrides = {}): Plan {
  return deepFreeze({
    ...plan,
    // Another name would select another configuration's history, images and comment.
    configuration: base.configuration,
    workload: { ...plan.workload, instructions: base.workload.instructions },
    rules: {
      ...base.rules,
      failOn: [...(overrides.failOn ?? base.rules.failOn)],
      evidence: overrides.evidence ?? base.rules.evidence,
    },
    build: base.build,
    pathsIgnore: base.pathsIgnore,
    budgetSeconds: overrides.budget === undefined ? base.budgetSeconds : plan.budgetSeconds,
  });
}

/**
 * The plan with the base's command, and with the variants of the base first: those that a pull request adds are built
 * and warmed up after them.
 * @param kept paths of the base's `workload.files` that the head still has
 */
export function withMeasuringOf(plan: Plan, base: Plan, kept: readonly string[]): Plan {
  const isOld = ({ name }: Plan['variants'][number]) => base.variants.some((own) => own.name === name);
  return deepFreeze({
    ...plan,
    workload: judgingWorkload(plan.workload, base.workload, kept),
    variants: [...plan.variants.filter(isOld), ...plan.variants.filter((variant) => !isOld(variant))],
  });
}

/** The plan with no build secrets. The certificate authority stays: it is public. */
export function withoutSecrets(plan: Plan): Plan {
  return deepFreeze({ ...plan, build: { ...plan.build, secrets: [] } });
}

/**
 * A change's plan without anything that reaches past the containers. It leaves out build contexts that the base does
 * not name and paths that lead out of the checkout. It refuses a host interpreter that the base does not have, because
 * its code would run on the runner itself. @param base undefined if the base has no configuration
 * @throws ConfigurationError for such a host variant
 */
export function guarded(plan: Plan, base: Plan | undefined): Plan {
  const hosts = plan.variants.filter(
    ({ name, kind }) =>
      kind === 'host' && !(base?.variants.some((own) => own.name === name && own.kind === 'host') ?? false),
  );
  if (hosts.length > 0)
    throw new ConfigurationError(
      `${hosts.map(({ name }) => name).join(', ')}: a pull request adds a variant with \`interpreter: host\`, which the configuration of its base does not have. It would run the pull request's code on the runner itself, outside any container. Add it on the base branch first.`,
    );
  const variants = plan.variants.map((variant) => {
    if (variant.kind !== 'interpreter') return variant;
    const refused = refusedContexts(variant, base);
    const contexts = Object.entries(variant.contexts).filter(([name]) => !refused.includes(name));
    return { ...variant, contexts: Object.fromEntries(contexts) };
  });
  return deepFreeze({ ...plan, variants, confined: true });
}

/** Sentences on the build contexts that `guarded` leaves out. */
export const guardNotes = (plan: Plan, base: Plan | undefined): readonly string[] =>
  plan.variants.flatMap((variant) => {
    const refused = variant.kind === 'interpreter' ? refusedContexts(variant, base) : [];
    return refused.length === 0
      ? []
      : [
          `The variant ${variant.name} is built without its ${refused.length === 1 ? 'context' : 'contexts'} ${refused.join(', ')}: the configuration of the base does not name ${refused.length === 1 ? 'it' : 'them'}. Add ${refused.length === 1 ? 'it' : 'them'} on the base branch first.`,
        ];
  });

/** Names of contexts whose value no interpreter of the base has. */
function refusedContexts({ contexts }: InterpreterVariant, base: Plan | undefined): readonly string[] {
  const named = (base?.variants ?? []).flatMap((variant) =>
    variant.kind === 'interpreter' ? Object.entries(variant.contexts) : [],
  );
  return Object.entries(contexts)
    .filter(([name, value]) => !named.some(([own, allowed]) => own === name && allowed === value))
    .map(([name]) => name);
}

/**
 * Sentences on the rules that the head's configuration edits; none if it edits no rule. Edits of what is measured are
 * at the top of the report: see measuring-changes.ts.
 */
export function ruleChanges(head: Plan, base: Plan): string[] {
  const changes = [
    ...differences('rules', rulesOf(head), rulesOf(base)),
    ...differences('metric', metricsOf(head), metricsOf(base)),
  ];
  return changes.length === 0
    ? []
    : [
        `This change edits its own configuration: ${changes.join('; ')}.`,
        'Pacegate judges it by the rules of its base. The edited rules apply from the next change on.',
      ];
}

const rulesOf = ({
  rules: { alpha, profile, blocks, evidence, failOn, changedMeasurement = 'report' },
  workload: { instructions },
  budgetSeconds,
  anchor,
  pathsIgnore = [],
}: Plan) => ({
  budget: `${budgetSeconds} s`,
  alpha,
  profile,
  blocks,
  evidence,
  'fail-on': failOn.join(', ') || 'none',
  'changed-measurement': changedMeasurement,
  anchor: anchor ?? 'none',
  'paths-ignore': pathsIgnore.join(', ') || 'none',
  instructions,
});

const metricsOf = ({ rules: { metrics, patterns = [] } }: Plan) =>
  Object.fromEntries([
    ...metrics.map(({ name, better, gate, limit, warn, formula, unit, ...bounds }) => [
      name,
      `${gate ? 'judged' : 'not judged'}, ${better} is better, limit ${+(limit * 100).toFixed(2)} %${warnWords(warn)}${boundWords(bounds, unit)}${formula === undefined ? '' : `, ${formula}`}`,
    ]),
    // The order matters: the first of two patterns applies to a metric that both match.
    ...patterns.map(({ pattern, unit, better, gate, limit, warn, ...bounds }, index) => [
      pattern,
      `pattern ${index + 1}, ${gate ? 'judged' : 'not judged'}, ${better === undefined ? '' : `${better} is better, `}limit ${+(limit * 100).toFixed(2)} %${warnWords(warn)}${boundWords(bounds, unit)}${unit === undefined ? '' : `, in ${unit}`}`,
    ]),
  ]) as Readonly<Record<string, string>>;

const warnWords = (warn: number | undefined) =>
  warn === undefined ? '' : `, warning from ${+(warn * 100).toFixed(2)} %`;

const boundWords = (
  { max, min }: { readonly max?: number | undefined; readonly min?: number | undefined },
  unit = '',
) =>
  [
    ...(max === undefined ? [] : [`, max ${`${max} ${unit}`.trim()}`]),
    ...(min === undefined ? [] : [`, min ${`${min} ${unit}`.trim()}`]),
  ].join('');

function differences(
  what: string,
  head: Readonly<Record<string, unknown>>,
  base: Readonly<Record<string, unknown>>,
): string[] {
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
  return [...new Set([...Object.keys(base), ...Object.keys(head)])].flatMap((name) => {
    const [before, after] = [text(own(base, name)), text(own(head, name))];
    if (before === after) return [];
    if (after === undefined) return [`${what} ${name} removed`];
    if (before === undefined) return [`${what} ${name} added`];
    return before.length + after.length > 120
      ? [`${what} ${name} changed`]
      : [`${what} ${name} from ${before} to ${after}`];
  });
}
