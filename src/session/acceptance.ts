import { z } from 'zod';
import { matchesPattern } from './name-pattern.ts';

/** The regressions that maintainers accept: the entries of the base's file, in the form that a session keeps. */

export const acceptedEntrySchema = z.object({
  /** Name or pattern (`*`) of the variants. */
  variant: z.string(),
  /** Name or pattern of the metrics. */
  metric: z.string(),
  /** The largest change for the worse that it accepts: a fraction, 0.08 for 8 %. */
  upTo: z.number().positive(),
  reason: z.string(),
  author: z.string(),
  /** Its last day, in UTC. */
  expires: z.iso.date(),
});
export type AcceptedEntry = z.infer<typeof acceptedEntrySchema>;

export const acceptanceSchema = z.object({
  /** The base's file, by its path in the repository. */
  file: z.string(),
  entries: z.array(acceptedEntrySchema).max(1000),
  /** Who accepted this commit as it is, by the label on its pull request. */
  label: z.object({ author: z.string(), commit: z.string() }).optional(),
});
export type Acceptance = z.infer<typeof acceptanceSchema>;

/** Whether an entry has expired. @param at an ISO time */
export const isExpired = ({ expires }: Pick<AcceptedEntry, 'expires'>, at: string): boolean =>
  at.slice(0, 10) > expires;

/**
 * The nightly's warnings about the file: expired entries, and entries that match no judged row.
 * @param at an ISO time
 * @param judged the judged metrics of each variant
 */
export function staleEntries(
  { file, entries }: Acceptance,
  at: string,
  judged: readonly { readonly variant: string; readonly metric: string }[],
): readonly string[] {
  return entries.flatMap((entry) => {
    const { variant, metric, author, expires } = entry;
    const named = `${file}: what ${author} accepts of ${variant} ${metric}`;
    if (isExpired(entry, at))
      return [`${named} expired on ${expires}. Remove the entry, or give it a new day.`];
    return judged.some((row) => matchesPattern(variant, row.variant) && matchesPattern(metric, row.metric))
      ? []
      : [`${named} matches no variant and metric that is judged. Remove the entry, or correct its names.`];
  });
}
