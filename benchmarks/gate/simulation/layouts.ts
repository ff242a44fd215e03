import type { PeerSamples } from '../peers/peer.ts';
import { oneSide, sequentialSession, type Machine, type TwoSides } from './machine.ts';

/** Nights of the baseline that are stored, each with as many runs as the session has blocks. */
export const NIGHTS = 30;

/**
 * What each peer would have been given of a pull request: the interleaved pairs of its session; base, then head, in
 * another session of the same machine; and the nights before it.
 */
export function layouts(
  machine: Machine,
  effects: Float64Array,
  interleaved: TwoSides,
  random: () => number,
): readonly PeerSamples[] {
  const blocks = interleaved.head[0]?.length ?? 0;
  const sequential = sequentialSession(machine, effects, blocks, random);
  const nights = Array.from({ length: NIGHTS }, () => oneSide(machine, undefined, blocks, random));
  return interleaved.head.map((head, row) => ({
    baseline: values(interleaved.baseline[row]),
    head: values(head),
    sequential: { baseline: values(sequential.baseline[row]), head: values(sequential.head[row]) },
    nights: nights.map((night) => values(night[row])),
  }));
}

const values = (logarithms: Float64Array = new Float64Array()) => logarithms.map(Math.exp);
