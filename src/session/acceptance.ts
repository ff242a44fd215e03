import { z } from 'zod';

/** What the maintainers accept although it is worse, as the base's file says it and as a session keeps it. */

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

/** Whether an entry's last day is over. @param at an ISO time */
export const isExpired = ({ expires }: Pick<AcceptedEntry, 'expires'>, at: string): boolean =>
  at.slice(0, 10) > expires;
