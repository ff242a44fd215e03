import { median } from 'simple-statistics';
import { pairSeconds } from '../evidence/pair-seconds.ts';
import type { Session } from '../session/session.ts';
import { namesOfShard } from '../session/shard.ts';

/** Into how many jobs a gate is divided, so that each job has time for all of its blocks. */

/** GitHub's limit for the jobs of one matrix. */
export const MOST_SHARDS = 256;

/** The default limit: runners are shared with the other jobs of an organisation. */
export const DEFAULT_MOST_SHARDS = 8;

/** What a variant of a gate costs, in seconds. */
export interface VariantCost {
  readonly variant: string;
  /** Building both sides. */
  readonly build: number;
  /** One pair: a run of each side, including the start and end of the containers. */
  readonly pair: number;
  /** Whether no stored session has the variant, so that both are assumed. */
  readonly assumed: boolean;
}

export interface ShardChoice {
  /** The number of jobs, from 1. */
  readonly shards: number;
  /** The time of the longest job, in seconds, if it needs all of its blocks. */
  readonly seconds: number;
  readonly costs: readonly VariantCost[];
}

/**
 * A variant without a stored session, and no other to go by: an image that is built from a cached base, and runs of two
 * seconds, the longest that docs/github.md recommends.
 */
const ASSUMED = { build: 60, pair: 5 };

/**
 * Chooses the smallest number of shards with which every job has time to build its variants, to warm them up and to
 * measure all blocks. If no number is enough, it chooses the largest one.
 *
 * @param variants of the plan, in its order
 * @param sessions stored nights, in any order; the newest with a variant decides
 * @param most the largest number, from 1
 */
export function chooseShards(
  variants: readonly string[],
  sessions: readonly Session[],
  {
    blocks,
    budgetSeconds,
    most,
  }: { readonly blocks: number; readonly budgetSeconds: number; readonly most: number },
): ShardChoice {
  const costs = costsOf(variants, sessions);
  const secondsWith = (of: number) =>
    Math.max(
      ...Array.from({ length: of }, (_, position) => {
        const names = of === 1 ? variants : namesOfShard(variants, { index: position + 1, of });
        return costs
          .filter(({ variant }) => names.includes(variant))
          .reduce((sum, { build, pair }) => sum + build + pair * (1 + blocks), 0);
      }),
    );
  const largest = Math.max(1, Math.min(most, MOST_SHARDS, variants.length));
  let shards = 1;
  while (shards < largest && secondsWith(shards) > budgetSeconds) shards += 1;
  return { shards, seconds: secondsWith(shards), costs };
}

function costsOf(variants: readonly string[], sessions: readonly Session[]): readonly VariantCost[] {
  const newestFirst = [...sessions].sort((a, b) => (a.started < b.started ? 1 : -1));
  const known = new Map<string, Omit<VariantCost, 'variant' | 'assumed'>>();
  for (const session of newestFirst)
    for (const [variant, pair] of pairSeconds(session))
      if (!known.has(variant)) known.set(variant, { pair, build: buildSeconds(session, variant) });
  const found = variants.flatMap((variant) => known.get(variant) ?? []);
  const assumed =
    found.length === 0
      ? ASSUMED
      : { pair: median(found.map(({ pair }) => pair)), build: median(found.map(({ build }) => build)) };
  return variants.map((variant) => {
    const cost = known.get(variant);
    return { variant, ...(cost ?? assumed), assumed: cost === undefined };
  });
}

const buildSeconds = ({ images }: Session, variant: string): number =>
  images.reduce((sum, image) => sum + (image.variant === variant ? (image.buildSeconds ?? 0) : 0), 0);
