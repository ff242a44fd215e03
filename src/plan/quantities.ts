/** Quantities as people write them. Each parser gives undefined for what it cannot read, never a guess. */

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `90s`, `10m`, `1h30m`, `500ms` -> seconds (positive). */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(trimmed)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    seconds += Number(amount) * (SECONDS[unit ?? ''] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : undefined;
}

/** The same of a text that the schema has read already; NaN of any other. */
export const seconds = (text: string): number => parseDuration(text) ?? Number.NaN;

/** `3%` or `0.03` -> fraction (positive, below 10, so that a forgotten % sign does not pass). */
export function parseFraction(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim());
  if (match === null) return undefined;
  const fraction = Number(match[1]) / (match[2] === '%' ? 100 : 1);
  return fraction > 0 && fraction < 10 ? fraction : undefined;
}

const BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `512m`, `2g`, as the engine's own options have them -> bytes (positive, whole). */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+)\s*([kmg]?)(i?b)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const bytes = Number(match[1]) * (BYTES[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
