/**
 * Shortens a list of problems for a message: the first ones, each cut to a length, and how many more there are. A file
 * may be wrong in every line, and a name in it may be as long as the file.
 * @param most problems in the message
 * @param longest characters of each
 */
export function firstProblems(problems: readonly string[], most = 10, longest = 300): readonly string[] {
  const more = problems.length > most ? [`… and ${problems.length - most} more`] : [];
  return [...problems.slice(0, most).map((problem) => clipped(problem, longest)), ...more];
}

/** @param longest characters, including the `…` that replaces the rest */
export const clipped = (text: string, longest = 300): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
