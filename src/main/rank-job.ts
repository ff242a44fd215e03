import { rankVariants } from '../ranking/rank.ts';
import { rankingFile } from '../ranking/ranked-nights.ts';
import { rank, referenceIn, type RankOptions } from '../pipeline/rank-session.ts';
import { renderMeasurementMarkdown } from '../report/measurement.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { renderRankingMarkdown, renderRankingTerminal } from '../report/ranking-report.ts';
import type { Session } from '../session/session.ts';
import type { Timeline } from '../session/timeline.ts';
import { renderTimings } from '../session/timings.ts';
import type { RunContext } from './gate-repository.ts';
import { measureTree } from './measure-tree.ts';
import type { Project } from './project.ts';
import { jsonText, writeResults } from './results.ts';

export interface RankedTree {
  readonly session: Session;
  readonly interrupted: boolean;
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
  context: RunContext,
  signal: AbortSignal,
): Promise<RankedTree> {
  referenceIn(project.plan, options.reference);
  const { session, interrupted } = await measureTree(
    project,
    {
      side: 'head',
      event: 'terminal',
      measure: async (request, ports, ending) => await rank(request, options, ports, ending),
    },
    context,
    signal,
  );
  // First the data: a reference that died makes no table.
  await writeResults(context.out, session, undefined, () => renderMeasurementMarkdown(session));
  await context.out.write('report.md', renderRankingMarkdown(rankVariants(session), session));
  return { session, interrupted };
}

/** A ranking in the format that was asked for; without one, the tables for a terminal. */
export function rankingText(
  session: Session,
  format: 'markdown' | 'json' | 'csv' | 'openmetrics' | undefined,
  colour: boolean,
  timelines: readonly Timeline[] = [],
): string {
  // The timings are there whatever can be made of them.
  if (format === 'csv') return renderTimings(session);
  if (format === 'openmetrics') return renderOpenMetrics({ sessions: [session], timelines });
  const ranking = rankVariants(session);
  switch (format) {
    case 'json':
      return jsonText(rankingFile(ranking, session));
    case 'markdown':
      return renderRankingMarkdown(ranking, session);
    default:
      return renderRankingTerminal(ranking, session, { colour });
  }
}
