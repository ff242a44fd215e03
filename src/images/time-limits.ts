import { isCompiled } from '../plan/interpreters.ts';
import type { ImageRequest } from './image-request.ts';

/** How long the steps towards an image may take, in seconds. */

/** Time for reading the sizes of an existing image, even if the budget is spent. */
export const SIZE_SECONDS_AT_LEAST = 60;

/** Time for the question to an interpreter. It takes a second; most of this is for a busy machine. */
export const ASKING_SECONDS = 120;

/**
 * Time for compiling an interpreter: half an hour or more, once for all later sessions, so the budget does not end it.
 */
const COMPILING_SECONDS = 3600;

/** The message if the budget leaves no time. */
export const NO_TIME = 'the budget was spent before its turn. Raise rules.budget, or build less.';

/** The limit for all steps of one request; undefined without a limit. */
export function secondsFor({ variant, secondsLeft }: ImageRequest): number | undefined {
  if (secondsLeft === undefined) return undefined;
  return variant.kind === 'interpreter' && isCompiled(variant.interpreter)
    ? Math.max(secondsLeft, COMPILING_SECONDS)
    : secondsLeft;
}
