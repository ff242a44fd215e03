import { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { clipped, firstProblems } from '../errors/problem-list.ts';
import { excessOf } from './json-bounds.ts';
import { MERGED_FORMAT, MERGED_VERSION, mergedSchema, type SessionFile } from './merged.ts';
import { SESSION_FORMAT, SESSION_VERSION, sessionSchema, type Session } from './session.ts';
import { own } from './record.ts';

/** Pacegate writes no larger files, and the whole file is held in memory. */
export const MAX_SESSION_BYTES = 64 * 1024 * 1024;

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

/** The JSON of a file that names its format and version. */
function open(
  text: string,
  file: string,
  formats: readonly string[],
): { readonly format: string; readonly value: unknown } {
  if (text.length > MAX_SESSION_BYTES)
    throw refusal(file, `found ${text.length} characters; must be at most ${MAX_SESSION_BYTES}`);
  const excess = excessOf(text);
  if (excess !== undefined) throw refusal(file, excess);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refusal(
      file,
      `found text that is not JSON: ${clipped(error instanceof Error ? error.message : String(error))}`,
      error,
    );
  }
  const envelope = envelopeOf(formats).safeParse(value);
  if (!envelope.success)
    throw refusal(
      file,
      `found JSON of another kind; expected: "format": ${formats.map((format) => `"${format}"`).join(' or ')} and a "version"`,
    );
  const { format, version } = envelope.data;
  const known = own(VERSIONS, format) ?? 0;
  if (version > known)
    throw refusal(
      file,
      `found version ${version}; this Pacegate reads up to ${known}: use the version that wrote it, or a newer one`,
    );
  return { format, value };
}

/** The largest length of each list in a session: no measurement is longer, and judging it would take minutes. */
export const MOST = {
  parts: 500,
  variants: 2000,
  images: 4000,
  runs: 20_000,
  warmup: 12_000,
  nights: 2000,
  failures: 10_000,
  notes: 1000,
  explanations: 1000,
} as const;
const MOST_RULES = 6000;
/** Rows of a report, and the looks of rows at runs. */
const MOST_ROWS = 100_000;
const MOST_LOOKS = 20_000_000;

/** Checks the size of all parts of a file together, before each value is checked. */
function tooLarge(value: unknown): readonly string[] {
  const listOf = (of: unknown, name: string): readonly unknown[] => {
    const found =
      typeof of === 'object' && of !== null ? own(of as Record<string, unknown>, name) : undefined;
    return Array.isArray(found) ? found : [];
  };
  const found = listOf(value, 'parts');
  const parts = found.length === 0 ? [value] : found;
  const count = (name: string) => parts.reduce<number>((sum, part) => sum + listOf(part, name).length, 0);
  const rules = Math.max(
    ...parts.slice(0, MOST.parts).map((part) => {
      const own = (part as Record<string, unknown> | null)?.['rules'];
      return listOf(own, 'metrics').length + listOf(own, 'patterns').length;
    }),
  );
  const products: readonly (readonly [string, number, number])[] = [
    ['metrics with a rule', rules, MOST_RULES],
    ['rows (variants by metrics)', count('variants') * rules, MOST_ROWS],
    ['runs by metrics', count('runs') * rules, MOST_LOOKS],
  ];
  return [
    ...(found.length > MOST.parts ? [`parts: found ${found.length}; must be at most ${MOST.parts}`] : []),
    ...Object.entries(MOST).flatMap(([name, most]) =>
      name !== 'parts' && count(name) > most
        ? [`${name}: found ${count(name)}; must be at most ${most}`]
        : [],
    ),
    ...products.flatMap(([name, number, most]) =>
      number > most ? [`found ${number} ${name}; must be at most ${most}`] : [],
    ),
  ];
}

function checked<Value>(
  value: unknown,
  file: string,
  schema: z.ZodType<Value>,
  impossibleIn: (value: Value) => readonly string[],
): Value {
  const large = tooLarge(value);
  if (large.length > 0) throw refusal(file, large.join('\n  '));
  const parsed = schema.safeParse(value);
  const problems = parsed.success
    ? impossibleIn(parsed.data)
    : parsed.error.issues.map(
        ({ path, message }) => `${path.map(String).join('.') || 'the file'}: ${message}`,
      );
  if (parsed.success && problems.length === 0) return parsed.data;
  throw refusal(file, firstProblems(problems).join('\n  '));
}

const refusal = (file: string, reason: string, cause?: unknown) =>
  new ConfigurationError(`${file} cannot be read as a session; nothing was compared.\n  ${reason}`, {
    cause,
  });

/** Checks what no run can be although each field is valid. */
function impossible({ variants, runs, warmup }: Session): string[] {
  const known = new Set(variants);
  const seen = new Set<string>();
  const problems = [...warmup, ...runs].flatMap(({ variant, metrics }, index) => [
    ...(known.has(variant)
      ? []
      : [`run ${index}: found the variant ${JSON.stringify(variant)}; expected: one of variants`]),
    ...Object.entries(metrics)
      .filter(([name, found]) => found < 0 && /_(s|bytes)$/.test(name))
      .map(
        ([name, found]) => `run ${index}: found ${found} for ${name}; expected: a value that is not negative`,
      ),
  ]);
  const twice = variants.filter((variant, index) => variants.indexOf(variant) !== index);
  if (twice.length > 0) problems.push(`variants: found ${JSON.stringify(twice[0])} twice; expected: once`);
  for (const [index, { side, variant, block, attempt }] of runs.entries()) {
    const key = JSON.stringify([side, variant, block, attempt]);
    if (seen.has(key))
      problems.push(
        `runs.${index}: found a second run of ${side} ${variant} block ${block} attempt ${attempt}; expected: one`,
      );
    seen.add(key);
  }
  return problems;
}
