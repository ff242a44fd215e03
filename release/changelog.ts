/** The changelog and its versions. */

const UNRELEASED = '## Unreleased';

/** The notes of a release: the section of its version without the heading, or undefined if there is none. */
export function notesOf(changelog: string, version: string): string | undefined {
  const lines = changelog.split('\n');
  const start = lines.findIndex((line) => line === `## ${version}` || line.startsWith(`## ${version} `));
  if (start === -1) return undefined;
  const end = lines.findIndex((line, index) => index > start && line.startsWith('## '));
  const text = lines
    .slice(start + 1, end === -1 ? undefined : end)
    .join('\n')
    .trim();
  return text === '' ? undefined : `${text}\n`;
}

/**
 * The changelog with its unreleased lines under a version.
 * @param date such as 2026-11-27
 * @throws Error if nothing is listed as unreleased, or the version already has a section
 */
export function released(changelog: string, version: string, date: string): string {
  if (notesOf(changelog, version) !== undefined)
    throw new Error(`CHANGELOG.md has a section ${version} already.`);
  if (notesOf(changelog, 'Unreleased') === undefined)
    throw new Error(
      `CHANGELOG.md lists nothing under "${UNRELEASED}", so ${version} would be a release without notes.`,
    );
  return changelog.replace(`${UNRELEASED}\n`, `${UNRELEASED}\n\n## ${version} - ${date}\n`);
}
