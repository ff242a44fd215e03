import { posix } from 'node:path';
import { WEEKLY_BLOCKS } from '../history/anchor.ts';
import { deepFreeze, type Plan } from '../plan/plan.ts';

/**
 * The plan of a night: the baseline against itself.
 *
 * Both sides are run here whatever may judge a pull request, for a night is what stored evidence is made of; and an
 * image that the head is to be compared with is on both sides.
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

/** Both sides on this machine, whatever evidence the configuration asks for. */
export const pairedPlan = (plan: Plan): Plan =>
  deepFreeze({ ...plan, rules: { ...plan.rules, evidence: 'paired' } });

/** A week's comparison with the anchor has pairs enough for a loss that adds up slowly. */
export const anchorPlan = (plan: Plan): Plan => {
  const paired = pairedPlan(plan);
  return deepFreeze({
    ...paired,
    rules: { ...paired.rules, blocks: Math.max(WEEKLY_BLOCKS, paired.rules.blocks) },
  });
};

/**
 * A small file that the head of a night carries and its baseline does not: its application comes in a layer of its own,
 * as that of a pull request does, with the same code. A Dockerfile that leaves it out gives the same image twice.
 */
const RELOAD_FILE = { path: '.pacegate-night', text: 'The same code in a layer of its own.\n' };

/**
 * Where and what to write into a night's head, from its context; undefined where the measuring code is the whole
 * context, which then would not be the one of other sessions.
 */
export const reloadFile = ({ workload }: Plan): typeof RELOAD_FILE | undefined =>
  workload.files.some((path) => posix.normalize(`${path}/`) === './') ? undefined : RELOAD_FILE;

/** How long the newest comparison with the anchor may be ago, in days: weekly, though one night starts a little early. */
const ANCHOR_DAYS = 6.5;

/** Whether the anchor is to be compared with again. @param last when it was, if ever */
export const isAnchorDue = (last: string | undefined, now: Date): boolean =>
  last === undefined || now.getTime() - Date.parse(last) > ANCHOR_DAYS * 24 * 3600 * 1000;
