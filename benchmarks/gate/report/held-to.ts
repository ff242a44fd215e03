import { markdownTable } from 'markdown-table';
import { write, writeInterval } from './figures.ts';
import { answer, TARGETS, type Answer, type Target } from './targets.ts';
import type { Tally } from '../simulation/tally.ts';

/** The targets whose cells were simulated, each with what came of it. */
export function answers(tallies: ReadonlyMap<string, Tally>): readonly (readonly [Target, Answer])[] {
  return TARGETS.flatMap((target) => {
    const tally = tallies.get(target.cell);
    return tally === undefined ? [] : [[target, answer(target, target.figure(tally))] as const];
  });
}

export function heldTo(tallies: ReadonlyMap<string, Tally>): readonly string[] {
  const rows = answers(tallies).flatMap(([target, met]) => {
    const tally = tallies.get(target.cell);
    if (tally === undefined) return [];
    const figure = target.figure(tally);
    const limit =
      figure.unit === 'share' ? `${Number((100 * target.limit).toFixed(1))} %` : `${target.limit}`;
    return [
      [
        target.what,
        `${target.bound} ${limit}`,
        write(figure),
        writeInterval(figure),
        met === 'met' ? met : `**${met}**`,
      ],
    ];
  });
  return rows.length === 0
    ? []
    : [
        '## Targets',
        'A target is met if the whole 95 % interval is on its right side, and missed if the figure itself is not. Otherwise too little was simulated for an answer.',
        markdownTable([['', 'target', 'found', '95 % interval', ''], ...rows]),
      ];
}
