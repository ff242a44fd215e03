import { markdownTable } from 'markdown-table';
import { WEEKLY_BLOCKS } from '../../../src/statistics/creep.ts';
import { METRICS } from '../simulation/machine.ts';
import { meanIn, shareOf, write, writeBoth } from './figures.ts';
import type { Tallies } from './simulated.ts';

export function creep(tallies: Tallies): readonly string[] {
  const [found, none, quirky] = ['creep', 'creep-null', 'creep-null-quirk1'].map((name) => tallies.get(name));
  if (found === undefined || none === undefined) return [];
  const rows = (['creep', 'rolling'] as const).map((rule) => [
    rule === 'creep' ? '**Pacegate**: every week against the anchor' : 'every night against the 14 before it',
    ...METRICS.map((metric) => writeBoth(shareOf(found, `${rule}: found in time ${metric}`))),
    writeBoth(shareOf(none, `${rule}: false in a row`)),
  ]);
  const losses = METRICS.map((metric) => write(meanIn(found, `creep: drift when found ${metric}`)));
  return [
    '## Creep',
    `A variant gets worse by 0.3 % every week, which no gate of a pull request can find. Every week ${WEEKLY_BLOCKS} blocks compare the head with a fixed anchor, and the shipped rule for creep decides after each week. For comparison, an equally strict rule with a moving baseline: each night’s median against the prediction of the last 14. _Found_: by the last week in which the loss is below 2.5 %. _False_: in a quarter in which nothing changes, in a given row.`,
    markdownTable([['', ...METRICS.map((metric) => `found: \`${metric}\``), 'false'], ...rows]),
    `The anchor’s alarm comes at a loss of ${losses.join(' %, ')} % on average. In a quarter without change some row of the 21 raises one in ${write(shareOf(none, 'creep: false in any row'))} of the cases${quirky === undefined ? '' : `; with a quirk of 1 %, drawn anew every week, in ${write(shareOf(quirky, 'creep: false in any row'))}, a given row in ${write(shareOf(quirky, 'creep: false in a row'))}`}.`,
  ];
}
