import {
  identityDifferences,
  identityOf,
  ruleDifferences,
  ruledBy,
  type NamedSession,
} from '../compare/merge.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { Overrides } from '../plan/resolve.ts';
import type { MeasuringChange } from '../session/measuring.ts';
import type { Verdict } from '../session/rules.ts';
import { withoutHistory, type Session } from '../session/session.ts';
import { ruledPlan, sidesOf, type Occasion } from './gate-repository.ts';
import type { Project } from './project.ts';
import { judgedTogether, type JudgedSessions } from './session-files.ts';

export interface ReportRequest {
  readonly event: string;
  readonly overrides: Overrides;
  readonly openProject: () => Promise<Project>;
  readonly occasion: (project: Project) => Promise<Occasion>;
}

export interface ReportedSessions {
  readonly judged: JudgedSessions;
  readonly failOn: readonly Verdict[];
  readonly remarks: readonly string[];
}

/**
 * Judges sessions that other jobs measured.
 *
 * Of a change nothing in them is believed but what was measured: the rules are those of the base's configuration, and
 * the commits have to be the ones that are checked out here.
 *
 * @throws ConfigurationError where the sessions are not those of one gate, or not of this pull request
 */
export async function judgeForReport(
  named: readonly NamedSession[],
  { event, overrides, openProject, occasion }: ReportRequest,
): Promise<ReportedSessions> {
  const project = await openProject();
  const { sides, standing } = await sidesOf(project, await occasion(project));
  if (standing.kind !== 'change') {
    const judged = judgedTogether(named);
    return { judged, failOn: overrides.failOn ?? judged.session.rules.failOn, remarks: [] };
  }
  const baseline = 'unavailable' in sides.baseline ? undefined : sides.baseline;
  const { plan, notes, remarks, measuring } = await ruledPlan(project, overrides, { standing, sides });
  const [first] = named;
  const here = identityOf({
    source: {
      repository: '',
      event,
      head: { commit: sides.head.commit, dirty: false },
      ...(baseline === undefined ? {} : { baseline: { commit: baseline.commit, dirty: false } }),
    },
    configuration: plan.configuration,
    // The head's commit holds the measuring code.
    workload: { hash: first?.session.workload.hash ?? '' },
  });
  const problems = named.flatMap(({ session, file }) =>
    identityDifferences(identityOf(session), file, here, 'this checkout'),
  );
  if (problems.length > 0)
    throw new ConfigurationError(
      `The sessions are not of this pull request; nothing was judged.\n${[...new Set(problems)].map((problem) => `  ${problem}`).join('\n')}`,
    );
  const ruled = named.map(({ session, file }) => ({
    session: ruledBy(withMeasuringChanges(withoutHistory(session), measuring?.changes), plan.rules),
    file,
  }));
  const edited = named.flatMap((one, index) => {
    const by = ruled[index];
    return by === undefined ? [] : ruleDifferences(one, { ...by, file: "the base's configuration" });
  });
  return {
    judged: judgedTogether(ruled),
    failOn: plan.rules.failOn,
    remarks:
      edited.length === 0
        ? remarks
        : [
            ...remarks,
            `The sessions carry other rules than the base's configuration, whose rules hold: ${edited[0] ?? ''}`,
            ...notes,
          ],
  };
}

/** What the change takes from what measures it is found here, by the commits, and not believed of a session's file. */
function withMeasuringChanges(
  { measuring: said, ...session }: Session,
  changes: readonly MeasuringChange[] | undefined,
): Session {
  if (changes === undefined) return session;
  return { ...session, measuring: { trials: [], ...said, changes: [...changes] } };
}
