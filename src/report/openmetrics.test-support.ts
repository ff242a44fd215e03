import type { Session } from '../session/session.ts';
import type { Timeline } from '../session/timeline.ts';

/** A timeline for each run of a session, as sampling records it: constant CPU use, and growing memory. */
export const withTimelines = ({ id, runs }: Session): readonly Timeline[] =>
  runs.map(({ variant, side, block, position, attempt, started }, index) => ({
    ...{ session: id, variant, side, block, position, attempt, started },
    interval_s: 0.25,
    source: 'cgroup',
    samples: [0.153, 0.404, 0.655].map((t, turn) => [
      t,
      (index + 1) / 100 + turn * 0.25,
      8_000_000 + turn * 4_096_000,
      // Some machines do not provide this value in every sample.
      turn === 1 ? null : 6_000_000,
    ]),
  }));
