import { knownImage } from '../history/known-image.ts';
import type { Plan } from '../plan/plan.ts';
import type { Acceptance } from '../session/acceptance.ts';
import type { History } from '../session/history.ts';
import { IMPLIED, type Purpose } from '../session/purpose.ts';
import type { Session, Source } from '../session/session.ts';
import type { BuildFigures } from './build-figures.ts';
import type { MeasuringRequest } from './measuring-trials.ts';
import type { SidePair } from './ports.ts';
import type { SideRequest } from './sides.ts';

/** Makes the request of a gate: for a change, a night, its anchor, the doctor and the demonstration. */

export interface GateRequest {
  readonly sessionId: string;
  /** Defaults to `gate`. */
  readonly purpose?: Purpose | undefined;
  readonly shard?: Session['shard'] | undefined;
  readonly plan: Plan;
  readonly pair: SidePair;
  readonly source: Source;
  readonly seed: number;
  readonly toolVersion: string;
  /** Stored sessions of this configuration, oldest first. */
  readonly history: readonly Session[];
  /** The history computed from the stored sessions, for the report. */
  readonly record?: History | undefined;
  /** Finds the digest of a variant's baseline image in the history. */
  readonly knownImage: SideRequest['known'];
  readonly notes: readonly string[];
  /** The change's edits to the measuring code; absent if there are none. */
  readonly measuring?: MeasuringRequest | undefined;
  /** Losses that the base's maintainers accept. */
  readonly accepted?: Acceptance | undefined;
  /** Push the baseline's images and record their digests, so that a later gate pulls instead of building. */
  readonly push?: boolean;
  /** Figures of the images to measure in addition to those of the metrics. */
  readonly figures?: Partial<BuildFigures> | undefined;
  /**
   * `all` measures every block of the rules, decided or not; `decided`, the default, stops each variant at the look
   * that decides it.
   */
  readonly until?: 'decided' | 'all';
  /** With `all`: the number of blocks. Defaults to the rules. */
  readonly blocks?: number;
}

export const purposeOf = ({ purpose = 'gate' }: Pick<GateRequest, 'purpose'>): Purpose => purpose;

/** Whether only stored sessions judge, so that no baseline is built. */
export const isStored = ({ plan }: Pick<GateRequest, 'plan'>): boolean => plan.rules.evidence === 'stored';

/** A session's id and the seed of its order. */
export interface RunIdentity {
  readonly sessionId: string;
  readonly toolVersion: string;
  /** The seed of the runs' order, from 0 to 2^32 - 1, if the plan has none. */
  readonly seed: number;
}

type Derived = 'sessionId' | 'toolVersion' | 'seed' | 'source' | 'knownImage' | 'history' | 'notes';

/** The subject of the gate, and all that differs from the gate of a change. */
export interface GateAsked extends Omit<GateRequest, Derived> {
  /** `owner/name`, or the folder if there is no repository. */
  readonly repository: string;
  /** `pull_request`, `schedule`, … or `terminal`. */
  readonly event: string;
  /** Stored sessions of this configuration, oldest first. Defaults to none. */
  readonly history?: readonly Session[];
  readonly notes?: readonly string[];
}

/**
 * The commits are those of the two trees. A baseline image with a digest in the history is pulled. This does not apply
 * if both sides are the same code, because an A/A comparison needs two images with today's interpreter.
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
      baseline,
      head,
    },
    history,
    notes,
    knownImage: ({ name }) =>
      baseline === undefined || IMPLIED[asked.purpose ?? 'gate'].sameCode
        ? undefined
        : knownImage(history, baseline.commit, name),
  };
}
