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

/** The request of a gate, made in one place for a change, a night, its anchor, the doctor and the demonstration. */

export interface GateRequest {
  readonly sessionId: string;
  /** `gate` where nothing is said. */
  readonly purpose?: Purpose | undefined;
  readonly shard?: Session['shard'] | undefined;
  readonly plan: Plan;
  readonly pair: SidePair;
  readonly source: Source;
  readonly seed: number;
  readonly toolVersion: string;
  /** Stored sessions of this configuration, oldest first. */
  readonly history: readonly Session[];
  /** What the stored sessions say together, for the report. */
  readonly record?: History | undefined;
  /** Finds the digest under which the history knows a variant's baseline image. */
  readonly knownImage: SideRequest['known'];
  readonly notes: readonly string[];
  /** What the change does to what measures it; absent where it leaves that alone. */
  readonly measuring?: MeasuringRequest | undefined;
  /** What the base's maintainers accept although it is worse. */
  readonly accepted?: Acceptance | undefined;
  /** Push the baseline's images and name them by their digest: a later gate then pulls instead of building. */
  readonly push?: boolean;
  /** Figures of the images to measure beside those that the metrics judge. */
  readonly figures?: Partial<BuildFigures> | undefined;
  /** `all` measures every block of the rules, decided or not; `decided`, the default, stops each variant at its look. */
  readonly until?: 'decided' | 'all';
  /** With `all`: how many blocks, where they are not those of the rules. */
  readonly blocks?: number;
}

export const purposeOf = ({ purpose = 'gate' }: Pick<GateRequest, 'purpose'>): Purpose => purpose;

/** Whether stored sessions alone judge, so that the baseline is not built. */
export const isStored = ({ plan }: Pick<GateRequest, 'plan'>): boolean => plan.rules.evidence === 'stored';

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
