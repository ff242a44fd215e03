/**
 * What a Dockerfile's `BASE_IMAGE` is with these build arguments: its global arguments, before the first FROM, may
 * name one another.
 * @param dockerfile the text of an interpreter's Dockerfile
 * @returns undefined where it has no such argument, or one that names an argument without a value.
 */
export function baseImageOf(dockerfile: string, args: Readonly<Record<string, string>>): string | undefined {
  const values: Record<string, string> = {};
  for (const line of dockerfile.split('\n')) {
    if (/^\s*FROM\s/i.test(line)) break;
    const [, name, byDefault] = /^\s*ARG\s+([A-Za-z_][A-Za-z0-9_]*)(?:=(\S*))?/i.exec(line) ?? [];
    if (name === undefined) continue;
    const value = args[name] ?? byDefault?.replace(/^"(.*)"$/, '$1');
    const expanded = value === undefined ? undefined : expand(value, values);
    if (expanded !== undefined) values[name] = expanded;
  }
  return values['BASE_IMAGE'] === '' ? undefined : values['BASE_IMAGE'];
}

/** A text with `$NAME` and `${NAME}` in it; undefined where one of them has no value. */
function expand(text: string, values: Readonly<Record<string, string>>): string | undefined {
  const names = [...text.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)].map(([, braced, bare]) => braced ?? bare ?? '');
  return names.every((name) => values[name] !== undefined)
    ? text.replace(
        /\$(?:\{(\w+)\}|(\w+))/g,
        (_, braced?: string, bare?: string) => values[braced ?? bare ?? ''] ?? '',
      )
    : undefined;
}

/** The digest that a reference is pinned by; undefined where it is not. */
export const pinnedDigest = (reference: string): string | undefined =>
  /@(sha256:[0-9a-f]{64})$/.exec(reference)?.[1];
