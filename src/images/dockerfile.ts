import { BASE_NAME } from './bake.ts';

/**
 * Whether an application's Dockerfile has a base that the interpreter can take the place of: a
 * `FROM python` (or `--from=python`). A base that holds a variable cannot be known here and passes.
 *
 * Without one, every variant would quietly be the same image.
 */
export function replacesBase(text: string): boolean {
  // A line that ends in a backslash goes on; `FROM --platform=… image AS name` has the image third.
  const lines = text.replace(/\\\r?\n/g, ' ').split(/\r?\n/);
  return lines.some((line) => {
    const [instruction, ...words] = line.trim().split(/\s+/);
    if (instruction?.toUpperCase() === 'FROM') {
      const base = words.find((word) => !word.startsWith('--'));
      return base !== undefined && (isBase(base) || base.includes('$'));
    }
    return words.some((word) => /(^|,)(--)?from=/.test(word) && isBase(word.split('from=').at(-1) ?? ''));
  });
}

/**
 * The `FROM` that the last stage stands on in the end: stages that are built on one another are followed.
 * @returns its line, from 1, and its text; undefined where there is no FROM
 */
export function finalBase(text: string): { readonly line: number; readonly text: string } | undefined {
  const stages = text.split(/\r?\n/).flatMap((line, index) => {
    const [, base, name] = /^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+AS[ \t]+(\S+))?/i.exec(line) ?? [];
    return base === undefined
      ? []
      : [
          {
            line: index + 1,
            text: line.trim().slice(0, 200),
            base: base.toLowerCase(),
            name: name?.toLowerCase(),
          },
        ];
  });
  let at = stages.length - 1;
  for (;;) {
    const stage = stages[at];
    if (stage === undefined) return undefined;
    // Only an earlier stage can be meant: a later one of the same name is another.
    do at--;
    while (at >= 0 && stages[at]?.name !== stage.base);
    if (at < 0) return { line: stage.line, text: stage.text };
  }
}

/** The bases that a Dockerfile names, for the message; at most ten. */
export function basesOf(text: string): string[] {
  return [...text.matchAll(/^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*(\S+)/gim)]
    .flatMap(([, base]) => (base === undefined ? [] : [base.slice(0, 120)]))
    .slice(0, 10);
}

const isBase = (word: string) => {
  const name = word.replace(/,.*$/, '').replace(/^["']|["']$/g, '');
  return name === BASE_NAME || name === `${BASE_NAME}:latest`;
};

/**
 * The ignore file for the default application Dockerfile: Pacegate's own list, then the project's
 * `.dockerignore`, whose lines come last and so have the last word (`!docs/data.md`).
 *
 * An ignore file beside a Dockerfile takes the place of the context's, so without this a project's own
 * list (secrets, data) would be silently dropped.
 */
export function mergedIgnore(own: string, projects: string | undefined): string {
  return projects === undefined ? own : `${own.trimEnd()}\n${projects}`;
}
