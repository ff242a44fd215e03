import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { filesBelow, PAGES } from './files.test-support.ts';
import { codeSpansOf, linkFault, linksOf, parsePage, placeOf, readPage } from './markdown.test-support.ts';

/** What holds for every page: links that lead somewhere, and names of files that there are. */

const ALL = [
  ...new Set([
    ...PAGES,
    ...filesBelow('benchmarks', '.md'),
    ...filesBelow('fixtures', '.md'),
    ...filesBelow('examples', '.md'),
  ]),
];

test('the README fits one screen', () => expect(statSync('README.md').size).toBeLessThanOrEqual(10 * 1024));

test('every page of docs/ is in its index, and begins with what the reader can do', () => {
  const index = readPage('docs/README.md');
  const linked = new Set(linksOf(index).map(({ value }) => `docs/${value}`));
  const pages = filesBelow('docs', '.md').filter((path) => path !== index.path);
  expect(pages.filter((path) => !linked.has(path))).toEqual([]);
  expect(
    pages.filter((path) => !/^# .+\n\n(<!--.*-->\n\n)?After this page you /.test(readPage(path).text)),
  ).toEqual([]);
});

test.each(ALL)('the links and anchors of %s lead somewhere', (path) => {
  const faults = linksOf(readPage(path)).flatMap((link) => {
    const fault = linkFault(link);
    return fault === undefined ? [] : [`${placeOf(link)}: ${fault}`];
  });
  expect(faults).toEqual([]);
});

/** A file or a folder of this repository, as a page names it: no placeholder, no pattern. */
const OWN_FILE = /^(?:src|docs|benchmarks|examples|fixtures|variants|\.ci|\.github)(?:\/[\w.@-]+)+\/?$/;

/** What a page names of a user's repository, which has folders of the same names. */
const USERS = /^\.github\/(pacegate(-accepted)?\.yml|workflows\/?|workflows\/pacegate(-[a-z]+)?\.yml)$/;

test.each(PAGES.filter((path) => path !== 'CHANGELOG.md'))('the files that %s names are there', (path) => {
  const missing = codeSpansOf(readPage(path)).filter(
    ({ value }) => OWN_FILE.test(value) && !USERS.test(value) && !existsSync(value),
  );
  expect(missing.map((span) => `${placeOf(span)}: ${span.value}`)).toEqual([]);
});

test('the pages that action.yml and the examples name are there', () => {
  const faults = [...filesBelow('examples', '.yml'), 'action.yml'].flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\bdocs\/[a-z-]+\.md(#[\w-]+)?/g)].flatMap(([value]) => {
      const fault = linkFault({ page: parsePage('README.md', ''), line: 1, value });
      return fault === undefined ? [] : [`${path}: ${fault}`];
    }),
  );
  expect(faults).toEqual([]);
});

interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly { readonly type: string; readonly id: string; readonly attributes: object }[];
}

/** GitHub shows a form that it cannot read as an error, and only there. */
test.each(filesBelow('.github/ISSUE_TEMPLATE', '.yml').filter((path) => !path.endsWith('config.yml')))(
  '%s is a form that GitHub accepts',
  (path) => {
    const form = parse(readFileSync(path, 'utf8')) as Form;
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    expect(new Set(form.body.map(({ id }) => id)).size).toBe(form.body.length);
    for (const field of form.body) {
      expect(['textarea', 'input', 'dropdown']).toContain(field.type);
      expect(field).toMatchObject({
        id: expect.stringMatching(/^[a-z-]+$/),
        attributes: { label: expect.any(String) },
      });
      const options = 'options' in field.attributes ? field.attributes.options : undefined;
      expect(Array.isArray(options)).toBe(field.type === 'dropdown');
    }
  },
);

/** The layers as the linter has them. */
async function lintedLayers() {
  const config: string = pathToFileURL('.dependency-cruiser.mjs').href;
  const { folders } = (await import(config)) as {
    folders: Readonly<Record<string, { imports: readonly string[]; types?: readonly string[] }>>;
  };
  return folders;
}

test("architecture's table of layers is the linter's, and its table of folders has all of src", async () => {
  const { text } = readPage('docs/architecture.md');
  const rows = [...text.matchAll(/^\| (?:pure|adapters|use cases) +\|(.*)\|(.*)\|(.*)\|$/gm)].map((cells) =>
    cells.slice(1).map((cell) => [...cell.matchAll(/`([\w/-]+)`/g)].map(([, name = '']) => name).sort()),
  );
  const layers = Object.entries(await lintedLayers()).filter(([folder]) => folder !== 'errors');
  expect(rows).toHaveLength(layers.length);
  expect(Object.fromEntries(rows.map(([folder, ...rest]) => [folder?.[0], rest]))).toEqual(
    Object.fromEntries(
      layers.map(([folder, { imports, types = [] }]) => [
        folder,
        [imports.filter((name) => name !== 'errors').sort(), [...types].sort()],
      ]),
    ),
  );
  const folders = globSync('src/**/', { exclude: ['src/measure/probe/profiler'] }).filter(
    (path) => path !== 'src',
  );
  expect(folders.filter((path) => !text.includes(`\`${path}\``))).toEqual([]);
});

test.each([
  ['[a](docs/writing.md)', undefined],
  ['[a](docs/writing.md#glossary)', undefined],
  ['[a](https://example.org/nothing)', undefined],
  ['# One two\n\n[a](#one-two)', undefined],
  ['<a id="x"></a>\n\n[a](#x)', undefined],
  ['[a](docs/nothing.md)', 'docs/nothing.md: there is no docs/nothing.md'],
  ['![a](docs/nothing.png)', 'docs/nothing.png: there is no docs/nothing.png'],
  ['[a][b]\n\n[b]: docs/nothing.md', 'docs/nothing.md: there is no docs/nothing.md'],
  ['<img src="docs/nothing.png">', 'docs/nothing.png: there is no docs/nothing.png'],
  ['# One\n\n# One\n\n[a](#one-2)', '#one-2: README.md has no heading for #one-2; it has one, one-1'],
  ['[a](../elsewhere.md)', '../elsewhere.md leads out of the repository'],
  ['[a](package.json#name)', 'package.json#name: only a page has anchors'],
])('%j: %s', (text, fault) => {
  const [link] = linksOf(parsePage('README.md', text));
  expect(link).toBeDefined();
  expect(linkFault(link!)).toBe(fault);
});
