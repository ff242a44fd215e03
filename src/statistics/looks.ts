/**
 * When the rows of a session are tested, and how much of alpha each look may spend.
 *
 * A look with weight w tests at w times its share of alpha; the weights of a schedule sum to 1 at most, so the
 * probability that any look of a row raises a false alarm is at most that share (Bonferroni over the looks). A look of
 * weight 0 can only find a row unchanged.
 */
export interface Look {
  /** Complete pairs of a variant at this look. */
  readonly blocks: number;
  /** Share of alpha, 0 to 1. */
  readonly weight: number;
  /**
   * Share of alpha at which the look may find a row unchanged, 0 to 1; those of a schedule sum to 1 at most. If absent,
   * all looks have equal shares.
   */
  readonly unchanged?: number;
}

/**
 * Versions of the rule that decides. A session stores its own, so that its file keeps its verdict. 1: signed ranks. 2:
 * weighted signs, and the interval of a regression excludes zero. 3: more looks of `balanced`, up to 60 pairs.
 */
export const METHODS = [1, 2, 3] as const;
export type Method = (typeof METHODS)[number];
export const NEWEST_METHOD: Method = 3;

/** The profiles of the configuration (`rules.profile`). */
export const PROFILES = ['balanced', 'strict', 'loose'] as const;
export type Profile = (typeof PROFILES)[number];

/** The values of a profile; keys of the configuration override them. */
interface ProfileSettings {
  /** The smallest change that counts, a fraction. */
  readonly limit: number;
  /** The last look is at the largest number of blocks. */
  readonly looks: readonly Look[];
}

/**
 * `benchmarks/gate/REPORT.md` shows what each profile finds, misses and costs.
 *
 * The weights do not use all of alpha. With weights that sum to 1, 2.9 % of unchanged pull requests raised an alarm
 * where every metric has a noise of 5 %, more than the 2.5 % that the gate is held to. 0.105 is what 21 tests need to
 * reach significance in 12 pairs: 21 x 2^-12 / 0.105 < 0.05.
 *
 * `balanced` was chosen among simulated schedules. Its weights after 12 pairs matter little for what is found (94 to 95 %
 * of +5 % at a noise of 5 %, 98.4 % at 3 %) and more for the pairs that it takes: 18.9 at a noise of 3 % with 0.1 at 16
 * and at 20 pairs, 20.5 with 0.03. Looks for unchanged rows every two pairs, with most of their share before the 17th,
 * take 12.7 pairs for unchanged code; with equal shares 14.4.
 */
export const PROFILE_SETTINGS: Readonly<Record<Profile, ProfileSettings>> = {
  balanced: {
    limit: 0.03,
    looks: [
      { blocks: 8, weight: 0, unchanged: 0.16 },
      { blocks: 10, weight: 0, unchanged: 0.16 },
      { blocks: 12, weight: 0.105, unchanged: 0.16 },
      { blocks: 14, weight: 0, unchanged: 0.14 },
      { blocks: 16, weight: 0.1, unchanged: 0.11 },
      { blocks: 20, weight: 0.1, unchanged: 0.05 },
      { blocks: 22, weight: 0, unchanged: 0.05 },
      { blocks: 26, weight: 0.05, unchanged: 0.03 },
      { blocks: 28, weight: 0, unchanged: 0.03 },
      { blocks: 30, weight: 0.05, unchanged: 0.03 },
      { blocks: 45, weight: 0.1, unchanged: 0.04 },
      { blocks: 60, weight: 0.1, unchanged: 0.04 },
    ],
  },
  // Smaller losses, for up to twice the minutes.
  strict: {
    limit: 0.02,
    looks: [
      { blocks: 10, weight: 0 },
      { blocks: 16, weight: 0.105 },
      { blocks: 24, weight: 0.05 },
      { blocks: 32, weight: 0.05 },
      { blocks: 45, weight: 0.15 },
      { blocks: 60, weight: 0.25 },
    ],
  },
  // Large losses only, in few minutes.
  loose: {
    limit: 0.05,
    looks: [
      { blocks: 8, weight: 0 },
      { blocks: 12, weight: 0.105 },
      { blocks: 16, weight: 0.15 },
      { blocks: 20, weight: 0.35 },
    ],
  },
};

/** The looks of `balanced` in the versions 1 and 2. */
const BALANCED_BEFORE: readonly Look[] = [
  { blocks: 8, weight: 0 },
  { blocks: 12, weight: 0.105 },
  { blocks: 16, weight: 0.05 },
  { blocks: 20, weight: 0.05 },
  { blocks: 25, weight: 0.15 },
  { blocks: 30, weight: 0.25 },
];

const settingsLooks = (profile: Profile, method: Method): readonly Look[] =>
  profile === 'balanced' && method < 3 ? BALANCED_BEFORE : PROFILE_SETTINGS[profile].looks;

/** The most pairs of a profile where `rules.blocks` is not set. */
export const capOf = (profile: Profile): number => PROFILE_SETTINGS[profile].looks.at(-1)?.blocks ?? 0;

/**
 * Pairs of a measurement that no look ends early, such as a night or one side alone: more of them are not worth their
 * minutes where all of them are always taken.
 */
const STEADY: Readonly<Record<Profile, number>> = { balanced: 30, strict: 60, loose: 20 };

/** @param blocks those of the rules: other ones than the profile's were asked for */
export const steadyBlocks = (profile: Profile, blocks: number): number =>
  blocks === capOf(profile) ? STEADY[profile] : blocks;

const weightOf = (looks: readonly Look[]) => looks.reduce((sum, { weight }) => sum + weight, 0);

/** A look this close to the last one would spend alpha and find hardly more. */
const TOO_NEAR = 3;

/**
 * A profile's looks for a session of at most `cap` blocks. The last look is at `cap` and takes the shares that the
 * looks before it leave. If no other look spends alpha, it takes all of it.
 * @param cap whole number from 1
 * @param method the session's version of the rule
 */
export function looksFor(profile: Profile, cap: number, method: Method): readonly Look[] {
  const looks = settingsLooks(profile, method);
  const before = looks.slice(0, -1).filter(({ blocks }) => blocks + TOO_NEAR <= cap);
  const spent = weightOf(before);
  const shares = looks.some(({ unchanged }) => unchanged !== undefined);
  return [
    ...before,
    {
      blocks: cap,
      weight: spent === 0 ? 1 : weightOf(looks) - spent,
      ...(shares ? { unchanged: 1 - before.reduce((sum, { unchanged = 0 }) => sum + unchanged, 0) } : {}),
    },
  ];
}

/**
 * The fewest blocks at which an exact signed-rank test could pass Holm's first step: the smallest one-sided p of n
 * pairs is 2^-n, so a look reaches significance from n >= log2(m / (alpha w)) on.
 *
 * @param tests size m of the family, at least 1
 * @param alpha of the family, in (0, 1)
 * @returns undefined if no look of the schedule can reach significance
 */
export function firstReachable(looks: readonly Look[], tests: number, alpha: number): number | undefined {
  return looks.find(({ blocks, weight }) => blocks >= blocksNeeded(tests, alpha, weight))?.blocks;
}

/** The fewest blocks with which a look of this weight can pass. */
export function blocksNeeded(tests: number, alpha: number, weight = 1): number {
  // Slightly below the logarithm, so that a rounding error does not add a block, as with 32 tests at 1/32.
  return Math.max(1, Math.ceil(Math.log2(tests / (alpha * weight)) - 1e-9));
}
