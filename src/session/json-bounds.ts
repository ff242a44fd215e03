/**
 * Limits of a JSON text, checked before it is parsed: depth of nesting, number of lists and objects, number of values.
 */
const MAX_DEPTH = 50;
const MAX_BRACKETS = 500_000;
const MAX_VALUES = 4_000_000;

/**
 * Checks in one pass whether parsing a text would take too much memory. @param text JSON, or lines of it @returns a
 * sentence with the limit that is exceeded, or undefined
 */
export function excessOf(text: string): string | undefined {
  let [depth, brackets, values] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      // Skips to the end of the string: a quote after an even number of backslashes.
      do {
        at = text.indexOf('"', at + 1);
        if (at === -1) return undefined;
      } while (isEscaped(text, at));
    } else if (code === 0x5b || code === 0x7b) {
      depth++;
      brackets++;
      if (depth > MAX_DEPTH) return `found ${depth} nested lists and objects; must be at most ${MAX_DEPTH}`;
    } else if (code === 0x5d || code === 0x7d) depth--;
    else if (code === 0x2c) values++;
  }
  if (brackets > MAX_BRACKETS) return `found ${brackets} lists and objects; must be at most ${MAX_BRACKETS}`;
  return values > MAX_VALUES ? `found ${values} values; must be at most ${MAX_VALUES}` : undefined;
}

function isEscaped(text: string, quote: number): boolean {
  let start = quote;
  while (text.charCodeAt(start - 1) === 0x5c) start--;
  return (quote - start) % 2 === 1;
}
