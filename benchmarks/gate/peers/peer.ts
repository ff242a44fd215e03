/** One variant's metric in one pull request, as raw samples, lower is better. */
export interface PeerSamples {
  /** This pull request's own session: interleaved pairs, index = block. */
  readonly baseline: Float64Array;
  readonly head: Float64Array;
  /** The same machine, all baseline runs first and then all head runs: what `run base; run head` gives. */
  readonly sequential: { readonly baseline: Float64Array; readonly head: Float64Array };
  /** Raw samples of stored nights of the baseline, oldest first, each its own session (other day, other machine state). */
  readonly nights: readonly Float64Array[];
}

/** Which samples a peer is given: `nights` are compared with the head of the pull request's own session. */
export type PeerData = 'interleaved' | 'sequential' | 'nights';

/** Another tool's way to decide that a metric got worse. */
export interface Peer {
  readonly name: string;
  /** One line: what it decides by. */
  readonly rule: string;
  /** Where that is stated (repository path or documentation page), or the program and its version. */
  readonly source: string;
  /** Which samples it is given, as its users would give them. */
  readonly data: PeerData;
  /** Decided by the peer's own program or library, or by its rule as stated. */
  readonly runs: 'program' | 'rule';
  /** For each row whether it would be flagged as a regression. */
  readonly flags: (rows: readonly PeerSamples[]) => boolean[];
}

/** Whether the head is worse than the baseline. */
export type TwoSampleRule = (baseline: Float64Array, head: Float64Array) => boolean;

/** The two samples that a peer compares. @returns undefined where no night is stored: there is nothing to compare with */
export function comparedSamples(
  row: PeerSamples,
  data: PeerData,
): { readonly baseline: Float64Array; readonly head: Float64Array } | undefined {
  switch (data) {
    case 'interleaved':
      return row;
    case 'sequential':
      return row.sequential;
    case 'nights': {
      const baseline = row.nights.at(-1);
      return baseline === undefined ? undefined : { baseline, head: row.head };
    }
  }
}

/** Judges each row by itself, as all of these tools do: none of them knows of the other rows. */
export const rowByRow =
  (data: PeerData, rule: TwoSampleRule): Peer['flags'] =>
  (rows) =>
    rows.map((row) => {
      const compared = comparedSamples(row, data);
      return compared !== undefined && rule(compared.baseline, compared.head);
    });
