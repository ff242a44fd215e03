/** A variant that is not decided yet, and what deciding it is likely to take. */
export interface OpenVariant {
  readonly variant: string;
  readonly pairSeconds: number;
  /** Blocks that it has, and after which it is likely to be decided; infinite where that is not in sight. */
  readonly blocks: number;
  readonly expected: number;
}

/**
 * Which variants the next block measures.
 *
 * All of them while the time left is likely to decide them all; else those that are decided soonest, as many as the
 * time is likely to decide: seven variants with half of their blocks would leave seven undecided. The others
 * wait, and go on where somebody was decided earlier than thought.
 */
export function chooseVariants(open: readonly OpenVariant[], secondsLeft: number): ReadonlySet<string> {
  const remaining = ({ pairSeconds, blocks, expected }: OpenVariant) =>
    // One more pair at least: what should have been decided by now was not.
    pairSeconds * Math.max(1, expected - blocks);
  const soonest = [...open].sort((a, b) => remaining(a) - remaining(b) || a.pairSeconds - b.pairSeconds);
  const chosen = new Set<string>();
  let left = secondsLeft;
  for (const variant of soonest) {
    left -= remaining(variant);
    if (left < 0 && chosen.size > 0) break;
    chosen.add(variant.variant);
  }
  // Where none can be decided, what is measured still says more than what is not: the first goes on.
  return chosen;
}
