import type { Planner, SoFar } from '../session/planner.ts';
import type { Session } from '../session/session.ts';
import { looksFor } from '../statistics/looks.ts';
import { judgeRanking, plannedBlocks } from './unjudged-rows.ts';

/** Runs come slower than the warm-up said, and a ranking without its last look has spent its time for nothing. */
const TIME_KEPT = 0.9;

/**
 * Looks at a ranking as its file will be looked at: a variant stops when all its tests are settled, and the reference
 * when all the others have stopped.
 * @param sessionOf the session as it would be written now
 */
export function rankPlanner(sessionOf: (soFar: SoFar) => Session, reference: string): Planner {
  return {
    // Every block holds the reference, so the time is shared out to whole blocks.
    cap: (pairSeconds, secondsLeft) => {
      const block = [...pairSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
      return Math.floor((secondsLeft * TIME_KEPT) / Math.max(block, 1e-3));
    },
    progress: (soFar) => {
      const session = sessionOf(soFar);
      const cap = plannedBlocks(session) ?? session.rules.blocks;
      const settled = settledVariants(session, reference, cap);
      return {
        settled,
        // Where time gets short, blocks without the reference would be for nothing: it goes first.
        expected: (variant) => (variant === reference && soFar.runs.length > 0 ? 0 : cap),
      };
    },
  };
}

function settledVariants(session: Session, reference: string, cap: number): ReadonlySet<string> {
  const { variants, failures, runs, rules } = session;
  const dead = new Set(failures.map(({ variant }) => variant));
  // Nothing can be said without the reference.
  if (dead.has(reference)) return new Set(variants);
  const { drafts, outcomes } = judgeRanking([session], reference);
  const [first] = looksFor(rules.profile, cap);
  const settled = variants.filter((variant) => {
    if (variant === reference) return false;
    if (dead.has(variant)) return true;
    const blocks = new Set(runs.filter((run) => run.variant === variant).map(({ block }) => block)).size;
    // Before the first look a metric that is missing may still come.
    if (first === undefined || blocks < first.blocks) return false;
    return drafts
      .filter((draft) => draft.variant === variant && draft.kind === 'tested')
      .every((draft) => outcomes.get(draft)?.decision !== 'undecided');
  });
  return new Set(settled.length === variants.length - 1 ? variants : settled);
}
