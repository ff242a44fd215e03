/**
 * A text's JSON, for a schema to check.
 * @returns undefined for a text that is no JSON, which no schema of an object or a list takes
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
