import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import { VERDICTS } from '../../../src/session/rules.ts';
import { uniformSource } from '../../../src/statistics/random.ts';
import { recordedPeers } from '../recorded/peers.ts';
import { predicted, SLOWED, type Recording } from '../recorded/recordings.ts';
import { METRICS } from '../simulation/machine.ts';
import { share, write, writeBoth, type Figure } from './figures.ts';

const NAMES: Readonly<Record<string, string>> = {
  aa: 'A/A',
  plus3: '+3 %',
  plus5: '+5 %',
  plus10: '+10 %',
};
const nameOf = ({ name }: Recording) => NAMES[name] ?? name;

/** Real sessions, judged as they were recorded. */
export function recorded(recordings: readonly Recording[], seed: number): readonly string[] {
  if (recordings.length === 0) return [];
  return [
    '## Recorded sessions',
    'Real gates of one variant, 30 blocks each, wall time, CPU time and memory (`fixtures/recordings/`), judged by `pacegate compare`’s own code. In the A/A sessions both sides are one program; in the others wall and CPU time are worse by the size in the name. _Predicted_: 10,000 gates made of blocks of the A/A sessions, drawn with replacement, with the change added, through the same rule. It includes the noise between blocks and not the differences between sessions, and assumes that the change is exactly the size in its name.',
    verdicts(recordings, seed),
    ...peersTable(recordings),
  ];
}

function verdicts(recordings: readonly Recording[], seed: number): string {
  const aa = recordings.find(({ effect }) => effect === 0)?.sessions ?? [];
  const rows = recordings.flatMap((recording) => {
    const { effect, sessions } = recording;
    const expected = aa.length === 0 ? undefined : predicted(aa, effect, uniformSource(seed));
    const line = (what: string, happened: number, tries: number, prediction: number | undefined) => {
      const figure = share({ happened, tries });
      return [
        nameOf(recording),
        what,
        `${happened} of ${tries}`,
        writeBoth(figure),
        ...against(figure, prediction),
      ];
    };
    const any = sessions.filter(({ rows: own }) => own.some(({ verdict }) => verdict === 'regressed')).length;
    const metrics = METRICS.filter((metric) => effect === 0 || SLOWED.includes(metric));
    return [
      ...(effect === 0 ? [[...line('any of three rows', any, sessions.length, expected?.any), '', '']] : []),
      ...metrics.map((metric) => {
        const own = sessions.flatMap(({ rows: all }) => all.filter((row) => row.metric === metric));
        const regressed = own.filter(({ verdict }) => verdict === 'regressed').length;
        const estimates = own.flatMap(({ change }) => (change.estimate === null ? [] : [change.estimate]));
        const others = VERDICTS.filter((verdict) => verdict !== 'regressed').flatMap((verdict) => {
          const some = own.filter((row) => row.verdict === verdict).length;
          return some === 0 ? [] : [`${some} ${verdict}`];
        });
        return [
          ...line(`\`${metric}\``, regressed, own.length, expected?.byMetric.get(metric)),
          others.join(', '),
          estimates.length === 0 ? '–' : `${(100 * median(estimates)).toFixed(1)} %`,
        ];
      }),
    ];
  });
  return markdownTable([
    [
      'sessions',
      'row',
      'regressed',
      '(95 % interval)',
      'predicted',
      'interval holds it',
      'else',
      'estimate, median',
    ],
    ...rows,
  ]);
}

const against = ({ low, high, unit }: Figure, prediction: number | undefined): readonly string[] =>
  prediction === undefined
    ? ['–', '–']
    : [
        write({ value: prediction, low, high, unit }),
        low <= prediction && prediction <= high ? 'yes' : '**no**',
      ];

function peersTable(recordings: readonly Recording[]): readonly string[] {
  const rows = recordedPeers(recordings).map(({ peer, flagged }) => [
    `${peer.name}${peer.runs === 'program' ? ' (its program)' : ''}`,
    ...recordings.map(({ name }) => {
      const count = flagged.get(name);
      return count === undefined || count.tries === 0 ? '–' : `${count.happened} of ${count.tries}`;
    }),
  ]);
  const ours = recordings.map(({ effect, sessions }) => {
    const flagged = sessions.filter(({ rows: own }) =>
      own.some(({ metric, verdict }) => verdict === 'regressed' && (effect === 0 || metric === SLOWED[0])),
    );
    return `${flagged.length} of ${sessions.length}`;
  });
  return [
    'The other tools on these sessions: A/A sessions in which any of the three rows is flagged, and of the others those whose wall time is. Rules for pairs get the pairs. Rules for stored nights get the baseline sides of the 30 A/A sessions before, which vary less than nights: one machine, hours apart. Base-then-head was not recorded, so its rules are left out.',
    markdownTable([['', ...recordings.map(nameOf)], ['**Pacegate**', ...ours], ...rows]),
  ];
}
