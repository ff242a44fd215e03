import { own } from '../session/record.ts';
import { expand } from '../dockerfile/dockerfile.ts';

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
    const expanded = value === undefined ? undefined : expand(value, (key) => values.get(key));
    if (expanded !== undefined) values.set(name, expanded);
  }
  const base = values.get('BASE_IMAGE');
  return base === '' ? undefined : base;
}

/** The digest of a pinned reference; undefined for others. */
export const pinnedDigest = (reference: string): string | undefined =>
  /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
