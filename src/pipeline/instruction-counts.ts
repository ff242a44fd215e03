import { exactVerdict } from '../verdict/exact-verdicts.ts';
import type { Plan } from '../plan/plan.ts';
import { VALGRIND_INSTRUCTIONS } from '../session/metric.ts';
import { SIDES, type Side } from '../session/run.ts';
import { COUNTING_TOOLS, type CountingTool, type InstructionCount } from '../session/session.ts';
import type { Ports, VariantSides } from './ports.ts';

export interface CountsRequest {
  readonly plan: Plan;
  readonly variants: readonly VariantSides[];
  /** Variants of which both sides are one image: nothing to compare. */
  readonly skipped: ReadonlySet<string>;
  /** The rest of the budget, in seconds. */
  readonly secondsLeft: number;
}

export interface CountedSides {
  readonly variants: readonly VariantSides[];
  /** What could not be counted, for the report. */
  readonly notes: readonly string[];
}

/** Valgrind is that much slower, so a workload that keeps to its limit by itself is not ended under it. */
const SLOWDOWN = 60;
/** Of what is left of the budget; the blocks need the rest. */
const SHARE = 0.5;

/** The tool that a plan asks for, or undefined. */
export const countingTool = ({ workload: { instructions } }: Plan): CountingTool | undefined =>
  COUNTING_TOOLS.find((tool) => tool === instructions);

/**
 * Counts the instructions of both sides of each variant and puts them into the images' records, before the first block:
 * a count beside a run would disturb it.
 *
 * Each side is counted once, for counts of the same code hardly differ. Where the two differ by what counts, each is
 * counted once more, so that a workload which differs from itself is found out. A count that fails, or that half of the
 * budget has no time for, leaves the variant without one, and the reason.
 */
export async function withInstructionCounts(
  { plan, variants, skipped, secondsLeft }: CountsRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<CountedSides> {
  const tool = countingTool(plan);
  if (tool === undefined || variants.length === 0) return { variants, notes: [] };
  const rule = plan.rules.metrics.find(({ name }) => name === VALGRIND_INSTRUCTIONS);
  const end = ports.clock().getTime() + SHARE * secondsLeft * 1000;
  const counts = new Map<string, Partial<Record<Side, InstructionCount>>>();
  const failures = new Map<string, string>();

  /** @returns whether it could be counted */
  const countOnce = async ({ variant, sides }: VariantSides, side: Side): Promise<boolean> => {
    const runnable = sides[side];
    const left = (end - ports.clock().getTime()) / 1000;
    if (runnable === undefined || signal.aborted) return false;
    const result =
      left < 1
        ? ({ kind: 'failed', message: NO_TIME } as const)
        : await ports.countInstructions(
            {
              runnable,
              workload: plan.workload,
              tool,
              keepProfiles: counts.get(variant)?.[side] === undefined,
              secondsAtMost: Math.min(SLOWDOWN * plan.workload.timeoutSeconds, left),
            },
            signal,
          );
    if (result.kind === 'failed') {
      failures.set(variant, `the ${side}'s instructions could not be counted: ${result.message}`);
      return false;
    }
    const { version, instructions, processes, seconds } = result;
    const before = counts.get(variant)?.[side];
    counts.set(variant, {
      ...counts.get(variant),
      [side]: {
        tool,
        version,
        counts: [...(before?.counts ?? []), instructions],
        processes,
        seconds: (before?.seconds ?? 0) + seconds,
      },
    });
    ports.log.info(
      `${variant} ${side}: ${instructions.toLocaleString('en')} instructions in ${processes} ${processes === 1 ? 'process' : 'processes'}, counted in ${seconds.toFixed(1)} s`,
    );
    return true;
  };
  const differs = (variant: string): boolean => {
    const [baseline, head] = SIDES.map((side) => counts.get(variant)?.[side]?.counts[0]);
    return (
      rule !== undefined &&
      baseline !== undefined &&
      head !== undefined &&
      exactVerdict(baseline, head, rule) !== 'unchanged'
    );
  };

  const countable = variants.filter(
    ({ variant, sides }) => !skipped.has(variant) && SIDES.every((side) => sides[side] !== undefined),
  );
  if (countable.length > 0) ports.log.step(`Instructions (${tool})`);
  for (const variant of countable) {
    const once = (await countOnce(variant, 'baseline')) && (await countOnce(variant, 'head'));
    if (once && differs(variant.variant) && (await countOnce(variant, 'head')))
      await countOnce(variant, 'baseline');
    const failure = failures.get(variant.variant);
    if (failure !== undefined) ports.log.warn(`${variant.variant}: ${failure}`);
  }
  return {
    variants: variants.map((variant) =>
      recorded(variant, counts.get(variant.variant), failures.get(variant.variant)),
    ),
    notes: together(failures),
  };
}

/** What keeps all variants from being counted, such as a machine without valgrind, is one note. */
const together = (failures: ReadonlyMap<string, string>): string[] =>
  [...new Set(failures.values())].map((failure) => {
    const names = [...failures].flatMap(([variant, own]) => (own === failure ? [variant] : []));
    return `${names.join(', ')}: ${failure}`;
  });

const NO_TIME =
  'half of what the budget had left was spent on counts before its turn; raise rules.budget, or give the workload less to do';

/** One side without the other is nothing to compare: then neither has a count, and both have the reason. */
function recorded(
  { variant, sides }: VariantSides,
  counts: Partial<Record<Side, InstructionCount>> | undefined,
  failure: string | undefined,
): VariantSides {
  const [baseline, head] = [sides.baseline, sides.head];
  if (baseline === undefined || head === undefined) return { variant, sides };
  const of = (side: Side) =>
    failure !== undefined
      ? { uncounted: failure }
      : counts?.[side] === undefined
        ? {}
        : { counted: counts[side] };
  return {
    variant,
    sides: {
      baseline: { ...baseline, image: { ...baseline.image, ...of('baseline') } },
      head: { ...head, image: { ...head.image, ...of('head') } },
    },
  };
}
