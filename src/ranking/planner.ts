import type { Planner, SoFar } from '../session/planner.ts';
import type { Session } from '../session/session.ts';
import { looksFor } from '../statistics/looks.ts';
import { judgeRanking, plannedBlocks } from './unjudged-rows.ts';

/** A margin, because runs may take longer than in the warm-up, and a ranking needs its last look. */
const TIME_KEPT = 0.9;

/**
 * Judges a running ranking as its file will be judged: a variant stops when all its tests are decided, and the
 * reference when all others have stopped.
 * @param sessionOf the session as it would be written now
 */
export function rankPlanner(sessionOf: (soFar: SoFar) => Session, reference: string): Planner {
  return {
    // Every block includes the reference, so the time is divided into whole blocks.
    cap: (pairSeconds, secondsLeft) => {
      const block = [...pairSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
      return Math.floor((secondsLeft * TIME_KEPT) / Math.max(block, 1e-3));
    },
    progress: (soFar) => {
      const session = sessionOf(soFar);
      const cap = plannedBlocks(session) ?? session.rules.blocks;
      const decided = decidedVariants(session, reference, cap);
      return {
        decided,
        // When time is short the reference runs first, because blocks without it are useless.
        expected: (variant) => (variant === reference && soFar.runs.length > 0 ? 0 : cap),
      };
    },
  };
}

function decidedVariants(session: Session, reference: string, cap: number): ReadonlySet<string> {
  const { variants, failures, runs, rules } = session;
  const dead = new Set(failures.map(({ variant }) => variant));
  // Without the reference there is no comparison.
  if (dead.has(reference)) return new Set(variants);
  const { drafts, outcomes } = judgeRanking([session], reference);
  const [first] = looksFor(rules.profile, cap, rules.method ?? 1);
  const decided = variants.filter((variant) => {
    if (variant === reference) return false;
    if (dead.has(variant)) return true;
    const blocks = new Set(runs.filter((run) => run.variant === variant).map(({ block }) => block)).size;
    // Before the first look a missing metric may still be reported.
    if (first === undefined || blocks < first.blocks) return false;
    return drafts
      .filter((draft) => draft.variant === variant && draft.kind === 'tested')
      .every((draft) => outcomes.get(draft)?.decision !== 'undecided');
  });
  return new Set(decided.length === variants.length - 1 ? variants : decided);
}
