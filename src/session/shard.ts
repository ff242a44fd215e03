import { isTested, type MetricRule } from './metric.ts';
import { isNewMetric } from './patterns.ts';

/** One of several jobs: `2/5`. */
export interface ShardRequest {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/** The form of a shard, for messages. */
export const SHARD_WORDS = 'INDEX/OF, such as 2/5: the index from 1, of at least 2';

/** Reads `2/5`. @returns undefined for any other text */
export function parseShard(text: string): ShardRequest | undefined {
  const [, index, of] = /^(\d{1,4})\/(\d{1,4})$/.exec(text.trim()) ?? [];
  const request = { index: Number(index), of: Number(of) };
  return request.of >= 2 && request.index >= 1 && request.index <= request.of ? request : undefined;
}

/**
 * Every `of`-th name, beginning with the `index`-th. The choice is stable and puts neighbours of the plan on different
 * machines.
 */
export const namesOfShard = (names: readonly string[], { index, of }: ShardRequest): readonly string[] =>
  names.filter((_, position) => position % of === index - 1);

/**
 * How many rows of a plan are tested: variants times judged metrics that vary. A job knows the metrics that a pattern
 * matches only for its own variants; it assumes the same for the others.
 */
export const familySize = (variants: number, metrics: readonly MetricRule[]): number =>
  variants * metrics.filter((rule) => isTested(rule) && !isNewMetric(rule)).length;
