import { NOISE_FORMAT, type History, type NoiseFile } from '../session/history.ts';
import { alarmsOf, type Stored } from './alarms.ts';
import { anchorHistory } from './anchor.ts';
import { levelShifts, pointOf } from '../evidence/level-shifts.ts';
import { newestNight } from '../evidence/nights.ts';
import { rankNights } from '../ranking/ranked-nights.ts';
import { noiseOf } from './row-noise.ts';

/** The results of all stored sessions, including this night's, for the report of a night. */
export function nightlyHistory(stored: Stored): History {
  const ranked = rankNights(stored.sessions);
  return { ...nightsTogether(stored), ranking: ranked?.ranking };
}

function nightsTogether(stored: Stored): Omit<History, 'ranking'> {
  const newest = newestNight(stored.sessions);
  return {
    ...gateHistory(stored),
    noise: newest === undefined ? [] : noiseOf(newest, stored.sessions),
    shifts: newest === undefined ? [] : levelShifts(newest, stored.sessions),
  };
}

/** The part for a gate's report, without the noise of rows, which a gate's rows contain. */
export const gateHistory = (stored: Stored): Omit<History, 'ranking'> => ({
  alarms: alarmsOf(stored),
  noise: [],
  shifts: [],
  anchor: anchorHistory(stored.sessions),
});

/** The file `noise.json` of the baseline branch. */
export function noiseFile(stored: Stored, configuration: string): NoiseFile {
  const newest = newestNight(stored.sessions);
  return {
    format: NOISE_FORMAT,
    version: 1,
    configuration,
    newest:
      newest === undefined
        ? null
        : {
            ...pointOf(newest),
            session: newest.id,
            cpuModel: newest.machine.cpuModel,
            cores: newest.machine.cores,
          },
    ...nightsTogether(stored),
  };
}
