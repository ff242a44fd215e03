import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { configurationJsonSchema } from '../plan/configuration.ts';
import { helpTexts } from './command-line.test-support.ts';
import { filesBelow, PAGES } from './files.test-support.ts';
import { GUIDE, phrasesIn, phrasesOfGuide } from './phrases.test-support.ts';

const PHRASES = phrasesOfGuide();
const REPORTS = readdirSync('fixtures/reports').map((name) => join('fixtures/reports', name));
const read = (path: string) => phrasesIn(path, readFileSync(path, 'utf8'), PHRASES);

test('the guide lists phrases, each with its plain form', () => {
  expect(PHRASES.length).toBeGreaterThan(20);
  for (const { out, plain } of PHRASES) {
    expect(out).not.toBe('');
    expect(plain).not.toBe('');
  }
});

/** Comments, names, titles of tests and messages: all text of the sources. The tests of the phrases quote them. */
const SOURCES = globSync('src/**/*.{ts,py}').filter((path) => !path.startsWith('src/docs/phrases'));

/** Comments and pages next to the sources: folder, endings, and a file that must be among them. */
const NEXT_TO_SOURCES: readonly (readonly [folder: string, endings: readonly string[], file: string])[] = [
  ['.ci', [''], '.ci/run'],
  ['.github', [''], '.github/workflows/ci.yml'],
  ['benchmarks', ['.md', '.ts'], 'benchmarks/gate/REPORT.md'],
  ['examples', [''], 'examples/worker/.github/pacegate.yml'],
  ['fixtures', ['README.md', '.py'], 'fixtures/losses/bench.py'],
  ['release', [''], 'release/push-tag'],
  ['variants', ['README.md'], 'variants/pyenv/README.md'],
];

describe('no phrase of the guide is in', () => {
  test('the sources and their tests', () => {
    expect(SOURCES.length).toBeGreaterThan(500);
    expect(SOURCES.flatMap(read)).toEqual([]);
  });

  test.each(NEXT_TO_SOURCES)('the files of %s that end in %j, such as %s', (folder, endings, file) => {
    const files = endings.flatMap((ending) => filesBelow(folder, ending));
    expect(files).toContain(file);
    expect(files.flatMap(read)).toEqual([]);
  });

  test.each(PAGES.filter((path) => path !== GUIDE))('%s', (path) => expect(read(path)).toEqual([]));

  test.each(['action.yml', 'action-types.yml', 'fixtures/errors.md'])('%s', (path) =>
    expect(read(path)).toEqual([]),
  );

  test('the descriptions of the configuration', () => {
    const schema = JSON.stringify(configurationJsonSchema(), null, 2);
    expect(phrasesIn('configuration.schema.json', schema, PHRASES)).toEqual([]);
  });

  test.each(Object.entries(helpTexts()))('pacegate %s', (name, text) =>
    expect(phrasesIn(name, text, PHRASES)).toEqual([]),
  );

  test('the golden reports', () => {
    expect(REPORTS.length).toBeGreaterThan(20);
    expect(REPORTS.flatMap(read)).toEqual([]);
  });
});

test.each([
  ['How it is had: by looking', ['a:1: "is had" is out; plain: is measured']],
  ['One.\nThat is\n  HAD there.', ['a:2: "is had" is out; plain: is measured']],
  ['- it is\n# had', ['a:1: "is had" is out; plain: is measured']],
  ['the list is handed over', []],
  ['this had', []],
])('%j has %j', (text, expected) =>
  expect(phrasesIn('a', text, [{ out: 'is had', plain: 'is measured' }])).toEqual(expected),
);
