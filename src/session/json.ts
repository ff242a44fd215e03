/**
 * Parses a text as JSON, for a schema to check. @returns undefined for a text that is not JSON; a schema of an object
 * or a list refuses undefined
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
