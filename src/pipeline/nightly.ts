import { posix } from 'node:path';
import { WEEKLY_BLOCKS } from '../history/anchor.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';
import { steadyBlocks } from '../planning/planner.ts';

/**
 * The plan of a night: the baseline against itself.
 *
 * Both sides run here for any kind of evidence, because nights are the stored evidence. If the head is compared with a
 * named image, both sides use that image.
 */
export function nightlyPlan(plan: Plan): Plan {
  return deepFreeze({
    ...pairedPlan(plan),
    variants: plan.variants.map((variant) =>
      variant.kind === 'image'
        ? { ...variant, image: variant.baselineImage ?? variant.image, baselineImage: undefined }
        : variant,
    ),
  });
}

/** The plan with both sides measured on this machine, for any configured evidence. */
export const pairedPlan = (plan: Plan): Plan =>
  deepFreeze({ ...plan, rules: { ...plan.rules, evidence: 'paired' } });

/** The weekly comparison with the anchor has enough pairs to detect creep. */
export const anchorPlan = (plan: Plan): Plan => {
  const paired = pairedPlan(plan);
  return deepFreeze({
    ...paired,
    rules: {
      ...paired.rules,
      blocks: Math.max(WEEKLY_BLOCKS, steadyBlocks(paired.rules.profile, paired.rules.blocks)),
    },
  });
};

/**
 * A small file that only the head of a night has. It puts the application into another layer with the same code, as a
 * pull request does. If a Dockerfile leaves the file out, both sides are the same image.
 */
const RELOAD_FILE = { path: '.pacegate-night', text: 'The same code in a layer of its own.\n' };

/**
 * The path and text of the file to add to a night's head, from its context. Undefined if the whole context is measuring
 * code, because the file would change the hash of the measuring code.
 */
export const reloadFile = ({ workload }: Plan): typeof RELOAD_FILE | undefined =>
  workload.files.some((path) => posix.normalize(`${path}/`) === './') ? undefined : RELOAD_FILE;

/**
 * The minimum age in days of the last comparison with the anchor. It is less than a week, because a night may start a
 * little early.
 */
const ANCHOR_DAYS = 6.5;

/**
 * Whether a comparison with the anchor is due.
 * @param last the time of the last comparison, if there was one
 */
export const isAnchorDue = (last: string | undefined, now: Date): boolean =>
  last === undefined || now.getTime() - Date.parse(last) > ANCHOR_DAYS * 24 * 3600 * 1000;
