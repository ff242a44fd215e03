/**
 * When a session is looked at, and how much of alpha each look may spend.
 *
 * A look with weight w tests at w times its share of alpha; the weights of a schedule sum to 1 at most, so the chance
 * that any look of a row raises a false alarm is at most that share (Bonferroni over looks, whatever their dependence).
 * A look of weight 0 can only find that nothing changed.
 */
export interface Look {
  /** Complete pairs of a variant at this look. */
  readonly blocks: number;
  /** Share of alpha, 0 to 1. */
  readonly weight: number;
}

/** Names for people who do not want to choose figures. */
export const PROFILES = ['balanced', 'strict', 'loose'] as const;
export type Profile = (typeof PROFILES)[number];

/** What a profile means where the configuration says nothing else. */
interface ProfileSettings {
  /** The smallest change that counts, a fraction. */
  readonly limit: number;
  /** The last one is the cap of blocks. */
  readonly looks: readonly Look[];
}

/**
 * `benchmarks/gate/REPORT.md` has what each of them finds, misses and costs.
 *
 * The weights do not use all of alpha. With weights that sum to 1 (0.15, 0.2, 0.2, 0.2, 0.25), 2.9 % of unchanged pull
 * requests raise an alarm where every metric has a noise of 5 %, more than the 2.5 % that the gate is held to; with
 * these 1.7 %, for half a point of power at +5 % and noise of 3 %. 0.105 is what 21 tests need to reach significance
 * in 12 pairs: 21 x 2^-12 / 0.105 < 0.05. The middle looks have little because a later one finds the same for less.
 */
export const PROFILE_SETTINGS: Readonly<Record<Profile, ProfileSettings>> = {
  balanced: {
    limit: 0.03,
    looks: [
      { blocks: 8, weight: 0 },
      { blocks: 12, weight: 0.105 },
      { blocks: 16, weight: 0.05 },
      { blocks: 20, weight: 0.05 },
      { blocks: 25, weight: 0.15 },
      { blocks: 30, weight: 0.25 },
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

export const capOf = (profile: Profile): number => PROFILE_SETTINGS[profile].looks.at(-1)?.blocks ?? 0;

const weightOf = (looks: readonly Look[]) => looks.reduce((sum, { weight }) => sum + weight, 0);

/** A look this near to the cap would spend alpha for nothing. */
const TOO_NEAR = 3;

/**
 * A profile's looks for a session of at most `cap` blocks. The last look is the cap, and takes the weight that the looks
 * before it leave; where it is the only one that spends, that is all of alpha.
 * @param cap whole number from 1
 */
export function looksFor(profile: Profile, cap: number): readonly Look[] {
  const { looks } = PROFILE_SETTINGS[profile];
  const before = looks.slice(0, -1).filter(({ blocks }) => blocks + TOO_NEAR <= cap);
  const spent = weightOf(before);
  return [...before, { blocks: cap, weight: spent === 0 ? 1 : weightOf(looks) - spent }];
}

/**
 * The fewest blocks at which an exact signed-rank test could pass Holm's first step: the smallest one-sided p of n
 * pairs is 2^-n, so a look reaches significance from n >= log2(m / (alpha w)) on.
 *
 * @param tests size m of the family, at least 1
 * @param alpha of the family, in (0, 1)
 * @returns undefined where no look of the schedule could ever do it
 */
export function firstReachable(looks: readonly Look[], tests: number, alpha: number): number | undefined {
  return looks.find(({ blocks, weight }) => blocks >= blocksNeeded(tests, alpha, weight))?.blocks;
}

/** The fewest blocks with which one look of this weight could pass. */
export function blocksNeeded(tests: number, alpha: number, weight = 1): number {
  // A hair below the logarithm, so that 32 tests at 1/32 do not need an extra block for a rounding error.
  return Math.max(1, Math.ceil(Math.log2(tests / (alpha * weight)) - 1e-9));
}
