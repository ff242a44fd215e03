import type { CountResult } from '../measure/counting/instruction-count.ts';
import { exactVerdict } from '../verdict/exact-verdicts.ts';
import type { Plan } from '../plan/plan.ts';
import { VALGRIND_INSTRUCTIONS } from '../session/metric.ts';
import { SIDES, type Side } from '../session/run.ts';
import { COUNTING_TOOLS, type CountingTool, type InstructionCount } from '../session/session.ts';
import type { Ports, VariantSides } from './ports.ts';

export interface CountsRequest {
  readonly plan: Plan;
  readonly variants: readonly VariantSides[];
  /** Variants with the same image on both sides. They need no comparison. */
  readonly skipped: ReadonlySet<string>;
  /** The rest of the budget, in seconds. */
  readonly secondsLeft: number;
}

export interface CountedSides {
  readonly variants: readonly VariantSides[];
  /** Failed counts, for the report. */
  readonly notes: readonly string[];
}

/** Valgrind slows a workload by up to this factor, so the time limit is multiplied by it. */
const SLOWDOWN = 60;
/** The share of the remaining budget. The blocks need the rest. */
const SHARE = 0.5;

/** The counting tool that a plan uses; undefined if it uses none. */
export const countingTool = ({ workload: { instructions } }: Plan): CountingTool | undefined =>
  COUNTING_TOOLS.find((tool) => tool === instructions);

/**
 * Counts the instructions of both sides of each variant and adds them to the images' records. This happens before the
 * first block, because a count would disturb the runs.
 *
 * Each side is counted once, because counts of the same code hardly differ. If the two sides differ by more than the
 * limit, each is counted once more, to detect a workload whose counts vary. A variant whose count fails, or does not
 * fit into half of the budget, has no count and a reason.
 */
export async function withInstructionCounts(
  { plan, variants, skipped, secondsLeft }: CountsRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<CountedSides> {
  const tool = countingTool(plan);
  if (tool === undefined || variants.length === 0) return { variants, notes: [] };
  const end = ports.clock().getTime() + SHARE * secondsLeft * 1000;
  const counting = { plan, tool, end, ports, signal };
  const countable = variants.filter(
    ({ variant, sides }) => !skipped.has(variant) && SIDES.every((side) => sides[side] !== undefined),
  );
  if (countable.length > 0) ports.log.step(`Instructions (${tool})`);
  const counted = new Map<string, VariantCounts>();
  for (const one of countable) {
    const counts = await countVariant(one, counting);
    counted.set(one.variant, counts);
    if (counts.failure !== undefined) ports.log.warn(`${one.variant}: ${counts.failure}`);
  }
  return {
    variants: variants.map((one) => recorded(one, counted.get(one.variant))),
    notes: together(counted),
  };
}

interface Counting {
  readonly plan: Plan;
  readonly tool: CountingTool;
  /** The end of counting, in milliseconds of the clock. */
  readonly end: number;
  readonly ports: Ports;
  readonly signal: AbortSignal;
}

/** The counts of a variant. If there is a failure, they are not compared. */
interface VariantCounts {
  readonly counts: Partial<Record<Side, InstructionCount>>;
  readonly failure?: string;
}

async function countVariant(variant: VariantSides, counting: Counting): Promise<VariantCounts> {
  const once = await countSides(variant, ['baseline', 'head'], { counts: {} }, counting);
  return differ(once, counting.plan) ? await countSides(variant, ['head', 'baseline'], once, counting) : once;
}

/** Counts each side once, in this order. Stops at the first failure. */
async function countSides(
  variant: VariantSides,
  order: readonly Side[],
  before: VariantCounts,
  counting: Counting,
): Promise<VariantCounts> {
  let counts = before.counts;
  for (const side of order) {
    const result = await countOnce(variant, side, counts[side] === undefined, counting);
    if (result === undefined) break;
    if (result.kind === 'failed')
      return {
        counts,
        failure: `the ${side}'s instructions could not be counted: ${result.message}`,
      };
    counts = { ...counts, [side]: added(counts[side], result, counting.tool) };
  }
  return { counts };
}

/** @returns undefined if there is nothing to count, or if the run was cancelled */
async function countOnce(
  { variant, sides }: VariantSides,
  side: Side,
  keepProfiles: boolean,
  { plan: { workload }, tool, end, ports, signal }: Counting,
): Promise<CountResult | undefined> {
  const runnable = sides[side];
  const left = (end - ports.clock().getTime()) / 1000;
  if (runnable === undefined || signal.aborted) return undefined;
  if (left < 1) return { kind: 'failed', message: NO_TIME };
  const secondsAtMost = Math.min(SLOWDOWN * workload.timeoutSeconds, left);
  const result = await ports.countInstructions(
    { runnable, workload, tool, keepProfiles, secondsAtMost },
    signal,
  );
  if (result.kind === 'counted')
    ports.log.info(
      `${variant} ${side}: ${result.instructions.toLocaleString('en')} instructions in ${result.processes} ${result.processes === 1 ? 'process' : 'processes'}, counted in ${result.seconds.toFixed(1)} s`,
    );
  return result;
}

const added = (
  before: InstructionCount | undefined,
  { version, instructions, processes, seconds }: Extract<CountResult, { kind: 'counted' }>,
  tool: CountingTool,
): InstructionCount => ({
  ...{ tool, version, processes },
  counts: [...(before?.counts ?? []), instructions],
  seconds: (before?.seconds ?? 0) + seconds,
});

/** Whether both sides were counted and their counts differ by more than the limit. */
function differ({ counts }: VariantCounts, { rules }: Plan): boolean {
  const rule = rules.metrics.find(({ name }) => name === VALGRIND_INSTRUCTIONS);
  const [baseline, head] = SIDES.map((side) => counts[side]?.counts[0]);
  return (
    rule !== undefined &&
    baseline !== undefined &&
    head !== undefined &&
    exactVerdict(baseline, head, rule) !== 'unchanged'
  );
}

/** Merges equal failures of all variants, such as a missing valgrind, into one note. */
function together(counted: ReadonlyMap<string, VariantCounts>): string[] {
  const failures = [...counted].flatMap(([variant, { failure }]) =>
    failure === undefined ? [] : [{ variant, failure }],
  );
  return [...new Set(failures.map(({ failure }) => failure))].map((failure) => {
    const alike = failures.filter((one) => one.failure === failure);
    return `${alike.map(({ variant }) => variant).join(', ')}: ${failure}`;
  });
}

const NO_TIME =
  'half of what the budget had left was spent on counts before its turn; raise rules.budget, or give the workload less to do';

/** A count of one side only cannot be compared. In this case both sides lose it and get the reason. */
function recorded(
  { variant, sides }: VariantSides,
  { counts, failure }: VariantCounts = { counts: {} },
): VariantSides {
  const [baseline, head] = [sides.baseline, sides.head];
  if (baseline === undefined || head === undefined) return { variant, sides };
  const of = (side: Side) =>
    failure !== undefined
      ? { uncounted: failure }
      : counts[side] === undefined
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
