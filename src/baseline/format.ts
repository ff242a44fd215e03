import { createHash } from 'node:crypto';
import { median } from 'simple-statistics';
import { z } from 'zod';
import { StoreError } from '../errors/errors.ts';
import { nightOutcomeSchema, type NightOutcome } from '../session/history.ts';
import { excessOf } from '../session/json-bounds.ts';
import type { Session } from '../session/session.ts';
import { parseJson } from '../session/json.ts';
import { valuesByMetric } from '../session/timings.ts';

/** The summary of an old session: enough for a trend, not for a verdict. */
export const summarySchema = z.object({
  id: z.string(),
  started: z.string(),
  commit: z.string(),
  cpuModel: z.string(),
  cores: z.int(),
  /** Variant -> metric -> median in the metric's unit and number of runs. */
  medians: z.record(z.string(), z.record(z.string(), z.object({ median: z.number(), n: z.int() }))),
  /** The findings of a night that compared the baseline with itself; absent for a session of one side. */
  outcome: nightOutcomeSchema.optional(),
});
export type Summary = z.infer<typeof summarySchema>;

export const summariesSchema = z.object({
  format: z.literal('pacegate-summaries'),
  version: z.literal(1),
  summaries: z.array(summarySchema),
});

/**
 * Reads `summaries.json`.
 * @returns the summaries, or a sentence that names the error
 */
export function parseSummaries(text: string): readonly Summary[] | string {
  const excess = excessOf(text);
  if (excess !== undefined) return excess;
  const json = parseJson(text);
  if (json === undefined) return 'it is not JSON';
  const parsed = summariesSchema.safeParse(json);
  if (parsed.success) return parsed.data.summaries;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`.slice(0, 300);
}

/** Whether a file of the branch was written by a later version of Pacegate. */
export function isNewer(text: string): boolean {
  const json = parseJson(text);
  return (
    typeof json === 'object' &&
    json !== null &&
    'version' in json &&
    typeof json.version === 'number' &&
    json.version > 1
  );
}

/** Number of sessions that each configuration keeps in full; older ones become summaries. */
export const RAW_SESSIONS = 90;

/**
 * Nights, and the weekly sessions of the anchor. The folders are separate, so that anchors do not count against the
 * ninety nights.
 */
export const SESSION_FOLDERS = ['sessions', 'anchors'] as const;
export type SessionFolder = (typeof SESSION_FOLDERS)[number];

/**
 * The path of a session on the branch. It begins with the time, for readers, and ends with a hash, so that two writers
 * do not collide.
 */
export function sessionPath(session: Session, text: string): string {
  const time = session.started.replace(/[^0-9TZ]/g, '').slice(0, 15);
  const kind: SessionFolder = session.purpose === 'anchor' ? 'anchors' : 'sessions';
  return `${folderOf(session.configuration)}/${kind}/${time}-${contentDigest(text)}.json`;
}

/** The part of a session's file name that depends on its content: 12 hexadecimal digits of SHA-256. */
export const contentDigest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);

export const summariesPath = (configuration: string): string => `${folderOf(configuration)}/summaries.json`;

export const noisePath = (configuration: string): string => `${folderOf(configuration)}/noise.json`;

export const rankingPath = (configuration: string): string => `${folderOf(configuration)}/ranking.json`;

export const badgePath = (configuration: string): string => `${folderOf(configuration)}/badge.json`;

/** @throws StoreError for a name that leads to another folder of the tree */
export function folderOf(configuration: string): string {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(configuration))
    throw new StoreError(
      `The configuration's name ${JSON.stringify(configuration)} cannot be a folder on the baseline branch; use small letters, digits, ., _ and -.`,
    );
  return configuration;
}

export function summarise(session: Session, outcome?: NightOutcome): Summary {
  const values = valuesByMetric(
    session.runs.filter(({ side, outcome: ended }) => side === 'baseline' && ended === 'ok'),
  );
  return {
    id: session.id,
    started: session.started,
    commit: session.source.baseline?.commit ?? '',
    cpuModel: session.machine.cpuModel,
    cores: session.machine.cores,
    medians: Object.fromEntries(
      [...values].map(([variant, byMetric]) => [
        variant,
        Object.fromEntries(
          [...byMetric].map(([metric, all]) => [metric, { median: median([...all]), n: all.length }]),
        ),
      ]),
    ),
    outcome,
  };
}

export const README = `# Pacegate's baselines

This branch is written by Pacegate, one commit a session: measurements of the main branch, night by night. It has
no history in common with the code and is never merged.

- \`<configuration>/sessions/<time>-<content>.json\`: a session with its images, machine and raw runs. The newest
  ${RAW_SESSIONS} of each configuration stay.
- \`<configuration>/anchors/<time>-<content>.json\`: the same for the weekly comparisons with the anchor.
- \`<configuration>/summaries.json\`: medians of older sessions, and what a night against itself raised.
- \`<configuration>/noise.json\`: what all of it says together: false alarms, each row's noise and what a gate can
  see, creep. It can be made again from the files.
- \`<configuration>/ranking.json\`: the variants against each other, by the newest nights.
- \`<configuration>/badge.json\`: a badge for https://shields.io/badges/endpoint-badge.
- \`index.json\`: what is here, for people and tools; it can be rebuilt from the files.

Deleting the branch deletes the history, and nothing else: the next scheduled run begins a new one.
`;
