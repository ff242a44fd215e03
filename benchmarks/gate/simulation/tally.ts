/** What a simulation counted: plain data, so that it passes between threads and lies in a file. */
export interface Tally {
  /** Name of an event: how often it happened, and in how many tries. */
  readonly counts: Record<string, Count>;
  /** Name of a quantity: enough to give its mean and how well that is known. */
  readonly sums: Record<string, Sum>;
}

export interface Count {
  happened: number;
  tries: number;
}

export interface Sum {
  n: number;
  sum: number;
  squares: number;
}

export const emptyTally = (): Tally => ({ counts: {}, sums: {} });

/** Notes whether an event happened in one try. */
export function count(tally: Tally, event: string, happened: boolean): void {
  const found = (tally.counts[event] ??= { happened: 0, tries: 0 });
  found.tries++;
  if (happened) found.happened++;
}

/** Notes one value of a quantity. */
export function measure(tally: Tally, quantity: string, value: number): void {
  const found = (tally.sums[quantity] ??= { n: 0, sum: 0, squares: 0 });
  found.n++;
  found.sum += value;
  found.squares += value * value;
}

/** Adds tallies in the order given: sums of fractions depend on it in their last bit, and a report must not. */
export function merge(tallies: readonly Tally[]): Tally {
  const all = emptyTally();
  for (const { counts, sums } of tallies) {
    for (const [event, { happened, tries }] of Object.entries(counts)) {
      const found = (all.counts[event] ??= { happened: 0, tries: 0 });
      found.happened += happened;
      found.tries += tries;
    }
    for (const [quantity, { n, sum, squares }] of Object.entries(sums)) {
      const found = (all.sums[quantity] ??= { n: 0, sum: 0, squares: 0 });
      found.n += n;
      found.sum += sum;
      found.squares += squares;
    }
  }
  return all;
}
