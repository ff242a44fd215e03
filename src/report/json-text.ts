/** Escapes `##[`, which the runner executes anywhere in a line. In JSON it can only be inside a string. */
export const jsonText = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replaceAll('##[', '##\\u005b')}\n`;
