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
  deepFreeze({ ...plan, evidence: 'paired', rules: { ...plan.rules, evidence: 'paired' } });

/**
 * A small file that the head of a night carries and its baseline does not: its application comes in a layer of its own,
 * as that of a pull request does, with the same code. A Dockerfile that leaves it out gives the same image twice.
 */
export const RELOAD_FILE = '.pacegate-night';

/** How long the newest comparison with the anchor may be ago, in days: weekly, though one night starts a little early. */
const ANCHOR_DAYS = 6.5;

/** Whether the anchor is to be compared with again. @param last when it was, if ever */
export const isAnchorDue = (last: string | undefined, now: Date): boolean =>
  last === undefined || now.getTime() - Date.parse(last) > ANCHOR_DAYS * 24 * 3600 * 1000;
