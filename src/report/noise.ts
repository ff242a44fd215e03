import { disturbances, type Disturbance, type DisturbanceKind } from '../diagnosis/disturbances.ts';
import type { Session } from '../session/session.ts';
import { share } from './verdict-wording.ts';

const WORDS: Readonly<Record<DisturbanceKind, (size: number) => string>> = {
  steal: (size) => `${about(size)} steal`,
  throttling: (size) => `throttled ${about(size)} of the time`,
  others: (size) => `other processes on ${processors(size)}`,
  waiting: (size) => `tasks waiting for a processor ${about(size)} of the time`,
  frequency: (size) => `frequency ${about(size)} down`,
};

/** 2.4 %, 14 %. */
const about = (size: number) => share(size < 0.1 ? size : Math.round(size * 100) / 100);

/** 0.8 processors, 12 processors. */
const processors = (n: number) => `${n < 10 ? n.toFixed(1) : Math.round(n)} processors`;

export const disturbanceWords = ({ kind, size, runs, of }: Disturbance): string =>
  `${WORDS[kind](size)} in ${runs} of ${of} runs`;

/**
 * A line about other activity on the machine: `quiet`; or `busy: ` with the activity and the number of runs; or `not
 * watched` if the machine provides no data.
 */
export function noise(session: Session): string {
  if (session.runs.length === 0) return 'nothing was run';
  const met = disturbances(session);
  if (met === undefined) return 'not watched';
  return met.length === 0 ? 'quiet' : `busy: ${met.map(disturbanceWords).join(', ')}`;
}
