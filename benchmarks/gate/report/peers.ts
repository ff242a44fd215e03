import { markdownTable } from 'markdown-table';
import { NIGHTS } from '../simulation/layouts.ts';
import { RULES } from '../peers/peers.ts';
import type { PeerData } from '../peers/peer.ts';
import { CELLS } from '../simulation/cells.ts';
import { STORED_PEERS } from '../simulation/stored.ts';
import { shareOf, write, writeBoth } from './figures.ts';
import type { Tallies } from './simulated.ts';

const GIVEN: Readonly<Record<PeerData, string>> = {
  interleaved: 'pairs',
  sequential: 'base, then head',
  nights: 'stored nights',
};

/** The other tools' rules on the runs of the same simulated machine. */
export function peers(tallies: Tallies): readonly string[] {
  const [unchanged, plus5, plus10] = ['null', 'plus5', 'plus10'].map((name) => tallies.get(name));
  if (unchanged === undefined) return [];
  const shares = (found: string, alarm: string) => [
    writeBoth(shareOf(unchanged, alarm)),
    ...[plus5, plus10].map((tally) => (tally === undefined ? '–' : write(shareOf(tally, found)))),
  ];
  return [
    '## Other tools on the same machine',
    `Each tool’s rule decides on the samples that its users would give it: the pairs of the gate’s session; a session of the same machine that first runs the base and then the head; or the head against ${NIGHTS} stored nights, the last one or all. Thirty runs a side. _False alarm_: pull requests without any change in which any of the 21 rows is flagged; the other columns: the changed row is.`,
    markdownTable([
      ['', 'given', 'decides by', 'false alarm (95 % interval)', '+5 % found', '+10 % found'],
      ['**Pacegate**', GIVEN.interleaved, 'this report', ...shares('planted regressed', 'false alarm')],
      ...RULES.map(({ name, data, rule }) => [
        name,
        GIVEN[data],
        rule,
        ...shares(`${name}: planted flagged`, `${name}: false alarm`),
      ]),
    ]),
    '`benchmarks/gate/peers/` describes each tool’s rule, with its source. Here this repository’s versions of the rules decide, because the programs would take hours for a million rows. `node benchmarks/gate/peers/check.ts` gives 3,000 rows, many of them borderline, to benchstat, pyperf and asv, and fails unless rule and program agree on every row. On the recorded sessions below, the programs decide too.',
  ];
}

/** Stored nights as the only evidence: ours beside the peers that are given nights. */
export function storedNights(tallies: Tallies): readonly string[] {
  const cells = CELLS.filter(({ name }) => name.startsWith('stored-') && tallies.has(name));
  if (cells.length === 0) return [];
  const rules = ['stored nights', ...STORED_PEERS.map(({ name }) => name)];
  const column = (rule: string, name: string) => {
    const tally = tallies.get(name);
    if (tally === undefined) return '–';
    const found = `${rule}: planted flagged`;
    return tally.counts[found] === undefined
      ? writeBoth(shareOf(tally, `${rule}: false alarm`))
      : writeBoth(shareOf(tally, found));
  };
  return [
    '## Stored nights as the only evidence',
    'No second side is run: the head’s session is judged by the nights before it, on a machine that stays the same. Pacegate’s stored rule takes a session as one value, predicts the next one from the nights by Student’s t, and corrects for all rows; by construction its probability of a false alarm is 5 % for each pull request, whatever the differences between sessions, and its power is lower in return. Figures are pull requests with any false alarm; in the column of a change, those in which it is found.',
    markdownTable([
      ['', ...cells.map(({ says }) => says)],
      ...rules.map((rule) => [
        rule === 'stored nights' ? '**Pacegate, stored nights**' : rule,
        ...cells.map(({ name }) => column(rule, name)),
      ]),
    ]),
  ];
}
