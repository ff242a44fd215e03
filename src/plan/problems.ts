import type { z } from 'zod';
import { ConfigurationError } from '../errors/errors.ts';
import { clipped, firstProblems } from '../errors/problem-list.ts';
import type { Problem, YamlDocument } from './document.ts';
import { own } from '../session/record.ts';

type Issue = z.core.$ZodIssue;

/** Converts the schema's issues to problems with lines, one for each thing to fix. */
export function problemsOf(issues: readonly Issue[], document: YamlDocument): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, [], document));
}

function problemsOfIssue(
  issue: Issue,
  prefix: readonly PropertyKey[],
  document: YamlDocument,
): readonly Problem[] {
  const path = [...prefix, ...issue.path];
  const value = valueAt(document.value, path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      line: document.lineOf([...path, key]),
      place: dotted([...path, key]),
      found: 'a key that is not known',
      legal: legalOf(issue),
    }));
  if (issue.code === 'invalid_union' && isRecord(value) && issue.errors.length > 1) {
    const branch = nearestBranch(issue.errors, value);
    if (branch === undefined)
      return [
        {
          line: document.lineOf(path),
          place: dotted(path),
          found: describe(value),
          legal: `one of ${DISCRIMINATORS.join(', ')} to say where the Python comes from`,
        },
      ];
    return branch.flatMap((inner) => problemsOfIssue(inner, path, document));
  }
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({
      line: document.lineOf(path),
      place: dotted(path),
      found: `the name ${JSON.stringify(path.at(-1))}`,
      legal: legalOf(inner),
    }));
  return [
    { line: document.lineOf(path), place: dotted(path), found: describe(value), legal: legalOf(issue) },
  ];
}

/** The keys that say which kind of variant a table is. */
const DISCRIMINATORS = ['interpreter', 'image', 'bake'] as const;

/** The branch of a union that the user meant: the one whose discriminating key is present and matches. */
function nearestBranch(
  branches: readonly (readonly Issue[])[],
  value: Record<string, unknown>,
): readonly Issue[] | undefined {
  const key = DISCRIMINATORS.find((name) => name in value);
  const agrees = (issues: readonly Issue[]) =>
    !issues.some(
      (issue) =>
        (issue.path.length === 1 && DISCRIMINATORS.some((name) => name === issue.path[0])) ||
        (issue.code === 'unrecognized_keys' && issue.keys.some((unknown) => unknown === key)),
    );
  const meant = branches.find(agrees);
  if (meant !== undefined || key === undefined) return meant;
  // The key is present and its value is unknown: list all valid values.
  const values = branches.flatMap((issues) =>
    issues.flatMap((issue) =>
      issue.code === 'invalid_value' && issue.path[0] === key ? issue.values.map(String) : [],
    ),
  );
  return [{ code: 'custom', path: [key], message: `legal: ${values.join(', ')}`, input: value[key] }];
}

function legalOf(issue: Issue): string {
  const written = /^legal: (.*)$/s.exec(issue.message)?.[1];
  if (written !== undefined) return written;
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_WORDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map(String).join(', ');
    case 'too_small':
      return `at least ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text (in quotes where YAML would read a number)',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a table of keys and values',
  record: 'a table of keys and values',
};

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty list' : `a list (${clip(JSON.stringify(value))})`;
  if (typeof value === 'object') return `a table (${clip(Object.keys(value).join(', ') || 'empty')})`;
  const text = clip(JSON.stringify(value));
  return typeof value === 'string' ? text : `${text} (a ${typeof value})`;
}

const clip = (text: string) => (text.length <= 60 ? text : `${text.slice(0, 59)}…`);

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, step) =>
      typeof node === 'object' && node !== null
        ? own(node as Record<string, unknown>, String(step))
        : undefined,
    value,
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const dotted = (path: readonly PropertyKey[]) => path.map(String).join('.') || 'the file';

/** One error for all problems: file, line, what was found, what was expected. */
export function configurationError(file: string, problems: readonly Problem[]): ConfigurationError {
  const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const lines = firstProblems(
    sorted.map(
      ({ line, place, found, legal }) =>
        `${file}${line === undefined ? '' : `:${line}`}: ${clipped(place, 100)}: found ${clipped(found, 240)}; expected: ${legal}`,
    ),
    20,
    400,
  ).map((problem) => `  ${problem}`);
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  return new ConfigurationError(
    `The configuration has ${count}; nothing was built or run.\n${lines.join('\n')}`,
  );
}
