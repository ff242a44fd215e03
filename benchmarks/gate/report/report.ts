import { markdownTable } from 'markdown-table';
import { METRICS, STANDARD } from '../simulation/machine.ts';
import type { Tally } from '../simulation/tally.ts';
import type { Recording } from '../recorded/recordings.ts';
import { creep } from './creep.ts';
import { counted, shareOf, write } from './figures.ts';
import { heldTo } from './held-to.ts';
import { peers, storedNights } from './peers.ts';
import { recorded } from './recorded.ts';
import { againstFixed, finds, profiles, secondRunner, type Tallies } from './simulated.ts';

export interface Facts {
  /** `2026-11-24`. */
  readonly date: string;
  /** One line: processor, cores, kernel, node. */
  readonly machine: string;
  readonly command: string;
  readonly seed: number;
  readonly pullRequests: number;
  readonly seconds: number;
  readonly speed: readonly Speed[];
}

export interface Speed {
  readonly says: string;
  readonly perSecond: number;
}

export function report(tallies: Tallies, recordings: readonly Recording[], facts: Facts): string {
  return [
    '# How often the gate is right',
    `Pacegate runs each image of a pull request next to its baseline and says which got worse. This report counts how often that is true, on simulated pull requests with a known change and on recorded sessions of a real machine. The shipped code makes the decisions, not a copy of it.`,
    [
      `- ${facts.date}; ${facts.machine}; ${duration(facts.seconds)}.`,
      `- Again, to the same figures but for the speed: \`${facts.command}\`.`,
      `- Each line of a table is ${facts.pullRequests.toLocaleString('en')} simulated pull requests (or quarters of a year) of ${STANDARD.variants} variants and ${METRICS.length} metrics, ${STANDARD.variants * METRICS.length} rows; each row has a verdict. If a figure is near its target there are more, as its interval shows. Intervals are exact, 95 % (Clopper and Pearson).`,
      '- A _block_ is a pair of runs, baseline and head, of every variant. _Noise_ is the standard deviation from run to run; _limit_ the smallest change that counts, 3 % here.',
    ].join('\n'),
    ...inShort(tallies),
    ...heldTo(tallies),
    ...finds(tallies),
    ...peers(tallies),
    ...recorded(recordings, facts.seed),
    ...secondRunner(tallies),
    ...againstFixed(tallies),
    ...profiles(tallies),
    ...storedNights(tallies),
    ...creep(tallies),
    ...speedSection(facts.speed),
    ...machineSection(),
  ].join('\n\n');
}

/** The figures that most readers come for, in sentences. */
function inShort(tallies: Tallies): readonly string[] {
  const [none, plus3, plus5, noisy] = ['null', 'plus3', 'plus5', 'plus5-cv5'].map((name) =>
    tallies.get(name),
  );
  if (none === undefined || plus3 === undefined || plus5 === undefined || noisy === undefined) return [];
  const said = (tally: Tally, event: string) => write(shareOf(tally, event));
  const { happened, tries } = counted(none, 'false alarm');
  return [
    `**In short.** Of ${tries.toLocaleString('en')} pull requests that changed nothing, ${happened === 0 ? 'none' : happened} got a false alarm. A loss of 5 % is found in ${said(plus5, 'planted regressed')} of the cases. One of 3 %, the smallest that counts, in ${said(plus3, 'planted regressed')}: it lies on the edge. Where runs scatter by 5 %, a loss of 5 % is found in ${said(noisy, 'planted regressed')}, and the rest is mostly called inconclusive (${said(noisy, 'planted undecided')}), which is not “unchanged” (${said(noisy, 'planted unchanged')}).`,
  ];
}

const duration = (seconds: number) =>
  seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;

/** The aim is not held against the decision: it depends on whose machine counts. */
const AIM = 1000;

const speedSection = (speed: readonly Speed[]): readonly string[] =>
  speed.length === 0
    ? []
    : [
        '## Speed',
        `Pull requests of 21 rows and 30 blocks that the rule decides in a second, on one core, with the data in memory; the aim is ${AIM.toLocaleString('en')}.`,
        markdownTable([
          ['', 'decided in a second', 'aim'],
          ...speed.map(({ says, perSecond }) => [
            says,
            Math.round(perSecond).toLocaleString('en'),
            perSecond >= AIM ? 'met' : '**missed**',
          ]),
        ]),
      ];

function machineSection(): readonly string[] {
  const percent = (fraction: number) => `${Number((100 * fraction).toFixed(1))} %`;
  const { noise, autoregressive, outliers, trend, betweenSessions } = STANDARD;
  return [
    '## The simulated machine',
    'The logarithm of a run’s value is a sum of',
    [
      `- **noise** within the session: standard deviation ${METRICS.map((metric, index) => `${percent(noise[index] ?? 0)} for \`${metric}\``).join(', ')}. ${percent(autoregressive.share)} of the variance is AR(1) with correlation ${autoregressive.correlation} from one run to the next, whatever variant they are of; the rest is white. “Noise 3 %” is all metrics.`,
      `- **outliers** to the right, on top of the noise: ${percent(outliers.share)} of the runs are slower by ${percent(outliers.by)}, for each metric by itself.`,
      `- **a trend**: the level moves by ${percent(trend)} from the first run of the session to the last, up or down by lot for each metric.`,
      `- **the session’s own level**, the same on both sides: standard deviation ${percent(betweenSessions)} from session to session, half of the variance common to a metric, half the row’s own.`,
      '- **a quirk**, where a line names one: an offset between the sides that stays all session, drawn for each row with the standard deviation named.',
      '- **the change**, where there is one: in one row, wall time, CPU time and memory of the first variant in turn.',
    ].join('\n'),
    'Noise is drawn for each metric by itself: rows that do not depend on each other are the harder case for false alarms in any of them. Runs follow each other in the order that the shipped schedule gives: pairs back to back, variants of a block shuffled, either side first twice in every four blocks. A decided variant is measured no longer, so the runs after it would start earlier. The simulation keeps their times, which changes the trend slightly and nothing else.',
  ];
}
