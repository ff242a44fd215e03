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

/** The options of `rank`, as typed. */
export interface RankOptions {
  /** Defaults to the first variant of the configuration. */
  readonly reference: string | undefined;
  readonly work: string | undefined;
  /** The maximum number of blocks. Defaults to the rules. */
  readonly blocks: number | undefined;
  /** Whether to build each image once more without a cache. */
  readonly coldBuilds: boolean;
}

/**
 * The variant that the others are ranked against.
 * @throws ConfigurationError if there is nothing to rank, or no variant of that name
 */
export function referenceIn(plan: Plan, reference: string | undefined): string {
  const names = plan.variants.map(({ name }) => name);
  const [first] = names;
  if (first === undefined || names.length < 2)
    throw new ConfigurationError(
      `A ranking needs at least two variants, but found ${first === undefined ? 'none' : `only ${first}`}. Add another under variants, such as \`debian: { interpreter: debian }\`, or name more with --variants.`,
    );
  if (reference === undefined) return first;
  if (names.includes(reference)) return reference;
  throw new ConfigurationError(
    `--reference: found ${JSON.stringify(reference)}; expected: ${names.join(', ')}.`,
  );
}

/**
 * Measures all variants of one side in blocks, until each is decided against the reference or the plan ends.
 * @throws ConfigurationError before anything is built, for a reference that does not exist
 * @throws MeasurementError if the reference cannot be built or does not answer
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
      // A ranking shows the images' sizes too.
      figures: coldBuilds ? { compressed: true, coldBuilds: 'all' } : { compressed: true },
      record: { purpose: 'ranking', ranking: { reference, work } },
      planner: (sessionOf) => rankPlanner(sessionOf, reference),
      ready: (_, failures) => {
        const failure = failures.find(({ variant }) => variant === reference);
        if (failure !== undefined)
          throw new MeasurementError(
            `${reference} is the reference of the ranking, but it is not available: ${failure.message}\nFix it, or rank against another with --reference.`,
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
 * @throws ConfigurationError before anything is built, for fewer than two variants or a reference that does not exist
 * @throws MeasurementError if the reference could not be measured; the measurements are written in this case too
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
  // The data are written first, because a failed reference means that there is no table.
  await writeResults(run.out, session, undefined, () => renderMeasurementMarkdown(session));
  await run.out.write('report.md', renderRankingMarkdown(rankVariants(session), session));
  return { session, interrupted };
}
