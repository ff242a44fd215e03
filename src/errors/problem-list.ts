/**
 * The problems of a message, as many as a person reads: the first ones, each bounded, and how many more there are. A file
 * may be wrong in every line, and a name in it may be as long as the file.
 * @param most problems that are told
 * @param longest characters of each
 */
export function firstProblems(problems: readonly string[], most = 10, longest = 300): readonly string[] {
  const more = problems.length > most ? [`… and ${problems.length - most} more`] : [];
  return [...problems.slice(0, most).map((problem) => clipped(problem, longest)), ...more];
}

/** @param longest characters, the last of which says that there were more */
export const clipped = (text: string, longest = 300): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
