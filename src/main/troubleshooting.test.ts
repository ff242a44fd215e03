import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/**
 * Compares docs/troubleshooting.md with the messages. The code spans of its third-level headings are parts of messages.
 * Each message of fixtures/errors.md must have an entry, and each entry must match a message of the code.
 */

const words = readFileSync('docs/troubleshooting.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('### '))
  .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));

const messages = [
  ...readFileSync('fixtures/errors.md', 'utf8').matchAll(/^### (.+)\n\n```text\n([^]*?)\n```$/gm),
].map(([, name = '', text = '']) => [name, text] as const);

test('there are entries and messages', () => {
  expect(words.length).toBeGreaterThan(50);
  expect(messages.length).toBeGreaterThan(50);
});

test.each(messages)('docs/troubleshooting.md has an entry for: %s', (_, message) => {
  expect(words.filter((text) => message.includes(text))).not.toEqual([]);
});

const sources = (readdirSync('src', { recursive: true }) as string[])
  .filter((path) => /\.(ts|py)$/.test(path) && !path.includes('.test'))
  .map((path) => readFileSync(join('src', path), 'utf8').replaceAll("\\'", "'"));

test.each(words)('an entry of docs/troubleshooting.md is of a message that there is: %s', (text) => {
  const said = messages.some(([, message]) => message.includes(text));
  expect(said || sources.some((source) => source.includes(text))).toBe(true);
});
