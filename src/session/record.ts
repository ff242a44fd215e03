/**
 * Records whose keys come from outside: metrics, variants, files. A workload may name a metric `constructor`, which
 * every object inherits, so only a record's own keys count.
 */

/** A record's own value. @returns undefined for inherited keys */
export const own = <Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** A record without the keys whose value is undefined, for records in which the presence of a key matters. */
export const definedOnly = <Value>(
  record: Readonly<Record<string, Value | undefined>>,
): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );

/** Groups values by a key and keeps their order. In one pass, because a file may hold many thousands. */
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
