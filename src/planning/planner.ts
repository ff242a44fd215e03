import type { Planner, SoFar } from '../session/planner.ts';
import type { Session } from '../session/session.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { firstReachable, looksFor, PROFILE_SETTINGS, steadyBlocks, type Look } from '../statistics/looks.ts';
import { blocksToDecide, chanceToSettle } from '../statistics/outlook.ts';
import { nearlyNormal, type NoiseModel } from '../statistics/power.ts';
import { uniformSource } from '../statistics/random.ts';
import { judge, type Judged } from '../verdict/compare.ts';
import { boundOf } from '../verdict/bound.ts';
import { isOutsideTests } from '../verdict/comparison.ts';
import type { UnjudgedRow } from '../verdict/unjudged-row.ts';
import { nightRatiosOf, residualsOf } from '../evidence/nights.ts';
import { observeSession, type Observations } from '../evidence/observations.ts';
import { betweenNights } from '../history/row-noise.ts';

export { steadyBlocks };

/** A planner for one side: a fixed number of blocks, or as many as the budget allows. */
export const fixedPlanner = (blocks: number): Planner => ({
  cap: (pairSeconds, secondsLeft) => {
    const block = [...pairSeconds.values()].reduce((sum, seconds) => sum + seconds, 0);
    return Math.max(0, Math.min(blocks, Math.floor(secondsLeft / Math.max(block, 1e-3))));
  },
  progress: () => ({ decided: new Set(), expected: () => blocks }),
});

/**
 * The assumed noise before any measurement and without nights: 2 % on each side, as on a quiet runner, as a nearly
 * normal sample.
 */
const SPREAD_UNKNOWN = 0.02 * Math.SQRT2;
const NOISE_UNKNOWN: NoiseModel = {
  sessions: [drawn(60, uniformSource(1)).map((value) => value * SPREAD_UNKNOWN)],
};
function drawn(n: number, random: () => number): number[] {
  return Array.from({ length: n }, () => nearlyNormal(random));
}

/** With fewer pairs the nights are the better estimate of the noise. */
const PAIRS_FOR_NOISE = 8;

/**
 * Judges the running session as its file will be judged, so that a variant stops exactly at the look of the file's
 * verdict.
 * @param sessionOf the session as it would be written now
 */
export function sequentialPlanner(sessionOf: (soFar: SoFar) => Session): Planner {
  const outlooks = new Map<string, number>();
  const chances = new Map<string, number>();
  return {
    progress: (soFar) => {
      const observations = observeSession(sessionOf(soFar));
      const judged = judge(observations);
      const decided = new Set(
        observations.variants.filter((variant) => isSettled(variant, judged, observations)),
      );
      return {
        decided,
        expected: (variant) => {
          const looks = looksFor(observations.profile, capOf(variant, observations), observations.method);
          // A row's outlook is computed again at each of its looks.
          const passed = looks.filter(({ blocks }) => blocks <= blocksOf(variant, observations)).length;
          const known = outlooks.get(`${passed} ${variant}`);
          if (known !== undefined) return known;
          const expected = expectedBlocks(variant, judged, observations, looks);
          outlooks.set(`${passed} ${variant}`, expected);
          return expected;
        },
        chance: (variant, blocks) => {
          const looks = looksFor(observations.profile, capOf(variant, observations), observations.method).map(
            (look) => look.blocks,
          );
          const had = blocksOf(variant, observations);
          // It changes where a look passes, or where one is no longer affordable.
          const key = `${looks.filter((at) => at <= had).length} ${looks.filter((at) => at <= blocks).length} ${variant}`;
          const chance = chances.get(key) ?? chanceWithin(variant, blocks, judged, observations);
          chances.set(key, chance);
          return chance;
        },
      };
    },
    cap: (pairSeconds, secondsLeft, warmedUp) =>
      capWithin(
        observeSession(sessionOf({ ...warmedUp, runs: [], blocksPlanned: undefined })),
        pairSeconds,
        secondsLeft,
      ),
  };
}

/** Variants that a change adds have their own maximum. */
const capOf = (variant: string, { added, addedCap, cap }: Observations): number =>
  (added.has(variant) ? addedCap : cap) ?? 0;

/** The rows of a variant that blocks can decide. Added benchmarks do not prolong a session that has other rows. */
function openRows(variant: string, { drafts }: Judged): readonly UnjudgedRow[] {
  const rows = drafts.filter(
    (draft) =>
      draft.variant === variant && draft.gated && !isOutsideTests(draft) && draft.evidence !== 'identical',
  );
  const ofBase = rows.filter(({ added }) => !added);
  return ofBase.length > 0 ? ofBase : rows;
}

/** The number of blocks of a variant so far. */
const blocksOf = (variant: string, { runs }: Observations): number =>
  new Set(runs.filter((run) => run.variant === variant).map(({ block }) => block)).size;

function isSettled(variant: string, judged: Judged, observations: Observations): boolean {
  const [first] = looksFor(observations.profile, capOf(variant, observations), observations.method);
  const blocks = blocksOf(variant, observations);
  // Before the first look a missing metric may still be reported.
  if (first === undefined || blocks < first.blocks) return false;
  return openRows(variant, judged).every((draft) => {
    if (draft.tested === undefined) return draft.decided !== undefined;
    // Stored evidence tests once, with the whole session, so it does not stop early.
    if (draft.tested.kind === 'stored') return false;
    return (
      (judged.outcomes.get(draft)?.decision ?? 'undecided') !== 'undecided' &&
      !isBoundOpen(draft, judged, observations)
    );
  });
}

