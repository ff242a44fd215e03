import type { Evaluation } from '../baseline/branch.ts';
import { levelShifts } from '../evidence/level-shifts.ts';
import { newestNight } from '../evidence/nights.ts';
import { nightOutcome } from '../history/alarms.ts';
import { concernsOf } from '../history/concerns.ts';
import { gateHistory, noiseFile } from '../history/history.ts';
import { rankingFile, rankNights } from '../ranking/ranked-nights.ts';
import { jsonText } from '../report/json-text.ts';
import { nightBadge } from '../report/night-issue.ts';
import type { History } from '../session/history.ts';

/**
 * Computes the files that the branch stores.
 * @param seen receives each computed history, because computing one takes seconds
 */
export const evaluation = (seen: (history: History) => void): Evaluation => ({
  outcome: nightOutcome,
  noise: (stored, configuration) => {
    const file = noiseFile(stored, configuration);
    const { alarms, noise, shifts, anchor } = file;
    const ranked = rankNights(stored.sessions);
    seen({ alarms, noise, shifts, anchor, ranking: ranked?.ranking });
    return jsonText(file);
  },
  ranking: ({ sessions }) => {
    const ranked = rankNights(sessions);
    return ranked === undefined ? undefined : jsonText(rankingFile(ranked.ranking, ranked.newest));
  },
  badge: (stored) => {
    const newest = newestNight(stored.sessions);
    if (newest === undefined) return undefined;
    const history = { ...gateHistory(stored), shifts: levelShifts(newest, stored.sessions) };
    return jsonText(nightBadge(concernsOf(history, newest.rules), history));
  },
});
