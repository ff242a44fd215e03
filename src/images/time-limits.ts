import { isCompiled } from '../plan/interpreters.ts';
import type { ImageRequest } from './image-request.ts';

/** How long the steps towards an image may take, in seconds. */

/** Reading the sizes of an image that is there already gets this much, even when the budget is spent. */
export const SIZE_SECONDS_AT_LEAST = 60;

/** The question takes a second; most of this is for a busy machine. */
export const ASKING_SECONDS = 120;

/** A compiler takes up to half an hour and more, once for all later sessions: it does not start again with each budget. */
const COMPILING_SECONDS = 3600;

/** What to report when the budget leaves no time at all. */
export const NO_TIME = 'the budget was spent before its turn. Raise rules.budget, or build less.';

/** The limit for all steps of one request; undefined where nothing limits them. */
export function secondsFor({ variant, secondsLeft }: ImageRequest): number | undefined {
  if (secondsLeft === undefined) return undefined;
  return variant.kind === 'interpreter' && isCompiled(variant.interpreter)
    ? Math.max(secondsLeft, COMPILING_SECONDS)
    : secondsLeft;
}
