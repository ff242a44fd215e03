/** Finds the name that a misspelt one probably means, for "did you mean". */

/** Letters that may differ: one in four, at least one. */
const SHARE = 4;

/** @returns the nearest name, or undefined if none is near */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const own = core(written);
  const ranked = names
    .filter((name) => name !== written)
    .map((name) => ({ name, distance: core(name) === own ? 0 : distance(own, core(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const [first] = ranked;
  return first !== undefined && first.distance <= Math.max(1, Math.floor(own.length / SHARE))
    ? first.name
    : undefined;
}

/** `walltime`, `wall_time` and `Wall-Time` are wall_time_s without its unit. */
const core = (name: string) =>
  name
    .toLowerCase()
    .replace(/_(s|ms|sec|secs|seconds|bytes|b|kb|mb)$/, '')
    .replace(/[^a-z0-9]/g, '');

/** Levenshtein's distance: letters inserted, deleted or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
