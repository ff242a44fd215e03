import { clopperPearson } from '../../../src/statistics/binomial.ts';
import type { Count, Sum, Tally } from '../simulation/tally.ts';

/** A figure that was found, with the 95 % interval that it is known to. */
export interface Figure {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** How it is written. */
  readonly unit: Unit;
}

type Unit = 'share' | 'blocks';

/** Share of the tries in which something happened; exact interval (Clopper and Pearson 1934). */
export function share({ happened, tries }: Count): Figure {
  return {
    value: tries === 0 ? Number.NaN : happened / tries,
    ...clopperPearson(happened, tries),
    unit: 'share',
  };
}

const NORMAL = 1.96;

/** Mean of a quantity; normal interval, which thousands of pull requests allow. */
export function meanOf({ n, sum, squares }: Sum): Figure {
  const value = sum / n;
  const error = Math.sqrt(Math.max(0, squares / n - value ** 2) / (n - 1));
  return { value, low: value - NORMAL * error, high: value + NORMAL * error, unit: 'blocks' };
}

/** @throws Error where the cell did not count this: a slip in the benchmark, and no zero */
export function counted(tally: Tally, event: string): Count {
  const found = tally.counts[event];
  if (found === undefined) throw new Error(`nothing was counted as ${event}`);
  return found;
}

export const shareOf = (tally: Tally, event: string): Figure => share(counted(tally, event));

export function meanIn(tally: Tally, quantity: string): Figure {
  const found = tally.sums[quantity];
  if (found === undefined) throw new Error(`nothing was measured as ${quantity}`);
  return meanOf(found);
}

const percent = (fraction: number) => {
  const value = 100 * fraction;
  if (Number.isNaN(value)) return '–';
  // Whole where it is exactly so; two digits where the figure is small.
  if (value === 0 || value === 100) return `${value}`;
  return value < 10 || value > 99 ? value.toFixed(2) : value.toFixed(1);
};

export const write = ({ value, unit }: Figure): string =>
  unit === 'share' ? `${percent(value)} %` : value.toFixed(1);

export const writeInterval = ({ low, high, unit }: Figure): string =>
  unit === 'share' ? `${percent(low)} – ${percent(high)} %` : `${low.toFixed(2)} – ${high.toFixed(2)}`;

/** Figure and interval in one cell of a table. */
export const writeBoth = (figure: Figure): string => `${write(figure)} (${writeInterval(figure)})`;
