import type { Progress } from '../session/planner.ts';
import { chooseVariants } from './allocation.ts';
import type { LoopResult, LoopVariant } from './loop-request.ts';
import { warmedUp, type Loop } from './loop-state.ts';
import { measurePair } from './measured-pair.ts';
import { scheduleBlocks, type ScheduledPair } from './schedule.ts';
import { warmUp } from './warm-up.ts';

/** Variants that share a plan of blocks. */
export interface Family {
  readonly variants: readonly LoopVariant[];
  readonly seed: number;
  /** The maximum of the variants measured before, if these are the ones that the change adds. */
  readonly earlierCap: number | undefined;
}

export interface FamilyResult extends Pick<LoopResult, 'blocksLeftOut' | 'secondsLeftOut'> {
  readonly cap: number;
  readonly stopped: readonly string[];
}

/** The progress of a family. */
interface Course {
  readonly family: Family;
  readonly loop: Loop;
  /** Variants that had their warm-up. */
  readonly warmed: ReadonlySet<string>;
  /** The most blocks that a variant gets in this session. */
  readonly cap: number;
  /** Pairs that each variant has, whichever blocks they were measured in. */
  readonly done: Map<string, number>;
  /** Variants that were stopped: the rest of the budget was unlikely to decide anything of them. */
  readonly stopped: Set<string>;
  /** The planner's answer after the last block. */
  progress: Progress;
}

/** Warm-up and blocks of some of the variants; the blocks are counted from 1. */
export async function measureFamily(family: Family, loop: Loop): Promise<FamilyResult> {
  const { variants, seed } = family;
  const planned = loop.request.plan.rules.blocks;
  const warmed = await warmUpAll(variants, loop);
  if (!loop.cancelled()) dropHopeless(variants, loop);
  const cap = capOf(alive(variants, warmed, loop), loop);
  const progress = progressOf(family, cap, loop);
  const course: Course = { family, loop, warmed, cap, done: new Map(), stopped: new Set(), progress };
  announce(course);
  const schedule = scheduleBlocks(
    variants.map(({ variant }) => variant),
    variants.some(({ sides }) => sides.baseline !== undefined) ? ['baseline', 'head'] : ['head'],
    planned,
    seed,
  );
  for (let block = 1; !loop.cancelled(); block++) {
    stopHopeless(course, block);
    const measured = nextVariants(course);
    if (measured.length === 0) break;
    await measureBlock(course, measured, block, schedule);
    if (loop.cancelled()) break;
    const before = course.progress.decided;
    course.progress = progressOf(family, cap, loop);
    const { decided } = course.progress;
    const newly = measured
      .map(({ variant }) => variant)
      .filter((variant) => decided.has(variant) && !before.has(variant));
    if (newly.length > 0)
      loop.request.onProgress({
        kind: 'decided',
        variants: newly,
        block,
        open: undecidedOf(course).length,
      });
  }
  return { cap, stopped: [...course.stopped], ...leftOut(course) };
}

/** Warms up the variants within the budget. @returns the variants that were warmed up */
async function warmUpAll(variants: readonly LoopVariant[], loop: Loop): Promise<ReadonlySet<string>> {
  const { request, state } = loop;
  const warmed = new Set<string>();
  for (const variant of variants) {
    if (loop.cancelled() || loop.left() <= 0) break;
    await warmUp(variant, loop);
    warmed.add(variant.variant);
    await request.journal.describe({
      repetitions: Object.fromEntries(state.repetitions),
      declaredMetrics: state.reports.declared(),
    });
  }
  return warmed;
}

/** Drops the variants that no block can judge, as the warm-up shows. */
function dropHopeless(variants: readonly LoopVariant[], { request, state }: Loop): void {
  const names = new Set(variants.map(({ variant }) => variant));
  for (const failure of request.planner.hopeless?.(warmedUp(state)) ?? []) {
    if (!names.has(failure.variant)) continue;
    state.failures.push(failure);
    request.onProgress({ kind: 'dropped', failure });
  }
}

function alive(
  variants: readonly LoopVariant[],
  warmed: ReadonlySet<string>,
  { state }: Loop,
): readonly LoopVariant[] {
  const dead = new Set(state.failures.map(({ variant }) => variant));
  return variants.filter(({ variant }) => warmed.has(variant) && !dead.has(variant));
}

/** A variant without a warm-up is assumed to be as slow as the slowest of the others. */
const pairSeconds = ({ state }: Loop, variant: string): number =>
  state.pairSeconds.get(variant) ?? Math.max(1, ...state.pairSeconds.values());

/** Seconds of some blocks of some variants. */
const secondsTo = (loop: Loop, blocks: (variant: string) => number, of: readonly LoopVariant[]): number =>
  of.reduce((sum, { variant }) => sum + pairSeconds(loop, variant) * blocks(variant), 0);

function capOf(first: readonly LoopVariant[], loop: Loop): number {
  const { plan, planner } = loop.request;
  if (first.length === 0) return plan.rules.blocks;
  const seconds = new Map(first.map(({ variant }) => [variant, pairSeconds(loop, variant)]));
  return Math.min(plan.rules.blocks, planner.cap(seconds, Math.max(0, loop.left()), warmedUp(loop.state)));
}

