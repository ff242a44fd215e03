import { concernName, type Concern } from '../history/concerns.ts';
import type { History } from '../session/history.ts';
import { code, sentence } from './escape.ts';
import { anchorSentences, shiftSentences } from './history.ts';
import { count, percent, share } from './verdict-wording.ts';

/** Renders the issue about a configuration's nights, and the badge. */

/** The title and text of the issue. A later night compares the concerns' names. */
export interface NightIssue {
  readonly title: string;
  readonly body: string;
  readonly concerns: readonly string[];
}

export interface NightIssueOptions {
  readonly configuration: string;
  readonly history: Pick<History, 'anchor'> | undefined;
  /** The night in UTC, and the address of its run. */
  readonly started: string;
  readonly runUrl: string;
}

/** @returns the issue's text; without concerns it reports the recovery */
export function nightIssue(
  concerns: readonly Concern[],
  { configuration, history, started, runUrl }: NightIssueOptions,
): NightIssue {
  const night = `[the night of ${started.slice(0, 10)}](${runUrl})`;
  return {
    title: `Pacegate: the nights of ${configuration} need attention`,
    concerns: concerns.map(concernName),
    body: [
      ...(concerns.length === 0
        ? [`The problems reported here are gone. Last checked: ${night}.`]
        : [
            `What ${night} found:`,
            concerns.map((concern) => `- ${concernSentence(concern, history)}`).join('\n'),
            ...(history === undefined
              ? ['The night ended before Pacegate read the earlier nights, so it did not check them.']
              : []),
            'Pacegate keeps this text up to date and closes the issue when no problem is left. To accept the problems listed here, close the issue. Pacegate opens it again only for a new problem.',
          ]),
    ].join('\n\n'),
  };
}

/** The text of a comment about new concerns. */
export const newConcernsComment = (
  concerns: readonly Concern[],
  options: Pick<NightIssueOptions, 'history'>,
): string =>
  ['New:', concerns.map((concern) => `- ${concernSentence(concern, options.history)}`).join('\n')].join(
    '\n\n',
  );

/** One or two sentences in Markdown: the concern, and what to do. */
function concernSentence(concern: Concern, history: Pick<History, 'anchor'> | undefined): string {
  switch (concern.kind) {
    case 'failed':
      return `**The night failed.** ${sentence(concern.reason)}`;
    case 'shift':
      return `${shiftSentences([concern.shift], code).join('')} Look at what was merged that day, and at whether the runner changed.`;
    case 'creep': {
      const anchor = history?.anchor;
      return anchor === null || anchor === undefined
        ? concernName(concern)
        : anchorSentences({ ...anchor, creeps: [concern.creep] }, code).join('');
    }
    case 'alarms':
      return `False alarms: ${concern.nights} of ${count(concern.of, 'night')} raised one, which is ${share(concern.nights / concern.of)} (${share(concern.low)} to ${share(concern.high)}); the rules promise ${share(concern.promised)}. The two sides of a night are equal, so something of the machine differs between them. Run \`pacegate doctor\` there.`;
  }
}

/** https://shields.io/badges/endpoint-badge */
export interface Badge {
  readonly schemaVersion: 1;
  readonly label: string;
  readonly message: string;
  readonly color: 'brightgreen' | 'orange' | 'lightgrey';
}

/** A badge for README with the state of the nights, the worst concern first. */
export function nightBadge(concerns: readonly Concern[], { alarms }: Pick<History, 'alarms'>): Badge {
  const badge = (message: string, color: Badge['color']): Badge => ({
    ...{ schemaVersion: 1, label: 'performance', message, color },
  });
  if (alarms.nights === 0) return badge('no nights yet', 'lightgrey');
  const creeps = concerns.flatMap((concern) => (concern.kind === 'creep' ? [concern.creep] : []));
  const shifts = concerns.flatMap((concern) => (concern.kind === 'shift' ? [concern.shift] : []));
  const largest = shifts.reduce(
    (most, { change }) => (Math.abs(Math.log1p(change)) > Math.abs(Math.log1p(most)) ? change : most),
    0,
  );
  if (shifts.length > 0)
    return badge(`${count(shifts.length, 'level shift')}, up to ${percent(largest)}`, 'orange');
  if (creeps.length > 0)
    return badge(`creep of ${share(Math.max(...creeps.map(({ now }) => now)))}`, 'orange');
  if (concerns.length > 0) return badge('false alarms', 'orange');
  return badge(`steady for ${count(alarms.nights, 'night')}`, 'brightgreen');
}
