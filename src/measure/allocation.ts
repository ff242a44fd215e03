/** An undecided variant, and the blocks that it is likely to need. */
export interface OpenVariant {
  readonly variant: string;
  readonly pairSeconds: number;
  /** Blocks so far, and blocks after which it is likely to be decided; infinite if it is unlikely. */
  readonly blocks: number;
  readonly expected: number;
}

/**
 * Which variants the next block measures: all, if the time left is likely to decide them all; otherwise as many as the
 * time is likely to decide, the soonest first, because seven variants with half of their blocks would all stay
 * undecided. The others wait, and go on if a variant is decided earlier than expected.
 */
export function chooseVariants(open: readonly OpenVariant[], secondsLeft: number): ReadonlySet<string> {
  const remaining = ({ pairSeconds, blocks, expected }: OpenVariant) =>
    // At least one more pair, because a variant that should be decided by now is not.
    pairSeconds * Math.max(1, expected - blocks);
  const soonest = [...open].sort((a, b) => remaining(a) - remaining(b) || a.pairSeconds - b.pairSeconds);
  const chosen = new Set<string>();
  let left = secondsLeft;
  for (const variant of soonest) {
    left -= remaining(variant);
    if (left < 0 && chosen.size > 0) break;
    chosen.add(variant.variant);
  }
  // If none can be decided, the first variant goes on, because some data are better than none.
  return chosen;
}
