import { z } from 'zod';
import { isMerged, MERGED_FORMAT, MERGED_VERSION, type SessionFile } from './merged.ts';
import { metricRuleSchema } from './metric.ts';
import { writtenPurpose } from './purpose.ts';
import type { Session, sessionSchema } from './session.ts';

/** How a session becomes text; read.ts is the way back. */

/**
 * A session in the form of `session.json`: its metrics' kinds are flags there, its purpose is one that earlier versions
 * know, and everything else is as it is held.
 */
export const writtenSession = (session: Session): z.input<typeof sessionSchema> => ({
  ...session,
  purpose: writtenPurpose(session.purpose),
  rules: {
    ...session.rules,
    metrics: session.rules.metrics.map((rule) => z.encode(metricRuleSchema, rule)),
  },
});

/** The session as JSON with a line for each run: small differences stay small to read. */
export function sessionText(session: Session): string {
  const { runs, warmup, ...rest } = writtenSession(session);
  const list = (items: readonly unknown[]) =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  const head = JSON.stringify(rest, null, 1);
  return `${head.slice(0, head.lastIndexOf('\n}'))},\n "warmup": ${list(warmup)},\n "runs": ${list(runs)}\n}\n`;
}

/** What `session.json` holds: one session, or the sessions that were judged together. */
export const sessionFileText = (file: SessionFile): string =>
  isMerged(file)
    ? `{\n "format": "${MERGED_FORMAT}",\n "version": ${MERGED_VERSION},\n "parts": [\n${file.parts.map(sessionText).join(',\n')}]\n}\n`
    : sessionText(file);
