/** What a session was measured for, and what follows from that. */

export const PURPOSES = [
  'gate',
  'confirmation',
  'measurement',
  'ranking',
  'nightly',
  'anchor',
  'doctor',
] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface Implications {
  /** The two sides are one code, measured for its noise: a difference is chance. */
  readonly sameCode: boolean;
  /** Where both images of a variant are identical, it is not measured. */
  readonly skipsIdentical: boolean;
  /** What is measured of the images and their builds is judged. */
  readonly judgesImages: boolean;
  /** Valgrind's counts are judged, so one that is missing is reported. */
  readonly counts: boolean;
  /** What regressed is run once more under a profiler. */
  readonly explains: boolean;
  /** It answers for one change: what the change does to the measuring code, and what was accepted of it, count. */
  readonly answersForChange: boolean;
}

const SAME_CODE: Implications = {
  sameCode: true,
  skipsIdentical: false,
  judgesImages: false,
  counts: false,
  explains: false,
  answersForChange: false,
};
const OTHER_CODE: Implications = { ...SAME_CODE, sameCode: false, skipsIdentical: true, judgesImages: true };

/** The one table of what each purpose implies. */
export const IMPLIED: Readonly<Record<Purpose, Implications>> = {
  gate: { ...OTHER_CODE, counts: true, explains: true, answersForChange: true },
  // What a second session sees again was explained by the first, which has the counts too.
  confirmation: OTHER_CODE,
  measurement: { ...OTHER_CODE, counts: true },
  ranking: OTHER_CODE,
  // The head differs by a file of Pacegate's own, so that its images are two: their sizes are no news.
  nightly: SAME_CODE,
  anchor: OTHER_CODE,
  // As a night, of the files as they stand. It is no night of the branch.
  doctor: SAME_CODE,
};

/**
 * The purpose as `session.json` names it. Earlier versions know no `doctor` and would refuse the file; they read it as
 * the night that it is measured like.
 */
export const writtenPurpose = (purpose: Purpose): Purpose => (purpose === 'doctor' ? 'nightly' : purpose);
