/**
 * Records whose keys come from outside: metrics, variants, files. A workload may call a metric `constructor`, which every
 * object inherits, so such a record is asked for what it has itself.
 */

/** A record's own value. @returns undefined for what it only inherits */
export const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** A record without the keys whose value is undefined: for one whose keys say something by being there. */
export const definedOnly = <Value>(
  record: Readonly<Record<string, Value | undefined>>,
): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );

/** Things by a key of theirs, in their order. One pass, for a file may hold many thousands. */
export function groupedBy<Thing, Key>(
  things: Iterable<Thing>,
  keyOf: (thing: Thing) => Key,
): ReadonlyMap<Key, readonly Thing[]> {
  const groups = new Map<Key, Thing[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return groups;
}
