// `*` is anything but a slash, `**` anything, and `**` with a slash folders or none, as GitHub reads `paths-ignore`:
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet

/** Whether a pattern of `rules.paths-ignore` matches a path. */
export function isIgnoredPath(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => expression(pattern).test(path));
}

const expression = (pattern: string) =>
  new RegExp(
    `^${pattern
      .split(/(\*\*\/|\*\*|\*)/)
      .map((part) =>
        part === '**/'
          ? '(?:.*/)?'
          : part === '**'
            ? '.*'
            : part === '*'
              ? '[^/]*'
              : part.replace(/[.^${}()|]/g, '\\$&'),
      )
      .join('')}$`,
    's',
  );
