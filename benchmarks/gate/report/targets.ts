import { meanIn, share, shareOf, type Figure } from './figures.ts';
import { FIXED_BLOCKS } from '../simulation/pull-request.ts';
import type { Tally } from '../simulation/tally.ts';

/** What the gate is held to: not the figure but the far end of its interval must lie on the right side. */
export interface Target {
  readonly what: string;
  readonly cell: string;
  readonly figure: (tally: Tally) => Figure;
  readonly bound: 'at most' | 'at least';
  /** A fraction, or blocks. */
  readonly limit: number;
}

const atMost = (limit: number, cell: string, event: string, what: string): Target => ({
  what,
  cell,
  figure: (tally) => shareOf(tally, event),
  bound: 'at most',
  limit,
});

const atLeast = (limit: number, cell: string, event: string, what: string): Target => ({
  ...atMost(limit, cell, event, what),
  bound: 'at least',
});

/** How many of the fixed rule's runs are saved. */
const saved = (tally: Tally): Figure => {
  const { value, low, high } = meanIn(tally, 'blocks a variant');
  const of = (blocks: number) => 1 - blocks / FIXED_BLOCKS;
  return { value: of(value), low: of(high), high: of(low), unit: 'share' };
};

const COVERAGE = 0.935;

export const TARGETS: readonly Target[] = [
  atMost(0.01, 'null', 'false alarm', 'false alarm in an unchanged pull request'),
  atMost(0.025, 'null-cv3', 'false alarm', 'false alarm, noise 3 %'),
  atMost(0.025, 'null-cv5', 'false alarm', 'false alarm, noise 5 %'),
  atMost(0.025, 'null-quirk0.5', 'false alarm', 'false alarm, quirk 0.5 %'),
  ...(
    [
      ['null-second', 'the second run of a pair 2 % slower'],
      ['null-second10', 'the second run of a pair 10 % slower'],
      ['null-clock', 'a clock 30 % slower in one run of ten'],
      ['null-triple', 'one run of ten takes three times as long'],
      ['null-skew', 'exponential noise of 5 %'],
      ['null-t3', 'noise of 5 % with the tails of t with 3 degrees of freedom'],
    ] as const
  ).map(([cell, what]) => atMost(0.025, cell, 'false alarm', `false alarm, ${what}`)),
  atMost(
    0.015,
    'null-quirk1',
    'false alarm confirmed',
    'false alarm, quirk 1 %, confirmed on a second runner',
  ),
  atLeast(0.98, 'plus5', 'planted regressed', '+5 % found'),
  atLeast(0.995, 'plus10', 'planted regressed', '+10 % found'),
  atLeast(0.98, 'plus5-cv3', 'planted regressed', '+5 % found, noise 3 %'),
  atLeast(0.88, 'plus5-cv5', 'planted regressed', '+5 % found, noise 5 %'),
  atMost(0.03, 'plus5-cv5', 'planted unchanged', '+5 % called unchanged, noise 5 %'),
  atLeast(0.8, 'plus10-wide', 'planted regressed', '+10 % found in one of 500 rows, noise 5 %'),
  atMost(0.05, 'plus5', 'planted unchanged', '+5 % called unchanged'),
  atMost(0.01, 'null', 'inconclusive wall_time_s', 'unchanged rows left inconclusive, noise 2 %'),
  atMost(0.05, 'null-cv3', 'inconclusive', 'unchanged rows left inconclusive, noise 3 %'),
  {
    what: 'blocks of a variant in an unchanged pull request',
    cell: 'null',
    figure: (tally) => meanIn(tally, 'blocks a variant'),
    bound: 'at most',
    limit: 12.8,
  },
  {
    what: `runs saved against ${FIXED_BLOCKS} blocks in every case`,
    cell: 'null',
    figure: saved,
    bound: 'at least',
    limit: 0.2,
  },
  {
    what: `of the +5 % that only one of the two finds, those that the ${FIXED_BLOCKS} blocks find`,
    cell: 'plus5',
    // No less power than the fixed rule: where the two disagree, ours is right at least as often.
    figure: (tally) => share(tally.counts['found by the fixed rule alone'] ?? { happened: 0, tries: 0 }),
    bound: 'at most',
    limit: 0.5,
  },
  atLeast(
    COVERAGE,
    'null',
    'interval holds the truth',
    'intervals of 95 % that hold the truth, nothing changed',
  ),
  atLeast(COVERAGE, 'plus3', 'interval holds the truth', 'intervals of 95 % that hold the truth, +3 %'),
  atLeast(COVERAGE, 'plus5', 'interval holds the truth', 'intervals of 95 % that hold the truth, +5 %'),
  atLeast(
    0.95,
    'creep',
    'creep: found in time wall_time_s',
    'creep of 0.3 % a week found before it is 2.5 %, noise 2 %',
  ),
  atMost(
    0.01,
    'creep-null',
    'creep: false in any row',
    'quarters of unchanged code in which any row is reported to creep',
  ),
];

export type Answer = 'met' | 'missed' | 'not shown';

/** Met by the interval as a whole; missed by the figure itself; else too few pull requests were simulated to say. */
export function answer({ bound, limit }: Target, { value, low, high }: Figure): Answer {
  if (bound === 'at most') return high <= limit ? 'met' : value > limit ? 'missed' : 'not shown';
  return low >= limit ? 'met' : value < limit ? 'missed' : 'not shown';
}
