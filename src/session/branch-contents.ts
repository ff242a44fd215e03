import type { Session } from './session.ts';

/** Every file of the baseline branch at one commit. */
export interface BranchContents {
  readonly branch: string;
  readonly commit: string;
  /** By path. */
  readonly files: readonly BranchFile[];
}

export type BranchFile = {
  /** From the top of the branch. */
  readonly path: string;
  readonly bytes: number;
} & (
  | {
      readonly kind: 'session';
      readonly configuration: string;
      readonly folder: 'sessions' | 'anchors';
      readonly session: Session;
    }
  /** The summaries of older nights. */
  | { readonly kind: 'summaries'; readonly configuration: string; readonly nights: number }
  /** Pacegate computes it again from the sessions. */
  | { readonly kind: 'computed' }
  /** The reason is a sentence without its subject, such as `is not JSON`. */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** Not written by Pacegate. It is left alone. */
  | { readonly kind: 'foreign' }
);

/** A session on the branch. */
export type StoredSession = Extract<BranchFile, { kind: 'session' }>;

/** What a prune of the branch changes. */
export interface Pruned {
  readonly branch: string;
  readonly commit: string;
  /** False: the commit was made here and not pushed. */
  readonly pushed: boolean;
  readonly configurations: readonly {
    readonly configuration: string;
    /** Sessions that stay in full. */
    readonly kept: number;
    /** Nights that become summaries. */
    readonly summarised: number;
    /** Sessions of the anchor that are dropped. */
    readonly dropped: number;
  }[];
}
