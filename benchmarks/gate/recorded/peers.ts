import { pairsOf } from '../../../src/evidence/pairs.ts';
import { RULES, programs } from '../peers/peers.ts';
import type { Peer, PeerSamples } from '../peers/peer.ts';
import { NIGHTS } from '../simulation/layouts.ts';
import { SLOWED, type RecordedSession, type Recording } from './recordings.ts';
import { METRICS } from '../simulation/machine.ts';
import type { Count } from '../simulation/tally.ts';

/** How often a peer flags recorded sessions. */
export interface RecordedPeer {
  readonly peer: Peer;
  /** Recording's name: A/A sessions with any metric flagged; of the others those whose wall time is. */
  readonly flagged: ReadonlyMap<string, Count>;
}

/**
 * The peers on the recordings: those that take interleaved pairs, and those that take nights, for which the baseline
 * sides of the 30 A/A sessions before stand in. Base-then-head was not recorded, so whoever takes that is left out.
 */
export function recordedPeers(recordings: readonly Recording[]): readonly RecordedPeer[] {
  const history = recordings.find(({ effect }) => effect === 0)?.sessions ?? [];
  return [...RULES, ...programs().installed]
    .filter(({ data }) => data !== 'sequential')
    .map((peer) => ({
      peer,
      flagged: new Map(
        recordings.map(({ name, effect, sessions }) => [
          name,
          flaggedSessions(peer, sessions, effect === 0 ? undefined : history.slice(-NIGHTS), effect),
        ]),
      ),
    }));
}

/** @param nights undefined where each session is judged by those before it in its own list */
function flaggedSessions(
  peer: Peer,
  sessions: readonly RecordedSession[],
  nights: readonly RecordedSession[] | undefined,
  effect: number,
): Count {
  const judged = sessions.flatMap((session, index) => {
    const own = nights ?? sessions.slice(Math.max(0, index - NIGHTS), index);
    return peer.data === 'nights' && own.length < NIGHTS ? [] : [samplesOf(session, own)];
  });
  // A program is started once for all sessions.
  const flags = peer.flags(judged.flat());
  const wall = METRICS.findIndex((metric) => SLOWED.includes(metric));
  const happened = judged.filter((_, index) => {
    const own = flags.slice(index * METRICS.length, (index + 1) * METRICS.length);
    return effect === 0 ? own.includes(true) : own[wall] === true;
  }).length;
  return { happened, tries: judged.length };
}

const NONE = new Float64Array();

/** One row for each metric. */
function samplesOf(session: RecordedSession, nights: readonly RecordedSession[]): PeerSamples[] {
  const pairs = METRICS.map((metric) => valuesOf(session, metric));
  return pairs.map(({ baseline, head }, metric) => ({
    baseline,
    head,
    sequential: { baseline: NONE, head: NONE },
    nights: nights.map((night) => valuesOf(night, METRICS[metric] ?? '').baseline),
  }));
}

function valuesOf({ runs }: RecordedSession, metric: string) {
  const pairs = pairsOf(runs, runs[0]?.variant ?? '', metric);
  return {
    baseline: Float64Array.from(pairs, ({ baseline }) => baseline),
    head: Float64Array.from(pairs, ({ head }) => head),
  };
}
