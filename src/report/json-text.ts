/** The runner takes `##[` for a command wherever it stands; in JSON it can only stand in a string. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replaceAll('##[', '##\\u005b')}\n`;
