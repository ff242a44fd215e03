import { markdownTable } from 'markdown-table';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

const AIM_BYTES = 2_000_000;
const ENTRIES = ['index.js', 'cli.js'];

/** What each entry loads at its start, what it loads when needed, and dist/ without the latter. In Markdown. */
export async function distSize(dist: string): Promise<readonly string[]> {
  const names = (await readdir(dist, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)));
  const sizes = new Map<string, number>();
  for (const name of names) sizes.set(name, (await stat(join(dist, name))).size);
  const total = (of: Iterable<string>) => [...of].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);

  const loaded = new Map<string, ReadonlySet<string>>();
  for (const entry of ENTRIES) loaded.set(entry, await staticImports(dist, entry));
  const atStart = new Set([...loaded.values()].flatMap((files) => [...files]));
  const lazy = names.filter((name) => name.endsWith('.js') && !atStart.has(name));
  const whole = total(names) - total(lazy);
  const listed = (files: Iterable<string>) =>
    [...files]
      .sort((a, b) => total([b]) - total([a]))
      .map((name) => `${name} ${kilobytes(total([name]))}`)
      .join(', ');
  return [
    markdownTable([
      ['loaded', 'bytes', 'files'],
      ...[...loaded].map(([entry, files]) => [
        `by ${entry} at its start`,
        kilobytes(total(files)),
        listed(files),
      ]),
      ['later, when needed', kilobytes(total(lazy)), listed(lazy)],
      [
        'never',
        kilobytes(total(names.filter((name) => !name.endsWith('.js')))),
        listed(names.filter((name) => !name.endsWith('.js'))),
      ],
    ]),
    `dist/ without what is loaded later: ${kilobytes(whole)}. Aim: under ${kilobytes(AIM_BYTES)}: **${whole < AIM_BYTES ? 'met' : 'missed'}**.`,
  ];
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;

/** The files that node reads before it runs an entry's first line. */
async function staticImports(dist: string, entry: string): Promise<ReadonlySet<string>> {
  const found = new Set([entry]);
  // A set's iteration goes on with what is added meanwhile.
  for (const name of found)
    for (const node of parseAst(await readFile(join(dist, name), 'utf8')).body)
      if ('source' in node && node.source?.value.startsWith('.') === true)
        found.add(join(dirname(name), node.source.value));
  return found;
}
