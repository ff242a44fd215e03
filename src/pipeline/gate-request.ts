import { knownImage } from '../history/known-image.ts';
import { IMPLIED } from '../session/purpose.ts';
import type { Session } from '../session/session.ts';
import type { GateRequest } from './gate.ts';

/** The request of a gate, made in one place for a change, a night, its anchor, the doctor and the demonstration. */

/** What a session is known by, and what its order is drawn from. */
export interface RunIdentity {
  readonly sessionId: string;
  readonly toolVersion: string;
  /** Of the order of the runs, from 0 to 2^32 - 1, where the plan has none. */
  readonly seed: number;
}

type Derived = 'sessionId' | 'toolVersion' | 'seed' | 'source' | 'knownImage' | 'history' | 'notes';

/** What is to be gated, and what differs from the gate of a change. */
export interface GateAsked extends Omit<GateRequest, Derived> {
  /** `owner/name`, or the folder where there is no repository. */
  readonly repository: string;
  /** `pull_request`, `schedule`, … or `terminal`. */
  readonly event: string;
  /** Stored sessions of this configuration, oldest first; none where nothing is said. */
  readonly history?: readonly Session[];
  readonly notes?: readonly string[];
}

/**
 * The commits are those of the two trees. An image of the baseline that the history knows by its digest is pulled, but
 * not where both sides are one code: what was built weeks ago would be compared with today's interpreter, and that is no A/A.
 */
export function gateRequest(
  run: RunIdentity,
  { repository, event, history = [], notes = [], ...asked }: GateAsked,
): GateRequest {
  const { plan, pair } = asked;
  const head = pair.head.commit;
  const baseline = 'unavailable' in pair.baseline ? undefined : pair.baseline.commit;
  return {
    ...asked,
    sessionId: run.sessionId,
    toolVersion: run.toolVersion,
    seed: plan.seed ?? run.seed,
    source: {
      repository,
      event,
      ...(baseline === undefined ? {} : { baseline }),
      ...(head === undefined ? {} : { head }),
    },
    history,
    notes,
    knownImage: ({ name }) =>
      baseline === undefined || IMPLIED[asked.purpose ?? 'gate'].sameCode
        ? undefined
        : knownImage(history, baseline.commit, name),
  };
}
