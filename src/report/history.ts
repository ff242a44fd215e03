import type { Alarms, AnchorHistory, Creep, History, LevelShift } from '../session/history.ts';
import type { Session } from '../session/session.ts';
import type { Detail } from './details.ts';
import { code, oneLine, sentence, type Name } from './escape.ts';
import { count, metricWords, percent, share } from './verdict-wording.ts';

/** Summarises the stored sessions in sentences, for Markdown and the terminal. */

/** False alarms up to now: 0 of 23 nights, at most 14.8 %. */
export function alarmSentences({ nights, regressed, improved }: Alarms): string[] {
  if (nights === 0) return [];
  const rate = (of: Alarms['regressed']) =>
    of.nights === 0
      ? `0 of ${count(nights, 'night')}, at most ${share(of.high)}`
      : `${of.nights} of ${count(nights, 'night')}, which is ${share(of.nights / nights)} (${share(of.low)} to ${share(of.high)})`;
  return [
    `False alarms so far, with the baseline gated against itself: ${rate(regressed)}; false improvements: ${rate(improved)} (exact 95 % intervals).`,
  ];
}

/** A business metric's name comes from the workload, so it is escaped. */
const metricName = (metric: string, name: Name) =>
  name === code ? sentence(metricWords(metric)) : oneLine(metricWords(metric));

const day = (started: string) => started.slice(0, 10);
const at = ({ started, commit }: Creep['since'], name: Name) =>
  `${day(started)}${commit === '' ? '' : ` (commit ${name(commit.slice(0, 10))})`}`;

/** A sentence for each row that is worse than the anchor, or one sentence that there is none. */
export function anchorSentences(anchor: AnchorHistory, name: Name): string[] {
  const { commit, sessions, first, creeps } = anchor;
  const against = `the anchor ${name(commit.slice(0, 10))}`;
  if (creeps.length === 0)
    return [
      `No creep against ${against}: ${count(sessions, 'weekly comparison')} since ${day(first.started)}.`,
    ];
  return creeps.map(({ variant, metric, now, p, kind, size, since }) => {
    const row = `${name(variant)} ${metricName(metric, name)}`;
    const began =
      kind === 'step'
        ? `a step of ${share(size)} at ${at(since, name)}`
        : `${share(size)} a week since ${at(since, name)}`;
    return `Creep: ${row} is ${share(now)} worse than ${against} (p ${p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`}), ${began}. Creep does not fail the job.`;
  });
}

/** Level shift: official wall time +2.1 % at 2026-10-05 (commit abc), p < 0.001. */
export const shiftSentences = (shifts: readonly LevelShift[], name: Name): string[] =>
  shifts.map(
    ({ variant, metric, change, p, at: point }) =>
      `Level shift: ${name(variant)} ${metricName(metric, name)} ${percent(change)} at ${at(point, name)}, p ${p < 0.001 ? '<' : '≤'} ${Math.max(0.001, p).toFixed(3)}. Stored evidence leaves out older nights.`,
  );

/** All sentences of a history, the false alarms first. */
export const historySentences = (
  { alarms, anchor, shifts }: Pick<History, 'alarms' | 'anchor' | 'shifts'>,
  name: Name,
): string[] => [
  ...alarmSentences(alarms),
  ...(anchor === null ? [] : anchorSentences(anchor, name)),
  ...shiftSentences(shifts, name),
];

/** A folded part of a gate's report: its false alarms, and the creep that no single change shows. */
export function historyDetails({ history }: Session): Detail[] {
  const lines = history === undefined ? [] : historySentences(history, code);
  if (lines.length === 0) return [];
  return [{ title: 'What the nights show', body: lines.map((line) => `- ${line}`).join('\n') }];
}
