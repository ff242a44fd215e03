import { ConfigurationError } from '../errors/errors.ts';
import type { Shard } from '../session/session.ts';
import { familySize, namesOfShard, type ShardRequest } from '../session/shard.ts';
import { deepFreeze, type Plan } from './plan.ts';

/**
 * One job's share of a plan: every `of`-th variant, with the tests of the whole plan as its family.
 * @throws ConfigurationError for a shard that would have nothing to do
 */
export function shardOf(plan: Plan, request: ShardRequest): { readonly plan: Plan; readonly shard: Shard } {
  const variants = plan.variants.map(({ name }) => name);
  const own = namesOfShard(variants, request);
  const { index, of } = request;
  if (own.length === 0)
    throw new ConfigurationError(
      `Shard ${index} of ${of} has no variant: the plan has ${variants.length} (${variants.join(', ')}); expected: at most ${variants.length} ${variants.length === 1 ? 'shard' : 'shards'}.`,
    );
  return {
    plan: deepFreeze({ ...plan, variants: plan.variants.filter(({ name }) => own.includes(name)) }),
    shard: { index, of, tests: familySize(variants.length, plan.rules.metrics), variants },
  };
}
