import { z } from 'zod';
import { sessionSchema, type Session } from './session.ts';

export const MERGED_FORMAT = 'pacegate-merged';
export const MERGED_VERSION = 1;

/**
 * Sessions of several jobs that are judged together: the shards of a gate, and what confirms it. Each session is stored
 * whole, with its machine, seed, order and budget, so the file always gives the same verdict.
 */
export const mergedSchema = z.object({
  format: z.literal(MERGED_FORMAT),
  version: z.literal(MERGED_VERSION),
  parts: z.array(sessionSchema).min(1),
});
export type Merged = z.infer<typeof mergedSchema>;

/** What a `session.json` may hold. */
export type SessionFile = Session | Merged;

/** A session and its file, for messages. */
export interface NamedSession {
  readonly session: Session;
  readonly file: string;
}

export const isMerged = (file: SessionFile): file is Merged => file.format === MERGED_FORMAT;

/** The sessions of a file, at least one. */
export const partsOf = (file: SessionFile): readonly Session[] => (isMerged(file) ? file.parts : [file]);

export const merged = (parts: readonly Session[]): Merged => ({
  format: MERGED_FORMAT,
  version: MERGED_VERSION,
  parts: [...parts],
});
