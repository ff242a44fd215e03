import { ConfigurationError } from '../errors/errors.ts';
import {
  evidenceRequestSchema,
  parseVerdicts,
  VERDICTS,
  type EvidenceRequest,
  type Verdict,
} from '../session/rules.ts';

/** The action's inputs, typed. What is empty in the workflow is undefined here, so that the file's word holds. */
export interface Inputs {
  readonly mode: 'gate' | 'baseline';
  readonly config: string | undefined;
  readonly variants: readonly string[] | undefined;
  readonly baselineBranch: string | undefined;
  readonly evidence: EvidenceRequest | undefined;
  readonly failOn: readonly Verdict[] | undefined;
  readonly budget: string | undefined;
  readonly comment: boolean;
  readonly githubToken: string | undefined;
  readonly registry: string | undefined;
  readonly cacheFrom: readonly string[] | undefined;
  readonly cacheTo: readonly string[] | undefined;
  readonly out: string | undefined;
  readonly artifactName: string | undefined;
  readonly buildSecretsOnPullRequests: boolean;
}

/** The inputs by their names in action.yml. */
export const INPUT_NAMES = [
  'mode',
  'config',
  'variants',
  'baseline-branch',
  'evidence',
  'fail-on',
  'budget',
  'comment',
  'github-token',
  'registry',
  'cache-from',
  'cache-to',
  'out',
  'artifact-name',
  'build-secrets-on-pull-requests',
] as const;
type InputName = (typeof INPUT_NAMES)[number];

/**
 * Reads the inputs from the runner's environment (`INPUT_<NAME>`).
 * @throws ConfigurationError with every input that is wrong: its name as typed, what was found, what is legal
 */
export function parseInputs(environment: Readonly<Record<string, string | undefined>>): Inputs {
  const problems: string[] = [];
  const text = (name: InputName): string | undefined => {
    const value = environment[`INPUT_${name.toUpperCase()}`]?.trim();
    return value === '' ? undefined : value;
  };
  const wrong = (name: InputName, found: string, legal: string) =>
    problems.push(`  ${name}: found ${JSON.stringify(found)}; legal: ${legal}`);
  const oneOf = <Value extends string>(name: InputName, legal: readonly Value[]): Value | undefined => {
    const value = text(name);
    const found = legal.find((word) => word === value);
    if (value !== undefined && found === undefined) wrong(name, value, legal.join(', '));
    return found;
  };
  const lines = (name: InputName) =>
    text(name)
      ?.split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  const words = (name: InputName) =>
    text(name)
      ?.split(/[\s,]+/)
      .filter((word) => word !== '');
  // A typo must not become false: only YAML's own words count.
  const flag = (name: InputName, fallback: boolean): boolean => {
    const value = oneOf(name, ['true', 'false', 'True', 'False', 'TRUE', 'FALSE']);
    return value === undefined ? fallback : value.toLowerCase() === 'true';
  };
  const failOn = parseVerdicts(words('fail-on') ?? []);
  for (const word of failOn.unknown) wrong('fail-on', word, `none, ${VERDICTS.join(', ')}`);

  const inputs: Inputs = {
    mode: oneOf('mode', ['gate', 'baseline']) ?? 'gate',
    config: text('config'),
    variants: words('variants'),
    baselineBranch: text('baseline-branch'),
    evidence: oneOf('evidence', evidenceRequestSchema.options),
    failOn: words('fail-on') === undefined ? undefined : failOn.named,
    budget: text('budget'),
    comment: flag('comment', true),
    githubToken: text('github-token'),
    registry: text('registry'),
    cacheFrom: lines('cache-from'),
    cacheTo: lines('cache-to'),
    out: text('out'),
    artifactName: text('artifact-name'),
    buildSecretsOnPullRequests: flag('build-secrets-on-pull-requests', false),
  };
  if (problems.length > 0)
    throw new ConfigurationError(
      `The action's inputs have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}; nothing was built or run.\n${problems.join('\n')}`,
    );
  return inputs;
}
