import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/**
 * Compares the generated part of a page, between `<!-- mark:begin -->` and `<!-- mark:end -->`, with the code.
 * UPDATE_GOLDEN=1 writes it. Prettier sets the widths of columns, so only the words are compared.
 */
export function expectGenerated(page: string, mark: string, expected: string): void {
  const text = readFileSync(page, 'utf8');
  const [begin, end] = [`<!-- ${mark}:begin -->`, `<!-- ${mark}:end -->`];
  const [before = '', rest = ''] = text.split(`${begin}\n`);
  const [found = '', after] = rest.split(end);
  if (after === undefined) throw new Error(`${page} has no ${begin} and ${end}`);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    writeFileSync(page, `${before}${begin}\n\n${expected}\n\n${end}${after}`);
    return;
  }
  const words = (part: string) => part.replace(/[ -]+/g, ' ').trim();
  expect(words(found)).toBe(words(expected));
}
