import { z } from 'zod';
import { isMerged, MERGED_FORMAT, MERGED_VERSION, type SessionFile } from './merged.ts';
import { metricRuleSchema } from './metric.ts';
import { writtenPurpose } from './purpose.ts';
import type { Session, sessionSchema } from './session.ts';

/** Writes a session as text; read.ts reads it. */

/**
 * A session in the form of `session.json`: the metrics' kinds are flags, the purpose is one that earlier versions read,
 * and all other fields are unchanged.
 */
export const writtenSession = (session: Session): z.input<typeof sessionSchema> => ({
  ...session,
  purpose: writtenPurpose(session.purpose),
  rules: {
    ...session.rules,
    metrics: session.rules.metrics.map((rule) => z.encode(metricRuleSchema, rule)),
  },
});

/** The session as JSON with one line for each run, so that a diff of two files stays readable. */
export function sessionText(session: Session): string {
  const { runs, warmup, ...rest } = writtenSession(session);
  const list = (items: readonly unknown[]) =>
    items.length === 0 ? '[]' : `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  const head = JSON.stringify(rest, null, 1);
  return `${head.slice(0, head.lastIndexOf('\n}'))},\n "warmup": ${list(warmup)},\n "runs": ${list(runs)}\n}\n`;
}

/** The text of `session.json`: one session, or the sessions that were judged together. */
export const sessionFileText = (file: SessionFile): string =>
  isMerged(file)
    ? `{\n "format": "${MERGED_FORMAT}",\n "version": ${MERGED_VERSION},\n "parts": [\n${file.parts.map(sessionText).join(',\n')}]\n}\n`
    : sessionText(file);