/** Whether the runs so far do not show on which side of its bound a row is. */
const isBoundOpen = (draft: UnjudgedRow, judged: Judged, { alpha }: Observations): boolean =>
  boundOf(draft, alpha, judged.testsOf(draft))?.outcome === 'open';

function expectedBlocks(
  variant: string,
  judged: Judged,
  observations: Observations,
  looks: readonly Look[],
): number {
  // One side is judged once, with all its runs.
  if (!observations.twoSided.has(variant)) return capOf(variant, observations);
  const rows = openRows(variant, judged);
  const isDecided = (draft: UnjudgedRow) =>
    (judged.outcomes.get(draft)?.decision ?? 'undecided') !== 'undecided';
  const open = rows.filter((draft) => !isDecided(draft));
  const next = looks.find((look) => look.blocks > blocksOf(variant, observations))?.blocks;
  const blocks = [
    ...open.map((draft) => settledAfter(draft, observations, looks, judged.testsOf(draft))),
    // A bound may be decided at the next look.
    ...(rows.some((draft) => isDecided(draft) && isBoundOpen(draft, judged, observations)) ? [next] : []),
  ];
  const inSight = blocks.filter((found) => found !== undefined);
  // A row that is unlikely to be decided must not delay the others.
  return inSight.length === 0 ? Infinity : Math.max(...inSight);
}

/** The best chance of the variant's open rows. With few pairs nobody knows it. */
function chanceWithin(variant: string, blocks: number, judged: Judged, observations: Observations): number {
  const { alpha, method, seed } = observations;
  if (!observations.twoSided.has(variant)) return 1;
  const open = openRows(variant, judged).filter(
    (draft) =>
      draft.decided === undefined && (judged.outcomes.get(draft)?.decision ?? 'undecided') === 'undecided',
  );
  return Math.max(
    0,
    ...open.map((draft) => {
      const { tested, limit } = draft;
      if (tested?.kind !== 'paired' || tested.ratios.length < PAIRS_FOR_NOISE) return 1;
      const { worse, levels } = tested.series;
      const row = { limit, alpha, looks: tested.looks, method, tests: Math.max(1, judged.testsOf(draft)) };
      return chanceToSettle({ worse: Float64Array.from(worse), levels }, row, blocks, uniformSource(seed));
    }),
  );
}

/**
 * With enough pairs it uses the row's own noise and effect. Otherwise it uses the noise of recent nights, and how far
 * their sessions were off, around no change.
 */
function settledAfter(
  { tested, variant, metric, limit, warn }: UnjudgedRow,
  { nights, alpha, seed, method }: Observations,
  looks: readonly Look[],
  tests: number,
): number | undefined {
  const row = { limit, warn, alpha, looks, method, tests: Math.max(1, tests) };
  if (tested?.kind === 'paired' && tested.ratios.length >= PAIRS_FOR_NOISE) {
    const { worse, levels } = tested.series;
    const centre = centreOf(worse);
    const own = {
      sessions: [Array.from(worse, (d) => d - centre)],
      levels: levels === undefined ? undefined : [Array.from(levels)],
    };
    return blocksToDecide(own, centre, row, uniformSource(seed));
  }
  const sessions = residualsOf(nights, variant, metric);
  const model =
    sessions.length > 0
      ? { sessions, quirk: betweenNights(nightRatiosOf(nights, variant, metric)) ?? 0 }
      : NOISE_UNKNOWN;
  return blocksToDecide(model, 0, row, uniformSource(seed));
}

/**
 * The maximum number of blocks with which most variants are likely to be decided in the available time. Fewer blocks
 * give the last look more of alpha, so in a short time a lower maximum decides more rows. It is set before the first
 * block, because a last look that depends on the data would spend alpha twice.
 */
function capWithin(
  observations: Observations,
  pairSeconds: ReadonlyMap<string, number>,
  secondsLeft: number,
): number {
  const { profile, alpha, method } = observations;
  const [some = ''] = pairSeconds.keys();
  // Called for one family at a time; additions of the change come after the others.
  const planned = capOf(some, observations);
  const judged = judge(observations);
  const tests = Math.max(
    1,
    ...[...pairSeconds.keys()].flatMap((variant) =>
      openRows(variant, judged).map((draft) => judged.testsOf(draft)),
    ),
  );
  const pairs = [...pairSeconds.values()];
  const affordable = [...pairs, pairs.reduce((sum, pair) => sum + pair, 0)].map((seconds) =>
    Math.floor(secondsLeft / Math.max(seconds, 1e-3)),
  );
  const caps = [...PROFILE_SETTINGS[profile].looks.map(({ blocks }) => blocks), ...affordable];
  let best = { cap: planned, decided: 0 };
  for (const cap of [planned, ...caps.sort((a, b) => b - a)]) {
    if (cap > planned || cap < 1) continue;
    const looks = looksFor(profile, cap, method);
    const reachable = firstReachable(looks, tests, alpha);
    if (reachable === undefined) continue;
    const seconds = [...pairSeconds]
      .map(
        ([variant, pair]) =>
          // The maximum must also allow `regressed`, not only `unchanged`.
          pair * Math.max(reachable, expectedBlocks(variant, judged, observations, looks)),
      )
      .sort((a, b) => a - b);
    let left = secondsLeft;
    const decided = seconds.filter((needed) => (left -= needed) >= 0).length;
    if (decided > best.decided) best = { cap, decided };
  }
  return best.decided > 0 ? best.cap : Math.max(0, Math.min(planned, ...affordable.filter((n) => n > 0)));
}
