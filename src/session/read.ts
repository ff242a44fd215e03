import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { MERGED_FORMAT, MERGED_VERSION, mergedSchema, type SessionFile } from './merged.ts';
import { SESSION_FORMAT, SESSION_VERSION, sessionSchema, type Session } from './session.ts';

/** A larger file is not one of ours, and it would be held in memory whole. */
const MAX_BYTES = 128 * 1024 * 1024;
const MAX_PROBLEMS = 10;

const envelopeOf = (formats: readonly string[]) =>
  z.object({ format: z.enum(formats), version: z.int().positive() });

/**
 * Reads a `session.json` of one session.
 * @param file its name, for messages
 * @throws ConfigurationError with the places that are wrong (the first ten), what was found and what is legal
 */
export function parseSession(text: string, file: string): Session {
  const { value } = open(text, file, [SESSION_FORMAT]);
  return checked(value, file, sessionSchema, impossible);
}

/**
 * Reads a `session.json` of one session, or of several that were merged.
 * @param file its name, for messages
 * @throws ConfigurationError with the places that are wrong (the first ten), what was found and what is legal
 */
export function parseSessionFile(text: string, file: string): SessionFile {
  const { format, value } = open(text, file, [SESSION_FORMAT, MERGED_FORMAT]);
  return format === SESSION_FORMAT
    ? checked(value, file, sessionSchema, impossible)
    : checked(value, file, mergedSchema, ({ parts }) =>
        parts.flatMap((part, index) => impossible(part).map((problem) => `parts.${index}: ${problem}`)),
      );
}

const VERSIONS: Readonly<Record<string, number>> = {
  [SESSION_FORMAT]: SESSION_VERSION,
  [MERGED_FORMAT]: MERGED_VERSION,
};

/** The JSON of a file that says of itself what it is. */
function open(
  text: string,
  file: string,
  formats: readonly string[],
): { readonly format: string; readonly value: unknown } {
  if (text.length > MAX_BYTES)
    throw refusal(file, `found ${text.length} characters; legal: at most ${MAX_BYTES}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal(
      file,
      `found text that is no JSON: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
  const envelope = envelopeOf(formats).safeParse(value);
  if (!envelope.success)
    throw refusal(
      file,
      `found JSON of another kind; legal: "format": ${formats.map((format) => `"${format}"`).join(' or ')} and a "version"`,
    );
  const { format, version } = envelope.data;
  const known = VERSIONS[format] ?? 0;
  if (version > known)
    throw refusal(
      file,
      `found version ${version}; this Pacegate reads up to ${known}: use the version that wrote it, or a newer one`,
    );
  return { format, value };
}

function checked<Value>(
  value: unknown,
  file: string,
  schema: z.ZodType<Value>,
  impossibleIn: (value: Value) => readonly string[],
): Value {
  const parsed = schema.safeParse(value);
  const problems = parsed.success
    ? impossibleIn(parsed.data)
    : parsed.error.issues.map(
        ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
      );
  if (parsed.success && problems.length === 0) return parsed.data;
  const more = problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more`] : [];
  throw refusal(file, [...problems.slice(0, MAX_PROBLEMS), ...more].join('\n  '));
}

const refusal = (file: string, reason: string, cause?: unknown) =>
  new ConfigurationError(`${file} cannot be read as a session; nothing was compared.\n  ${reason}`, {
    cause,
  });

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
