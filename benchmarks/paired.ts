import { median, quantile } from 'simple-statistics';
import { scheduleBlocks, type ScheduledPair } from '../src/measure/schedule.ts';
import { SIDES, type Side } from '../src/session/run.ts';
import { hodgesLehmann, type Estimate } from '../src/statistics/hodges-lehmann.ts';

/** What every question is asked with. */
export interface Setting {
  readonly pairs: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** An answer: a heading and what stands below it, in Markdown. */
export interface Section {
  readonly title: string;
  readonly body: readonly string[];
}

/** Two ways to do one thing, each giving one value of each quantity: `head` is judged by `baseline`. */
export type Contrast<Quantity extends string> = Readonly<Record<Side, Trial<Quantity>>>;
export type Trial<Quantity extends string> = (pair: ScheduledPair) => Promise<Values<Quantity>>;
export type Values<Quantity extends string> = Readonly<Record<Quantity, number>>;
export type Pair<Quantity extends string> = Readonly<Record<Side, Values<Quantity>>>;

/**
 * Measures contrasts in turn: each block holds one pair of each, in random order, the two of a pair back to back,
 * and which of them goes first is random and balanced. One pair of each is run before and not counted.
 */
export async function measurePairs<Quantity extends string>(
  contrasts: Readonly<Record<string, Contrast<Quantity>>>,
  { pairs, seed, signal }: Setting,
): Promise<(name: string) => readonly Pair<Quantity>[]> {
  const measured = new Map<string, Pair<Quantity>[]>();
  for (const block of scheduleBlocks(Object.keys(contrasts), SIDES, pairs + 1, seed))
    for (const pair of block) {
      const values: Partial<Record<Side, Values<Quantity>>> = {};
      for (const side of pair.order) {
        signal.throwIfAborted();
        const trial = contrasts[pair.variant]?.[side];
        if (trial !== undefined) values[side] = await trial(pair);
      }
      measured.set(pair.variant, [...(measured.get(pair.variant) ?? []), values as Pair<Quantity>]);
    }
  return (name) => measured.get(name)?.slice(1) ?? [];
}

const CONFIDENCE = 0.95;

/** How many times the baseline's value the head's is, with the interval of the signed-rank test. */
export function ratio<Quantity extends string>(
  pairs: readonly Pair<Quantity>[],
  quantity: Quantity,
): Estimate {
  const logs = pairs.map(({ head, baseline }) => Math.log(head[quantity] / baseline[quantity]));
  const { centre, low, high } = hodgesLehmann(logs, CONFIDENCE);
  const exp = (bound: number | null) => (bound === null ? null : Math.exp(bound));
  return { centre: Math.exp(centre), low: exp(low), high: exp(high) };
}

/** By how much the head's value exceeds the baseline's, in the quantity's unit. */
export function difference<Quantity extends string>(
  pairs: readonly Pair<Quantity>[],
  quantity: Quantity,
): Estimate {
  const differences = pairs.map(({ head, baseline }) => head[quantity] - baseline[quantity]);
  return hodgesLehmann(differences, CONFIDENCE);
}

/** `median (lower quartile to upper)` of one side. */
export function spread<Quantity extends string>(
  pairs: readonly Pair<Quantity>[],
  side: Side,
  quantity: Quantity,
  words: (value: number) => string,
): string {
  const values = pairs.map((pair) => pair[side][quantity]);
  return `${words(median(values))} (${words(quantile(values, 0.25))} to ${words(quantile(values, 0.75))})`;
}

/** `centre [low, high]`; a sample too small for bounds has none. */
export const interval = ({ centre, low, high }: Estimate, words: (value: number) => string): string =>
  `${words(centre)} [${low === null ? 'none' : words(low)}, ${high === null ? 'none' : words(high)}]`;

export type Answer = 'met' | 'missed' | 'undecided';

/** The aim "at most this": decided where the whole interval lies on one side of the limit. */
export function atMost(limit: number, { low, high }: Estimate): Answer {
  if (high !== null && high <= limit) return 'met';
  return low !== null && low > limit ? 'missed' : 'undecided';
}
