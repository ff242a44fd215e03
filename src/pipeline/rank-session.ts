import { rankVariants } from '../ranking/rank.ts';
import { renderMeasurementMarkdown } from '../report/measurement.ts';
import { renderRankingMarkdown } from '../report/ranking-report.ts';
import { rankPlanner } from '../ranking/planner.ts';
import { ConfigurationError, MeasurementError } from '../errors/errors.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';
import { measureOneSide, type OneSideRequest, type OneSideResult } from './one-side.ts';
import { measureTree } from './measure-tree.ts';
import { writeResults } from './results.ts';
import type { JobPorts, Ports, RunContext } from './ports.ts';
import type { Project } from './project.ts';

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
    `--reference: found ${JSON.stringify(reference)}; expected: ${names.join(', ')}.`,
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
            `${reference} is what the others are ranked against, and it is not available: ${failure.message}\nFix it, or rank against another with --reference.`,
          );
      },
    },
    ports,
    signal,
  );
}

/**
 * Builds and measures the variants of a work tree against each other, and writes the files of the run.
 *
 * @throws ConfigurationError for fewer than two variants, or a reference that is none: before anything is built
 * @throws MeasurementError where the reference could not be measured; what was measured is written all the same
 */
export async function rankTree(
  project: Project,
  options: RankOptions,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<OneSideResult> {
  referenceIn(project.plan, options.reference);
  const { session, interrupted } = await measureTree(
    project,
    {
      side: 'head',
      event: 'terminal',
      measure: async (request, engines, ending) => await rank(request, options, engines, ending),
    },
    run,
    ports,
    signal,
  );
  // First the data: a reference that died makes no table.
  await writeResults(run.out, session, undefined, () => renderMeasurementMarkdown(session));
  await run.out.write('report.md', renderRankingMarkdown(rankVariants(session), session));
  return { session, interrupted };
}
