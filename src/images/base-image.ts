import { own } from '../session/record.ts';

/**
 * What a Dockerfile's `BASE_IMAGE` is with these build arguments: its global arguments, before the first FROM, may
 * name one another.
 * @param dockerfile the text of an interpreter's Dockerfile
 * @returns undefined where it has no such argument, or one that names an argument without a value.
 */
export function baseImageOf(dockerfile: string, args: Readonly<Record<string, string>>): string | undefined {
  const values = new Map<string, string>();
  for (const line of dockerfile.split('\n')) {
    if (/^\s*FROM\s/i.test(line)) break;
    const [, name, byDefault] = /^\s*ARG\s+([A-Za-z_][A-Za-z0-9_]*)(?:=(\S*))?/i.exec(line) ?? [];
    if (name === undefined) continue;
    const value = own(args, name) ?? byDefault?.replace(/^"(.*)"$/, '$1');
    const expanded = value === undefined ? undefined : expand(value, values);
    if (expanded !== undefined) values.set(name, expanded);
  }
  const base = values.get('BASE_IMAGE');
  return base === '' ? undefined : base;
}

/** Characters: a reference has at most some hundred. */
const LONGEST = 4096;

/** A text with `$NAME` and `${NAME}` in it; undefined where one of them has no value, or the text is far too long. */
function expand(text: string, values: ReadonlyMap<string, string>): string | undefined {
  const names = [...text.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)].map(([, braced, bare]) => braced ?? bare ?? '');
  // Arguments that name others twice double with each line.
  const length = names.reduce((sum, name) => sum + (values.get(name)?.length ?? 0), text.length);
  return length <= LONGEST && names.every((name) => values.has(name))
    ? text.replace(
        /\$(?:\{(\w+)\}|(\w+))/g,
        (_, braced?: string, bare?: string) => values.get(braced ?? bare ?? '') ?? '',
      )
    : undefined;
}

/** The digest that a reference is pinned by; undefined where it is not. */
export const pinnedDigest = (reference: string): string | undefined =>
  /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
