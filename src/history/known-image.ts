import type { Session } from '../session/session.ts';

/** The digest under which a stored session's baseline image of a commit can be pulled. */
export function knownImage(
  sessions: readonly Session[],
  commit: string,
  variant: string,
): string | undefined {
  for (const { source, images } of [...sessions].reverse()) {
    if (source.baseline?.commit !== commit || source.baseline.dirty) continue;
    const image = images.find((found) => found.variant === variant && found.side === 'baseline');
    if (image?.digest !== undefined) return image.digest;
  }
  return undefined;
}
