import { uniformSource } from '../statistics/random.ts';

/** Forges and damages files from a seed, so that a failure can be repeated. */

const HOSTILE: readonly unknown[] = [
  ...[null, true, -1, 0, 1.5, 5e-324, 1.7e308, -1.7e308, 1e9, 2 ** 53, '', 'a', 'head', 'constructor'],
  ...[
    '__proto__',
    'toString',
    '\u0000\u001b[2J##[error]x',
    '::error::x',
    'x'.repeat(5000),
    '2026-01-01T00:00:00Z',
  ],
  [],
  {},
  [[]],
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}'),
];
const NAMES = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];
const FIELDS = [
  '',
  'NaN',
  '-1',
  '1e999',
  '1e308',
  '5e-324',
  '0x10',
  '"',
  'constructor',
  '__proto__',
  'ä\u0000',
  '9'.repeat(400),
];

export interface Draw {
  /** A whole number below n. */
  readonly below: (n: number) => number;
  readonly chance: (probability: number) => boolean;
}

export function drawFrom(seed: number): Draw {
  const random = uniformSource(seed);
  return { below: (n) => Math.floor(random() * n), chance: (probability) => random() < probability };
}

/** JSON with one to three places changed, dropped, duplicated or renamed. Sometimes it is truncated. */
export function forgedJson(honest: unknown, draw: Draw): string {
  const copy = JSON.parse(JSON.stringify(honest)) as Record<string, unknown>;
  for (let change = draw.below(3); change >= 0; change--) {
    let [holder, key]: [Record<string, unknown>, string] = [copy, ''];
    for (let depth = 0; depth < 6; depth++) {
      const keys = Object.keys(holder);
      key = keys[draw.below(keys.length)] ?? '';
      const next = holder[key];
      if (typeof next !== 'object' || next === null || Object.keys(next).length === 0 || draw.chance(0.15))
        break;
      holder = next as Record<string, unknown>;
    }
    const value = HOSTILE[draw.below(HOSTILE.length)];
    switch (draw.below(5)) {
      case 0:
        // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- damage is what this makes
        delete holder[key];
        break;
      case 1:
        if (Array.isArray(holder)) holder.push(holder[draw.below(holder.length)]);
        else
          Object.defineProperty(holder, NAMES[draw.below(NAMES.length)] ?? '', {
            value: holder[key],
            enumerable: true,
            configurable: true,
            writable: true,
          });
        break;
      default:
        holder[key] = value;
    }
  }
  const text = JSON.stringify(copy);
  return draw.chance(0.05) ? text.slice(0, draw.below(text.length)) : text;
}

/** Lines, of which one to three are edited, dropped, duplicated or moved. Sometimes the text is truncated. */
export function forgedLines(text: string, draw: Draw, edit: (line: string, draw: Draw) => string): string {
  const lines = text.split('\n');
  for (let change = draw.below(3); change >= 0; change--) {
    const [at, to] = [draw.below(lines.length), draw.below(lines.length)];
    const line = lines[at] ?? '';
    switch (draw.below(6)) {
      case 0:
        lines.splice(at, 1);
        break;
      case 1:
        lines.splice(to, 0, line);
        break;
      case 2:
        [lines[at], lines[to]] = [lines[to] ?? '', line];
        break;
      default:
        lines[at] = edit(line, draw);
    }
  }
  const whole = lines.join('\n');
  return draw.chance(0.05) ? whole.slice(0, draw.below(whole.length)) : whole;
}

/** A line of a CSV with one field changed. */
export function forgedRow(line: string, draw: Draw): string {
  const fields = line.split(',');
  fields[draw.below(fields.length)] = FIELDS[draw.below(FIELDS.length)] ?? '';
  return fields.join(',');
}

/** A forged line of JSON. */
export function forgedJsonLine(line: string, draw: Draw): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return forgedRow(line, draw);
  }
  return forgedJson(value, draw);
}

/** The path of a number that is not finite; undefined if all are finite. */
export function notFinite(value: unknown, path = ''): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${path}: ${value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const found = notFinite(inner, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
