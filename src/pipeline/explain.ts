import type { Comparison } from '../verdict/comparison.ts';
import { wantedProfiles, type WantedProfile } from '../diagnosis/explain.ts';
import type { Plan } from '../plan/plan.ts';
import { renderCallgrind } from '../report/callgrind.ts';
import { renderSpeedscope } from '../report/speedscope.ts';
import { profileOf, type Explanation, type Profile } from '../session/profile.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import type { Ports, VariantSides } from './ports.ts';
import { own } from '../session/record.ts';

/** A cause usually affects most variants, and each explanation takes two more runs. */
const MOST_VARIANTS = 3;

export interface ExplainRequest {
  readonly plan: Plan;
  readonly session: Session;
  readonly comparison: Comparison;
  readonly variants: readonly VariantSides[];
}

/**
 * Profiles each side of the first three regressed variants in one more run, after the last block. An error becomes part
 * of the explanation and does not change the verdict.
 */
export async function explanationsOf(
  { plan, session, comparison, variants }: ExplainRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly Explanation[]> {
  if (plan.workload.profiler === 'none') return [];
  const wanted = wantedProfiles(comparison, session.rules.metrics);
  const looked = [...new Set(wanted.map(({ variant }) => variant))].slice(0, MOST_VARIANTS);
  const explanations: Explanation[] = [];
  for (const one of wanted.filter(({ variant }) => looked.includes(variant))) {
    const sides = variants.find(({ variant }) => variant === one.variant)?.sides;
    if (sides?.baseline === undefined || sides.head === undefined || signal.aborted) continue;
    if (explanations.length === 0) ports.log.step('Why');
    ports.log.info(`${one.variant}: one run of each side under a profiler (${one.kind})`);
    explanations.push(await explanationOf(one, sides, { plan, session }, ports, signal));
  }
  return explanations;
}

async function explanationOf(
  { variant, kind }: WantedProfile,
  sides: VariantSides['sides'],
  { plan, session }: Pick<ExplainRequest, 'plan' | 'session'>,
  ports: Ports,
  signal: AbortSignal,
): Promise<Explanation> {
  const started = ports.clock().getTime();
  const profiles: Partial<Record<Side, Profile>> = {};
  const problems: string[] = [];
  let by = '';
  for (const side of SIDES) {
    const runnable = sides[side];
    if (runnable === undefined || problems.length > 0) continue;
    const { profiler, result } = await ports.profile(
      {
        plan,
        runnable,
        kind,
        repetitions: own(session.workload.repetitions, variant) ?? 1,
        longestSeconds: longest(session, variant),
      },
      signal,
    );
    by = profiler;
    if (typeof result === 'string') {
      problems.push(`${variant} (${side}), under a profiler: ${result}`);
      ports.log.warn(`${problems.at(-1) ?? ''}\nThe verdict does not need it.`);
      continue;
    }
    profiles[side] = profileOf(result);
    const name = `${variant}-${side}-${kind}`;
    await ports.keepProfile(`${name}.callgrind`, renderCallgrind(result, session.workload.command.join(' ')));
    await ports.keepProfile(`${name}.speedscope.json`, renderSpeedscope(result, name));
  }
  return {
    variant,
    kind,
    profiler: by,
    sides: profiles,
    problem: problems.length === 0 ? undefined : problems.join('; ').slice(0, 3000),
    seconds: (ports.clock().getTime() - started) / 1000,
  };
}

const longest = ({ runs }: Session, variant: string) =>
  Math.max(0, ...runs.flatMap((run) => (run.variant === variant ? [run.metrics['wall_time_s'] ?? 0] : [])));
