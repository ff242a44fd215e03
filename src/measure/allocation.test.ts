import { expect, test } from '@jest/globals';
import { chooseVariants, type OpenVariant } from './allocation.ts';

const open = (variant: string, pairSeconds: number, expected: number, blocks = 0): OpenVariant => ({
  variant,
  pairSeconds,
  blocks,
  expected,
});

test.each<[string, OpenVariant[], number, string[]]>([
  ['time for all: all', [open('a', 2, 16), open('b', 1, 16)], 48, ['a', 'b']],
  ['time for one: the one decided sooner', [open('a', 2, 16), open('b', 1, 16)], 30, ['b']],
  ['what is nearly decided comes first', [open('a', 2, 16, 15), open('b', 1, 16)], 15, ['a']],
  ['overdue counts as one more pair', [open('a', 2, 12, 20), open('b', 3, 16)], 2, ['a']],
  ['not in sight waits for what is', [open('a', 1, Infinity), open('b', 5, 16)], 90, ['b']],
  ['time for none: the cheapest goes on', [open('a', 9, 30), open('b', 8, 30)], 20, ['b']],
  ['nothing open: nothing', [], 100, []],
])('%s', (_, variants, seconds, chosen) => {
  expect([...chooseVariants(variants, seconds)].sort()).toEqual(chosen);
});
