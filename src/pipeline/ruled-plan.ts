import { StoreError } from '../errors/errors.ts';
import {
  guarded,
  guardNotes,
  ruleChanges,
  withMeasuringOf,
  withoutSecrets,
  withRulesOf,
} from '../plan/base-rules.ts';
import { DEFAULTS } from '../plan/defaults.ts';
import type { Plan } from '../plan/plan.ts';
import { refuseImpossible, resolvePlan, type Overrides } from '../plan/resolve.ts';
import type { SideCommit, Sides } from '../source/sides.ts';
import type { Standing } from '../source/trust.ts';
import { measuringOf, reporting, type HeadMeasuring } from './changed-measuring.ts';
import type { SourcePort } from './ports.ts';
import { isOutside, planAt, type PlanAt, type Project } from './project.ts';
import { standingNotes } from './standing.ts';

/** The plan with the rules that apply, and notes about them. */
export interface RuledPlan {
  readonly plan: Plan;
  /** The base's own plan, if it has one. Its variants build the baseline. */
  readonly base: Plan | undefined;
  /** The change's edits to the configuration. */
  readonly notes: readonly string[];
  /** The source of the rules, if it is not the base's configuration; for the top of the report. */
  readonly remarks: readonly string[];
  /** The head's edits to the measuring code; absent if there are none, or if there is no base. */
  readonly measuring?: HeadMeasuring | undefined;
}

/**
 * The plan with the rules that apply. The base's rules judge a change. Without a base nobody has accepted any rules,
 * and the change's own rules must not let it pass.
 *
 * @throws StoreError for a change whose base cannot be read
 * @throws ConfigurationError for a change that adds a host variant
 */
export async function ruledPlan(
  project: Project,
  overrides: Overrides,
  { standing, sides }: { readonly standing: Standing; readonly sides: Sides },
  source: SourcePort,
): Promise<RuledPlan> {
  const { baseline, head } = sides;
  const remarks = standingNotes(standing);
  if ('unavailable' in baseline) {
    if (standing.kind !== 'change') return { plan: project.plan, base: undefined, notes: [], remarks };
    throw new StoreError(
      `A change is judged by the rules of its base, and the base is not available: ${baseline.unavailable}. Nothing was built or run. Let actions/checkout take the pull request's merge commit (its default), or the whole history with fetch-depth: 0, and let the token read the repository (contents: read).${remarks.map((remark) => ` ${remark}`).join('')}`,
    );
  }
  const both = { head, baseline };
  return standing.kind === 'change'
    ? await planOfChange(project, overrides, both, remarks, source)
    : await planOfTrusted(project, overrides, standing, both, remarks, source);
}

interface BothSides {
  readonly head: SideCommit;
  readonly baseline: SideCommit;
}

/** A trusted commit is judged by its own rules. */
async function planOfTrusted(
  project: Project,
  overrides: Overrides,
  standing: Standing,
  sides: BothSides,
  remarks: readonly string[],
  source: SourcePort,
): Promise<RuledPlan> {
  const { plan } = project;
  const at = await planAt(project, sides.baseline.commit, overrides, source);
  if (at.kind !== 'plan') return { plan, base: undefined, notes: [], remarks };
  const { measuring } = await measuringOf(project, plan, at.plan, overrides, sides, source);
  return {
    plan: standing.kind === 'own' ? plan : reporting(plan),
    base: at.plan,
    notes: [],
    remarks,
    measuring,
  };
}

/** A change is judged by the rules of its base. */
async function planOfChange(
  project: Project,
  overrides: Overrides,
  sides: BothSides,
  remarks: readonly string[],
  source: SourcePort,
): Promise<RuledPlan> {
  const { plan } = project;
  const { at, note } = await basePlan(project, sides.baseline.commit, sides.head.commit, overrides, source);
  const more = [...remarks, ...(note === undefined ? [] : [note])];
  switch (at.kind) {
    case 'plan': {
      const { measuring, kept } = await measuringOf(project, plan, at.plan, overrides, sides, source);
      const judging = guarded(withMeasuringOf(withRulesOf(plan, at.plan, overrides), at.plan, kept), at.plan);
      refuseImpossible(judging, at.plan, project.file);
      return {
        plan: judging,
        base: at.plan,
        notes: ruleChanges(plan, at.plan),
        remarks: [...more, ...guardNotes(plan, at.plan)],
        measuring,
      };
    }
    case 'none':
      // Nobody has accepted this configuration yet, so it gets no secrets.
      return {
        plan: guarded(withoutSecrets(plan), undefined),
        base: undefined,
        notes: [],
        remarks: [...more, ...guardNotes(plan, undefined)],
      };
    case 'broken':
      return withSilentRules(project, overrides, at.message, more);
  }
}

/** The change that repairs the configuration must be able to pass, and must not bring its own rules for that. */
function withSilentRules(
  { plan, top }: Project,
  overrides: Overrides,
  message: string,
  remarks: readonly string[],
): RuledPlan {
  const silent = silentPlan(top, overrides);
  return {
    plan: guarded(withRulesOf(plan, silent, overrides), undefined),
    base: undefined,
    notes: ruleChanges(plan, { ...silent, variants: plan.variants, workload: plan.workload }),
    remarks: [
      ...remarks,
      `The base's configuration cannot be read, so the default rules apply, not this change's own. ${message}`,
      ...guardNotes(plan, undefined),
    ],
  };
}

/** The configuration of a change's base, at its path or at the old path if the change moves it. */
async function basePlan(
  project: Project,
  base: string,
  head: string,
  overrides: Overrides,
  source: SourcePort,
): Promise<{ readonly at: PlanAt; readonly note?: string }> {
  const { file, top } = project;
  if (isOutside(file))
    return {
      at: { kind: 'none' },
      note: `${file} is outside the repository, so no base has it: its rules apply.`,
    };
  const at = await planAt(project, base, overrides, source);
  if (at.kind !== 'none') return { at };
  for (const path of await source.deletedFiles(top, base, head, CONFIGURATIONS)) {
    const before = await planAt({ ...project, file: path }, base, overrides, source);
    // Any other deleted file is not a configuration.
    if (before.kind === 'plan' || path === DEFAULTS.configurationFile)
      return {
        at: before,
        note: `The base's configuration is ${path}; this change moves it to ${file}. The rules are those of ${path} in the base.`,
      };
  }
  const beside =
    file !== DEFAULTS.configurationFile &&
    (await planAt({ ...project, file: DEFAULTS.configurationFile }, base, {}, source)).kind !== 'none'
      ? ` The base has ${DEFAULTS.configurationFile}, which is another one.`
      : '';
  return {
    at,
    note: `The base has no ${file}: this is its first change with one, so the rules are this change's own.${beside}`,
  };
}

const CONFIGURATIONS = ['.yml', '.yaml', '.json'];

/** The default rules, metrics and build settings. */
const silentPlan = (root: string, overrides: Overrides): Plan =>
  resolvePlan({
    text: 'version: 1\nworkload: { command: [python] }\nvariants: { python: { interpreter: debian } }\n',
    file: DEFAULTS.configurationFile,
    root,
    overrides: { ...overrides, variants: undefined },
  });
