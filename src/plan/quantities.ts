import { own } from '../session/record.ts';

/** Parsers of quantities with units. Each returns undefined for a text that it cannot read. */

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** How durations are written. The published schema has the same pattern, so an editor refuses the same texts. */
export const DURATION = /^(\d+(\.\d+)?(ms|s|m|h))+$/;

/** Longer than any job. A much longer timer would overflow and fire at once. */
const LONGEST_SECONDS = 7 * 24 * 3600;

/** `90s`, `10m`, `1h30m`, `500ms` -> seconds (positive, a week at most). A number without a unit is none. */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!DURATION.test(trimmed)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    seconds += Number(amount) * (own(SECONDS, unit ?? '') ?? Number.NaN);
  return seconds > 0 && seconds <= LONGEST_SECONDS ? seconds : undefined;
}

/** The same of a text that the schema has read already; NaN of any other. */
export const seconds = (text: string): number => parseDuration(text) ?? Number.NaN;

/** How fractions are written as text: with a per cent sign, or below 1. */
export const FRACTION = /^(\d+(\.\d+)?\s*%|0?\.\d+)$/;

/**
 * `3%` or `0.03` -> fraction (positive, below 10). A bare number from 1 on is a percentage whose sign was forgotten:
 * `5` would be 500 %.
 */
export function parseFraction(text: string): number | undefined {
  const trimmed = text.trim();
  if (!FRACTION.test(trimmed)) return undefined;
  const fraction = Number(trimmed.replace('%', '')) / (trimmed.endsWith('%') ? 100 : 1);
  return fraction > 0 && fraction < 10 ? fraction : undefined;
}

const BYTES: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** How sizes are written. A bare number would be bytes for one reader and megabytes for another. */
export const BYTE_SIZE = /^(\d+)\s*(b|[kmg](i?b)?)$/i;

/** `512m`, `2g`, `2GiB` -> bytes (positive, whole). A number without a unit is none. */
export function parseBytes(text: string): number | undefined {
  const match = BYTE_SIZE.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (own(BYTES, (match[2] ?? '').charAt(0).toLowerCase()) ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
