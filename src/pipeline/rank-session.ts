import { rankPlanner } from '../ranking/planner.ts';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';
import { measureOneSide, type OneSideRequest, type OneSideResult } from './one-side.ts';
import type { Ports } from './ports.ts';

/** What `rank` was asked for, as typed. */
export interface RankOptions {
  /** The first variant of the configuration where nobody said. */
  readonly reference: string | undefined;
  readonly work: string | undefined;
  /** The cap of blocks; the rules' where nobody said. */
  readonly blocks: number | undefined;
  /** Build each image once more, alone and with nothing from a cache. */
  readonly coldBuilds: boolean;
}

/**
 * The variant that the others are ranked against.
 * @throws ConfigurationError where there is nothing to rank, or no variant of that name
 */
export function referenceIn(plan: Plan, reference: string | undefined): string {
  const names = plan.variants.map(({ name }) => name);
  const [first] = names;
  if (first === undefined || names.length < 2)
    throw new ConfigurationError(
      `A ranking needs at least two variants, and found ${first ?? 'none'}${first === undefined ? '' : ' alone'}. Add another under variants, such as \`debian: { interpreter: debian }\`, or name more with --variants.`,
    );
  if (reference === undefined) return first;
  if (names.includes(reference)) return reference;
  throw new ConfigurationError(
    `--reference: found ${JSON.stringify(reference)}; legal: ${names.join(', ')}.`,
  );
}

/**
 * Measures all variants of one side in blocks, until each is decided against the reference or the plan ends.
 * @throws ConfigurationError for a reference that is none, before anything is built
 * @throws MeasurementError where the reference cannot be built or does not answer
 */
export async function rank(
  request: OneSideRequest,
  { reference: asked, work, blocks, coldBuilds }: RankOptions,
  ports: Ports,
  signal: AbortSignal,
): Promise<OneSideResult> {
  const reference = referenceIn(request.plan, asked);
  const { rules } = request.plan;
  const plan = deepFreeze({ ...request.plan, rules: { ...rules, blocks: blocks ?? rules.blocks } });
  return await measureOneSide(
    {
      ...request,
      plan,
      // Sizes are what a ranking is also read for.
      figures: { compressed: true, ...(coldBuilds ? { coldBuilds: 'all' } : {}) },
      record: { purpose: 'ranking', ranking: { reference, ...(work === undefined ? {} : { work }) } },
      planner: (sessionOf) => rankPlanner(sessionOf, reference),
      ready: (_, failures) => {
        const failure = failures.find(({ variant }) => variant === reference);
        if (failure !== undefined)
          throw new MeasurementError(
            `${reference} is what the others are ranked against, and it cannot be had: ${failure.message}\nMend it, or rank against another with --reference.`,
          );
      },
    },
    ports,
    signal,
  );
}
