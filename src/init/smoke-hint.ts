import { hintFor } from '../errors/hints.ts';

/** Causes of a failed first run, each with what to do. Causes that apply to every build or run are elsewhere. */
const CAUSES: readonly (readonly [RegExp, (found: readonly string[]) => string])[] = [
  [
    /FileNotFoundError: \[Errno 2\] No such file or directory: '([^']+)'/,
    ([, path = '']) =>
      `The file ${path} is not where the code looks for it: add it to workload.files, or take it out of the ignore file of the image.`,
  ],
  [
    /the base image (\S+) could not be pulled/,
    ([, image = '']) =>
      `The base image ${image} cannot be pulled: check the network and \`docker login\`, or choose another version in variants.*.python.`,
  ],
  [
    /(Temporary failure in name resolution|Name or service not known|Network is unreachable)/,
    () =>
      'The workload needs the network, and a run has none: use fixed data, or set `workload.network: bridge`.',
  ],
  [
    /Read-only file system|PermissionError/,
    () => 'The workload writes where it may not: let it write below /tmp.',
  ],
  [
    /\b(ready|did not become ready|not ready)\b/,
    () =>
      'The server was not ready in time: compare workload.server.ready with the address that it listens on.',
  ],
];

/**
 * One sentence that explains why the workload does not run.
 * @param message of the failure
 */
export function smokeHint(message: string): string {
  const known = hintFor(message);
  if (known !== undefined) return known;
  for (const [pattern, words] of CAUSES) {
    const found = pattern.exec(message);
    if (found !== null) return words(found);
  }
  return `the workload did not run: ${causeLine(message)} Correct it, then run \`pacegate run\`.`;
}

/** The last line that names an error; of a command that ended, its last line; else the first line. */
function causeLine(message: string): string {
  const lines = message
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const error = lines.findLast((line) => /^(\w[\w.]*(Error|Exception)\b|ERROR\b|error:|fatal:)/.test(line));
  // A program that ends itself writes its reason last.
  const reason = /the command ended with exit status \d+$/.test(lines[0] ?? '') ? lines.at(-1) : undefined;
  return `${(error ?? reason ?? lines[0] ?? '').slice(0, 300).replace(/\.$/, '')}.`;
}
