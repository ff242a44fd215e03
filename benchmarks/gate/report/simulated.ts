import { markdownTable } from 'markdown-table';
import { PROFILE_SETTINGS, PROFILES, capOf } from '../../../src/statistics/looks.ts';
import { CELLS, type Cell } from '../simulation/cells.ts';
import { METRICS } from '../simulation/machine.ts';
import { FIXED_BLOCKS } from '../simulation/pull-request.ts';
import type { Tally } from '../simulation/tally.ts';
import { meanIn, shareOf, write, writeBoth } from './figures.ts';

export type Tallies = ReadonlyMap<string, Tally>;

/** A table of the cells that were simulated; nothing where there are none. */
function tableOf(
  tallies: Tallies,
  cells: readonly Cell[],
  head: readonly string[],
  row: (cell: Cell, tally: Tally) => readonly string[],
): readonly string[] {
  const rows = cells.flatMap((cell) => {
    const tally = tallies.get(cell.name);
    return tally === undefined ? [] : [row(cell, tally)];
  });
  return rows.length === 0 ? [] : [markdownTable([head, ...rows])];
}

const NOTHING = '–';
const has = (tally: Tally, event: string) => tally.counts[event] !== undefined;
const shareIf = (tally: Tally, event: string) => (has(tally, event) ? write(shareOf(tally, event)) : NOTHING);

/** What is found of a change, in the direction that the change has. */
const foundOf = ({ name }: Cell) => (name.startsWith('minus') ? 'planted improved' : 'planted regressed');

const columns = (cell: Cell, tally: Tally) => [
  write(shareOf(tally, 'false alarm')),
  write(shareOf(tally, 'false improvement')),
  has(tally, foundOf(cell)) ? writeBoth(shareOf(tally, foundOf(cell))) : NOTHING,
  shareIf(tally, 'planted unchanged'),
  write(shareOf(tally, has(tally, 'inconclusive') ? 'inconclusive' : 'planted undecided')),
  write(meanIn(tally, 'blocks a variant')),
  write(shareOf(tally, 'interval holds the truth')),
];
const HEAD = [
  'false alarm',
  'false improvement',
  'found (95 % interval)',
  'called unchanged',
  'inconclusive',
  'blocks',
  'interval holds',
];

const isBalanced = ({ name }: Cell) => !PROFILES.some((profile) => name.startsWith(`${profile}-`));

export function finds(tallies: Tallies): readonly string[] {
  const cells = CELLS.filter(
    (cell) => isBalanced(cell) && has(tallies.get(cell.name) ?? NO_TALLY, 'false improvement'),
  );
  const table = tableOf(tallies, cells, ['', ...HEAD], (cell, tally) => [cell.says, ...columns(cell, tally)]);
  if (table.length === 0) return [];
  const plus3 = tallies.get('plus3');
  return [
    '## What it finds and what it misses',
    `_False alarm_ and _false improvement_: pull requests in which any unchanged row is called regressed, or improved. _Found_, _called unchanged_: the row that was changed. _Inconclusive_: that row, or any row if nothing was changed. _Blocks_: the mean of a variant, at most ${capOf('balanced')}. _Interval holds_: how often the 95 % interval that is shown holds the true change, although the runs stopped where they did because of what they showed.`,
    ...table,
    ...(plus3 === undefined
      ? []
      : [
          `**A change of 3 % is found in ${write(shareOf(plus3, 'planted regressed'))} of the cases, and called unchanged in ${write(shareOf(plus3, 'planted unchanged'))}**: it is the smallest change that counts, so either verdict is possible. To detect 3 %, set a smaller limit, such as the profile \`strict\`.`,
        ]),
  ];
}

const NO_TALLY: Tally = { counts: {}, sums: {} };

export function secondRunner(tallies: Tallies): readonly string[] {
  const table = tableOf(
    tallies,
    CELLS.filter(({ name }) => has(tallies.get(name) ?? NO_TALLY, 'false alarm confirmed')),
    ['', 'false alarm', 'confirmed', 'found', 'confirmed', 'called unchanged'],
    (cell, tally) => [
      cell.says,
      writeBoth(shareOf(tally, 'false alarm')),
      writeBoth(shareOf(tally, 'false alarm confirmed')),
      shareIf(tally, 'planted regressed'),
      shareIf(tally, 'planted regressed and confirmed'),
      shareIf(tally, 'planted unchanged'),
    ],
  );
  return table.length === 0
    ? []
    : [
        '## A second runner',
        'A processor may like the memory layout of one side better: a _quirk_, the same in every run of a session and gone on another machine. No number of runs on one machine can detect it. So a second, fresh runner can measure the regressed variants again with 8 blocks. A regression stays if its estimate there is at least the limit too.',
        ...table,
        'The price: a regression that the second runner does not confirm is dropped, and rows that the first one called unchanged are not measured again.',
      ];
}

export function againstFixed(tallies: Tallies): readonly string[] {
  const table = tableOf(
    tallies,
    CELLS.filter(({ name }) => has(tallies.get(name) ?? NO_TALLY, 'fixed: false alarm')),
    [
      '',
      ...['false alarm', 'found', ...METRICS.map((name) => `\`${name}\``), 'blocks'],
      ...['false alarm', 'found', ...METRICS.map((name) => `\`${name}\``)].map((name) => `fixed: ${name}`),
    ],
    (cell, tally) => [
      cell.says,
      write(shareOf(tally, 'false alarm')),
      shareIf(tally, 'planted regressed'),
      ...METRICS.map((metric) => shareIf(tally, `planted regressed ${metric}`)),
      write(meanIn(tally, 'blocks a variant')),
      write(shareOf(tally, 'fixed: false alarm')),
      shareIf(tally, 'fixed: planted regressed'),
      ...METRICS.map((metric) => shareIf(tally, `fixed: planted regressed ${metric}`)),
    ],
  );
  return table.length === 0
    ? []
    : [
        `## Early looks, compared with a fixed ${FIXED_BLOCKS} blocks`,
        `The same runs judged twice: with the looks of the gate, and by one look at ${FIXED_BLOCKS} blocks with all of alpha. Early looks save runs if the noise is small, and need some of them if it is large. They then find more in noisy rows, and slightly less in quiet ones.`,
        ...table,
      ];
}

export function profiles(tallies: Tallies): readonly string[] {
  const table = tableOf(
    tallies,
    CELLS.filter((cell) => !isBalanced(cell) || ['null', 'plus3', 'plus5', 'plus10'].includes(cell.name)),
    ['', ...HEAD],
    (cell, tally) => [`${cell.says}${isBalanced(cell) ? ', profile balanced' : ''}`, ...columns(cell, tally)],
  );
  const words = PROFILES.map((profile) => {
    const { limit } = PROFILE_SETTINGS[profile];
    return `\`${profile}\` (limit ${100 * limit} %, at most ${capOf(profile)} blocks)`;
  });
  return table.length === 0 ? [] : ['## Profiles', `The profiles: ${words.join(', ')}.`, ...table];
}
