import { FEWEST_FOR_CREEP } from '../history/anchor.ts';
import { logDuration } from '../report/durations.ts';
import type { Session } from '../session/session.ts';
import type { Night } from './measure-night.ts';

/** The result of a night apart from its figures. */
export interface NightEnd {
  /** Sentences for the night's report. */
  readonly remarks: readonly string[];
  /** 0 if everything requested was measured and stored. */
  readonly status: 0 | 2 | 3;
  /** The job's error message about the branch or the anchor, which the report lacks. */
  readonly failure: string | undefined;
}

function tooShort({ budget: { blocksPlanned, seconds }, rules }: Session): string[] {
  return blocksPlanned === undefined || blocksPlanned >= FEWEST_FOR_CREEP
    ? []
    : [
        `The budget of ${logDuration(seconds)} left the anchor ${blocksPlanned} of ${rules.blocks} pairs, and creep cannot be found in fewer than ${FEWEST_FOR_CREEP}: raise rules.budget, or make the workload shorter.`,
      ];
}

/** A night that measured less than requested must not look successful. */
export function endOf(
  { session, stored, anchor, interrupted, staleAcceptance }: Night,
  branch: string,
): NightEnd {
  const kept =
    stored.kind === 'stored'
      ? `Stored on the branch ${branch} as ${stored.commit.slice(0, 10)}.`
      : stored.kind === 'refused'
        ? stored.reason
        : `Nothing was stored on the branch ${branch}: no run ended well, or the run was cancelled.`;
  const compared =
    anchor.kind === 'none'
      ? []
      : anchor.kind === 'compared'
        ? [
            `Compared with the anchor ${anchor.session.source.baseline?.commit.slice(0, 10) ?? ''} in ${anchor.session.runs.length} runs; the files are in the folder anchor.`,
            ...tooShort(anchor.session),
          ]
        : [anchor.reason];
  const remarks = [kept, ...compared, ...staleAcceptance];
  if (stored.kind === 'refused') return { remarks, status: 3, failure: stored.reason };
  // If variants failed, the headline names them.
  if (stored.kind === 'nothing')
    return { remarks, status: 3, failure: session.failures.length > 0 && !interrupted ? undefined : kept };
  if (anchor.kind === 'unknown') return { remarks, status: 2, failure: anchor.reason };
  if (anchor.kind === 'failed') return { remarks, status: 3, failure: anchor.reason };
  return { remarks, status: session.failures.length > 0 ? 3 : 0, failure: undefined };
}
