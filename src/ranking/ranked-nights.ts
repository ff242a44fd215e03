import { RANKING_FORMAT, type Ranking, type RankingFile } from '../session/ranking.ts';
import type { Session } from '../session/session.ts';
import { newestNight, nightsLike, RECENT_NIGHTS } from '../evidence/nights.ts';
import { failureOf, imageSide } from './unjudged-rows.ts';
import { rankSessions, referenceOf } from './rank.ts';

/** A ranking from nights: their blocks contain all variants, so it needs no further runs. */

export interface RankedNights {
  readonly ranking: Ranking;
  readonly newest: Session;
}

/** The number of blocks to collect: a gate's maximum. One night may have only eight, because its variants stop early. */
const BLOCKS_WANTED = 30;

/**
 * The variants of the newest night against its first one, from as many of the nights before it as it takes to have
 * blocks enough: of the same machine and measuring code, and of each variant those with the same interpreter.
 *
 * The number of nights depends on their number of blocks and not on their values, so this counts as one look. Each
 * night stopped by the ratio of its two sides. This is no look at the variants either, because the sides' geometric
 * mean does not depend on their ratio.
 *
 * @param sessions oldest first
 * @returns undefined without a night that measured two variants
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

/** Equal for equal interpreters. */
const definitionOf = (session: Session, variant: string): string | undefined =>
  session.images.find((image) => image.variant === variant && image.side === imageSide(session))
    ?.definitionHash;

/**
 * The JSON that the baseline branch stores and `rank --format json` prints. @param newest the youngest of its sessions
 */
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
