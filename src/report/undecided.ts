import type { Row } from '../verdict/comparison.ts';
import { disturbances } from '../diagnosis/disturbances.ts';
import { addedVariants } from '../session/measuring.ts';
import type { Session } from '../session/session.ts';
import { noise } from './noise.ts';
import { count } from './verdict-wording.ts';
import { duration } from './durations.ts';

/** The maximum number of pairs of a session: the rules', or fewer if its budget allowed fewer. */
export const plannedBlocks = ({ rules, budget }: Session): number =>
  Math.min(rules.blocks, budget.blocksPlanned ?? rules.blocks);

type Reason = 'hopeless' | 'budget' | 'lowered' | 'noise' | 'stopped' | 'pairs' | 'counts';

/** Variants that a change adds use the budget that the others leave. */
const capOf = (session: Session, variant: string): number =>
  addedVariants(session.measuring).has(variant) && session.budget.addedBlocksPlanned !== undefined
    ? session.budget.addedBlocksPlanned
    : plannedBlocks(session);

function reasonOf({ blocks, evidence, variant }: Row, session: Session | undefined): Reason {
  if (evidence === 'counted') return 'counts';
  if (session === undefined) return 'pairs';
  const planned = capOf(session, variant);
  if (session.budget.stopped?.includes(variant) === true) return 'hopeless';
  if (blocks < planned) return session.budget.secondsLeftOut > 0 ? 'budget' : 'stopped';
  return planned < session.rules.blocks ? 'lowered' : 'noise';
}

/**
 * Why these rows are undecided and what would decide them, for each reason. The comparison's own remark covers a budget
 * that was too small.
 */
export function reasonsUndecided(rows: readonly Row[], session: Session | undefined): readonly string[] {
  return [...new Set(rows.map((row) => reasonOf(row, session)))].map((reason) => {
    const own = rows.filter((row) => reasonOf(row, session) === reason);
    const pairs = count(Math.max(0, ...own.map((row) => row.blocks)), 'pair');
    const checks = own.length === rows.length ? '' : ` (${count(own.length, 'check')})`;
    const busy =
      session !== undefined && (disturbances(session)?.length ?? 0) > 0 ? ` (${noise(session)})` : '';
    const budget = duration(session?.budget.seconds ?? 0);
    switch (reason) {
      case 'hopeless':
        return `The noise${busy} is too large for the rest of the budget of ${budget}: after ${pairs} the chance of an answer was below 5 %, so the remaining minutes went to other checks or were saved${checks}. Where it matters, raise the budget or give the workload more to do.`;
      case 'budget':
        return `The budget of ${budget} ended before a decision${checks}. If the answer matters, raise the budget by the minutes that were missing.`;
      case 'lowered':
        return `The budget of ${budget} allowed ${pairs}, not ${session?.rules.blocks ?? 0}, too few for a decision at this noise${checks}. If the answer matters, raise the budget.`;
      case 'noise':
        return `After all ${pairs}, the noise of this machine${busy} is still too large for a decision${checks}. If the answer matters, give the workload more to do or use a quieter machine.`;
      case 'stopped':
        return `The session ended early${checks}. Run it again for a decision.`;
      case 'counts':
        return `The counts of one side differ from each other as much as from the other side's${checks}. If the answer matters, let the workload do a fixed amount of work, not as much as fits in a fixed time.`;
      case 'pairs':
        return `${pairs} are too few for a decision${checks}. If the answer matters, measure more pairs.`;
    }
  });
}
