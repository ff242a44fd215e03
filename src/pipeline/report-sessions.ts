import { ruledBy } from '../verdict/ruled-session.ts';
import { identityDifferences, identityOf, ruleDifferences } from '../verdict/session-identity.ts';
import type { NamedSession } from '../session/merged.ts';
import { withNights } from '../evidence/nights.ts';
import { identicalVariants } from '../evidence/observations.ts';
import { ConfigurationError } from '../errors/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Overrides } from '../plan/resolve.ts';
import type { Acceptance } from '../session/acceptance.ts';
import type { MeasuringChange } from '../session/measuring.ts';
import type { Verdict } from '../session/rules.ts';
import { withoutHistory, type Session } from '../session/session.ts';
import { judgedTogether, type JudgedSessions } from './judged-sessions.ts';
import { sidesOf, type Occasion } from './occasion.ts';
import type { Sides } from '../source/sides.ts';
import type { Standing } from '../source/trust.ts';
import type { JobPorts } from './ports.ts';
import type { Project } from './project.ts';
import { ruledPlan } from './ruled-plan.ts';
import { readHistory } from './stored-history.ts';
import { acceptanceFor } from './base-acceptance.ts';

export interface ReportedSessions {
  readonly judged: JudgedSessions;
  readonly failOn: readonly Verdict[];
  readonly remarks: readonly string[];
}

/**
 * Judges sessions that other jobs measured.
 *
 * For a change only the measurements are taken from the sessions. The rules come from the base's configuration, and the
 * commits must be the ones that are checked out here.
 *
 * @throws ConfigurationError if the sessions are not of one gate, or not of this pull request
 */
export async function judgeForReport(
  named: readonly NamedSession[],
  project: Project,
  overrides: Overrides,
  occasion: Occasion,
  ports: JobPorts,
): Promise<ReportedSessions> {
  const { sides, standing } = await sidesOf(project, occasion, ports.source);
  if (standing.kind !== 'change') {
    const judged = judgedTogether(named);
    return { judged, failOn: overrides.failOn ?? judged.session.rules.failOn, remarks: [] };
  }
  return await judgeChange(named, project, overrides, { sides, standing }, occasion, ports);
}

/**
 * Judges sessions of a change with known sides.
 * @throws ConfigurationError if the sessions are not of one gate of these sides
 */
export async function judgeChange(
  named: readonly NamedSession[],
  project: Project,
  overrides: Overrides,
  { sides, standing }: { readonly sides: Sides; readonly standing: Standing },
  occasion: Occasion,
  ports: JobPorts,
): Promise<ReportedSessions> {
  const { plan, notes, remarks, measuring } = await ruledPlan(
    project,
    overrides,
    { standing, sides },
    ports.source,
  );
  const acceptance = await acceptanceFor(project, sides, occasion, ports.source);
  refuseOthers(named, plan, sides, occasion.event);
  // Earlier nights are read from the baseline branch, because the author of a session's file may have invented others.
  const { sessions: history } = await readHistory(project, plan, occasion, ports);
  const ruled = named.map(({ session, file }) => ({
    session: ruledBy(
      withAccepted(
        withMeasuringChanges(withNights(withoutHistory(session), history), measuring?.changes),
        acceptance.accepted,
      ),
      plan.rules,
    ),
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
        ? [...remarks, ...acceptance.remarks, ...identicalRemarks(named)]
        : [
            ...remarks,
            ...acceptance.remarks,
            ...identicalRemarks(named),
            `The sessions have other rules than the base's configuration, whose rules apply: ${edited[0] ?? ''}`,
            ...notes,
          ],
  };
}

/** @throws ConfigurationError if a session is not of these sides, this configuration and one measuring code */
function refuseOthers(named: readonly NamedSession[], plan: Plan, sides: Sides, event: string): void {
  const baseline = 'unavailable' in sides.baseline ? undefined : sides.baseline;
  const [first] = named;
  const here = identityOf({
    source: {
      repository: '',
      event,
      head: { commit: sides.head.commit, dirty: false },
      baseline: baseline === undefined ? undefined : { commit: baseline.commit, dirty: false },
    },
    configuration: plan.configuration,
    // The head's commit contains the measuring code.
    workload: { hash: first?.session.workload.hash ?? '' },
  });
  const problems = named.flatMap(({ session, file }) => [
    ...identityDifferences(identityOf(session), file, here, 'this checkout'),
    ...planDifferences(session, file, plan),
  ]);
  if (problems.length > 0)
    throw new ConfigurationError(
      `The sessions are not of this pull request; nothing was judged.\n${[...new Set(problems)].map((problem) => `  ${problem}`).join('\n')}`,
    );
}

/** The accepted losses come from the base's file and the event, not from a session's file. */
function withAccepted(session: Session, accepted: Acceptance | undefined): Session {
  const judged = { ...session };
  delete judged.accepted;
  return accepted === undefined ? judged : { ...judged, accepted };
}

/** The removals of measuring code are computed from the commits, not taken from a session's file. */
function withMeasuringChanges(
  { measuring: said, ...session }: Session,
  changes: readonly MeasuringChange[] | undefined,
): Session {
  if (changes === undefined) return session;
  return { ...session, measuring: { trials: [], ...said, changes: [...changes] } };
}

/**
 * The differences between a session's variants and the plan's. A gate must measure every variant of the plan, or be a
 * shard that lists the others. Otherwise nobody would notice a missing variant, and an additional one would have no
 * rules.
 */
function planDifferences({ purpose, shard, variants }: Session, file: string, plan: Plan): string[] {
  const planned = plan.variants.map(({ name }) => name);
  const strange = variants.filter((variant) => !planned.includes(variant));
  const known = new Set(shard?.variants ?? variants);
  const left = purpose === 'gate' ? planned.filter((variant) => !known.has(variant)) : [];
  return [
    ...(strange.length === 0
      ? []
      : [`the variants: ${file} has ${listed(strange)}, which the configuration does not have`]),
    ...(left.length === 0 ? [] : [`the variants: ${file} lacks ${listed(left)} of the configuration`]),
  ];
}

/** Notes that identical images are a claim of the measuring job, because they were not run. */
function identicalRemarks(named: readonly NamedSession[]): string[] {
  const names = new Set(named.flatMap(({ session }) => [...identicalVariants(session)]));
  return names.size === 0
    ? []
    : [
        `The measuring jobs report that both sides are the same image, and ran nothing: ${listed([...names])}.`,
      ];
}

const listed = (names: readonly string[]) =>
  names.length <= 6 ? names.join(', ') : `${names.slice(0, 6).join(', ')} and ${names.length - 6} more`;
