import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { SESSION_FORMAT, SESSION_VERSION, sessionSchema, type Session } from './session.ts';

/** A larger file is not one of ours, and it would be held in memory whole. */
const MAX_BYTES = 128 * 1024 * 1024;
const MAX_PROBLEMS = 10;

const envelopeSchema = z.object({ format: z.literal(SESSION_FORMAT), version: z.int().positive() });

/**
 * Reads a `session.json`.
 * @param file its name, for messages
 * @throws ConfigurationError with the places that are wrong (the first ten), what was found and what is legal
 */
export function parseSession(text: string, file: string): Session {
  const refuse = (reason: string, cause?: unknown) =>
    new ConfigurationError(`${file} cannot be read as a session; nothing was compared.\n  ${reason}`, {
      cause,
    });
  if (text.length > MAX_BYTES) throw refuse(`found ${text.length} characters; legal: at most ${MAX_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(
      `found text that is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  const envelope = envelopeSchema.safeParse(value);
  if (!envelope.success)
    throw refuse(`found JSON of another kind; legal: "format": "${SESSION_FORMAT}" and a "version"`);
  if (envelope.data.version > SESSION_VERSION)
    throw refuse(
      `found version ${envelope.data.version}; this Pacegate reads up to ${SESSION_VERSION}: use the version that wrote it, or a newer one`,
    );
  const parsed = sessionSchema.safeParse(value);
  const problems = parsed.success
    ? impossible(parsed.data)
    : parsed.error.issues.map(
        ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
      );
  if (!parsed.success || problems.length > 0) {
    const more = problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more`] : [];
    throw refuse([...problems.slice(0, MAX_PROBLEMS), ...more].join('\n  '));
  }
  return parsed.data;
}

/** What no run can have been, though each field by itself is legal. */
function impossible({ variants, runs, warmup }: Session): string[] {
  const known = new Set(variants);
  const seen = new Set<string>();
  const problems = [...warmup, ...runs].flatMap(({ variant, metrics }, index) => [
    ...(known.has(variant)
      ? []
      : [`run ${index}: found the variant ${JSON.stringify(variant)}; legal: one of variants`]),
    ...Object.entries(metrics)
      .filter(([name, found]) => found < 0 && /_(s|bytes)$/.test(name))
      .map(
        ([name, found]) => `run ${index}: found ${found} for ${name}; legal: a value that is not negative`,
      ),
  ]);
  for (const [index, { side, variant, block, attempt }] of runs.entries()) {
    const key = JSON.stringify([side, variant, block, attempt]);
    if (seen.has(key))
      problems.push(
        `runs.${index}: found a second run of ${side} ${variant} block ${block} attempt ${attempt}; legal: one`,
      );
    seen.add(key);
  }
  return problems;
}
