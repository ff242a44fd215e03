import { RANKING_FORMAT, type Ranking, type RankingFile } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { newestNight, nightsLike, RECENT_NIGHTS } from '../evidence/nights.ts';
import { failureOf, imageSide } from './unjudged-rows.ts';
import { rankSessions, referenceOf } from './rank.ts';

/** A night's blocks hold all variants, so what it says of them comes for free. */

export interface RankedNights {
  readonly ranking: Ranking;
  readonly newest: Session;
}

/** As many blocks as a gate has at most. A night stops its variants early, for nothing changed: it may have eight. */
const BLOCKS_WANTED = 30;

/**
 * The variants of the newest night against its first one, from as many of the nights before it as it takes to have
 * blocks enough: of the same machine and measuring code, and of each variant those with the same interpreter.
 *
 * How many nights are taken depends on how many blocks they have and not on what they say, so they are one plan, looked
 * at once. That each night stopped by what its two sides said of each other is no look at the variants either: their
 * geometric mean does not depend on their ratio.
 *
 * @param sessions oldest first
 * @returns undefined where there is no night with two variants that were measured
 */
export function rankNights(sessions: readonly Session[]): RankedNights | undefined {
  const newest = newestNight(sessions);
  if (newest === undefined) return undefined;
  const measured = newest.variants.filter((variant) => failureOf(newest, variant) === undefined);
  if (measured.length < 2) return undefined;
  const reference = referenceOf(newest);
  const nights: [Session, ...Session[]] = [newest];
  let blocks = blocksOf(newest, reference);
  const like = nightsLike(newest, sessions).filter(
    ({ purpose, id }) => purpose === 'nightly' && id !== newest.id,
  );
  for (const night of like.reverse()) {
    if (blocks >= BLOCKS_WANTED || nights.length >= RECENT_NIGHTS) break;
    nights.unshift(night);
    blocks += blocksOf(night, reference);
  }
  const ranking = rankSessions(
    nights,
    reference,
    (earlier, variant) => definitionOf(earlier, variant) === definitionOf(newest, variant),
  );
  return { ranking, newest };
}

const blocksOf = ({ runs }: Session, reference: string): number =>
  new Set(runs.filter(({ variant }) => variant === reference).map(({ block }) => block)).size;

/** Equal where the interpreter is. */
const definitionOf = (session: Session, variant: string): string | undefined =>
  session.images.find((image) => image.variant === variant && image.side === imageSide(session))
    ?.definitionHash;

/** What the baseline branch keeps, and `rank --format json` prints. @param newest the youngest of its sessions */
export const rankingFile = (ranking: Ranking, newest: Session): RankingFile => ({
  format: RANKING_FORMAT,
  version: 1,
  configuration: newest.configuration,
  newest: {
    started: newest.started,
    commit: newest.source.head?.commit ?? newest.source.baseline?.commit ?? '',
    cpuModel: newest.machine.cpuModel,
    cores: newest.machine.cores,
  },
  ...ranking,
});