function progressOf({ earlierCap }: Family, cap: number, { request, state }: Loop): Progress {
  return request.planner.progress({
    ...warmedUp(state),
    runs: state.runs,
    blocksPlanned: earlierCap ?? cap,
    addedBlocksPlanned: earlierCap === undefined ? undefined : cap,
  });
}

/** Reports the plan, where there is something to measure. */
function announce({ family, loop, warmed, cap, progress }: Course): void {
  const first = alive(family.variants, warmed, loop);
  if (first.length === 0 || loop.cancelled()) return;
  loop.request.onProgress({
    kind: 'plan',
    variants: first.length,
    blocks: cap,
    blocksPlanned: loop.request.plan.rules.blocks,
    seconds: secondsTo(loop, (variant) => Math.min(cap, progress.expected(variant)), first),
    secondsAtMost: secondsTo(loop, () => cap, first),
    secondsLeft: Math.max(0, loop.left()),
  });
}

const blocksOf = ({ done }: Course, variant: string): number => done.get(variant) ?? 0;

/** With a smaller chance of a decision the minutes are better spent on other variants, or not at all. */
const LEAST_CHANCE = 0.05;

/**
 * Stops the variants of which the rest of the budget is unlikely to decide anything, even if they had all of it. While
 * it is enough for all blocks, none is stopped.
 */
function stopHopeless(course: Course, block: number): void {
  const { loop, cap, progress, stopped } = course;
  const open = undecidedOf(course);
  if (isEnough(course, open)) return;
  const hopeless = open
    .map(({ variant }) => variant)
    .filter((variant) => {
      const had = blocksOf(course, variant);
      const affordable = Math.floor(Math.max(0, loop.left()) / Math.max(pairSeconds(loop, variant), 1e-3));
      return had > 0 && (progress.chance?.(variant, Math.min(cap, had + affordable)) ?? 1) < LEAST_CHANCE;
    });
  if (hopeless.length === 0) return;
  for (const variant of hopeless) stopped.add(variant);
  loop.request.onProgress({ kind: 'stopped', variants: hopeless, block: block - 1 });
}

/** Whether the budget has the time of all blocks of these variants. */
const isEnough = (course: Course, open: readonly LoopVariant[]): boolean =>
  course.loop.left() >= secondsTo(course.loop, (variant) => course.cap - blocksOf(course, variant), open);

/** Variants that may still get blocks. */
const undecidedOf = (course: Course): readonly LoopVariant[] =>
  alive(course.family.variants, course.warmed, course.loop).filter(
    ({ variant }) =>
      !course.progress.decided.has(variant) &&
      !course.stopped.has(variant) &&
      blocksOf(course, variant) < course.cap,
  );

/** The variants of the next block; none if all are decided, or if the budget has no whole block left. */
function nextVariants(course: Course): readonly LoopVariant[] {
  const { loop, progress } = course;
  const open = undecidedOf(course);
  const chosen = isEnough(course, open)
    ? new Set(open.map(({ variant }) => variant))
    : chooseVariants(
        open.map(({ variant }) => ({
          variant,
          pairSeconds: pairSeconds(loop, variant),
          blocks: blocksOf(course, variant),
          expected: progress.expected(variant),
        })),
        loop.left(),
      );
  const measured = open.filter(({ variant }) => chosen.has(variant));
  // The budget ends between blocks, because half a block would unbalance the variants.
  return loop.left() < secondsTo(loop, () => 1, measured) ? [] : measured;
}

/** One pair of each of the variants, in the scheduled order. */
async function measureBlock(
  course: Course,
  measured: readonly LoopVariant[],
  block: number,
  schedule: readonly (readonly ScheduledPair[])[],
): Promise<void> {
  const { loop, done } = course;
  for (const scheduled of schedule[(block - 1) % loop.request.plan.rules.blocks] ?? []) {
    const variant = measured.find((candidate) => candidate.variant === scheduled.variant);
    // A variant that waited continues its own balanced order.
    const pair = schedule[blocksOf(course, scheduled.variant)]?.find(
      (own) => own.variant === scheduled.variant,
    );
    if (variant === undefined || pair === undefined || loop.cancelled()) continue;
    await measurePair(variant, pair, block, loop);
    done.set(variant.variant, blocksOf(course, variant.variant) + 1);
  }
}

/** The blocks that the budget or the maximum left out, for the report. */
function leftOut(course: Course): Pick<LoopResult, 'blocksLeftOut' | 'secondsLeftOut'> {
  const { family, loop, progress } = course;
  const planned = loop.request.plan.rules.blocks;
  const failed = new Set(loop.state.failures.map(({ variant }) => variant));
  const undecided = loop.cancelled()
    ? []
    : family.variants.filter(
        ({ variant }) =>
          !failed.has(variant) && !progress.decided.has(variant) && blocksOf(course, variant) < planned,
      );
  // The blocks that a decision is likely to need, not the maximum.
  const blocksLeft = (variant: string) =>
    Math.max(1, Math.min(planned, progress.expected(variant)) - blocksOf(course, variant));
  return {
    blocksLeftOut: Math.max(0, ...undecided.map(({ variant }) => blocksLeft(variant))),
    secondsLeftOut: secondsTo(loop, blocksLeft, undecided),
  };
}
