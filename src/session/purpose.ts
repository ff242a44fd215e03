/** The purpose of a session, and what it implies. */

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
  /** Both sides are the same code, measured for its noise: every difference is chance. */
  readonly sameCode: boolean;
  /** A variant whose two images are identical is not measured. */
  readonly skipsIdentical: boolean;
  /** Metrics of images and builds are judged. */
  readonly judgesImages: boolean;
  /** Valgrind's counts are judged, so one that is missing is reported. */
  readonly counts: boolean;
  /** Regressed variants run once more under a profiler. */
  readonly explains: boolean;
  /** The session judges one change: its edits of the measuring code and its accepted regressions count. */
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
  // The first session has the explanation and the counts of what this one confirms.
  confirmation: OTHER_CODE,
  measurement: { ...OTHER_CODE, counts: true },
  ranking: OTHER_CODE,
  // Pacegate adds a file to the head so that the images differ; their sizes mean nothing.
  nightly: SAME_CODE,
  anchor: OTHER_CODE,
  // Like a night, of the files in the folder, but not stored on the branch.
  doctor: SAME_CODE,
};

/**
 * The purpose as `session.json` names it. Earlier versions do not know `doctor` and would refuse the file, so it is
 * written as `nightly`, which is measured in the same way.
 */
export const writtenPurpose = (purpose: Purpose): Purpose => (purpose === 'doctor' ? 'nightly' : purpose);
