import { ConfigurationError } from '../errors/errors.ts';
import { parseShard, SHARD_WORDS, type ShardRequest } from '../session/shard.ts';
import {
  evidenceRequestSchema,
  parseVerdicts,
  VERDICTS,
  type EvidenceRequest,
  type Verdict,
} from '../session/rules.ts';

/** The action's inputs: read from the environment and checked. */

export const MODES = ['gate', 'measure', 'report', 'baseline'] as const;
export type Mode = (typeof MODES)[number];

/** `changes`: a comment is made where something is not unchanged, and kept up to date from then on. */
export const COMMENTS = ['true', 'changes', 'false'] as const;
export type Commenting = (typeof COMMENTS)[number];

/** The action's inputs, typed. What is empty in the workflow is undefined here, so that the file's word holds. */
export interface Inputs {
  readonly mode: Mode;
  readonly config: string | undefined;
  /** What the configuration is known by, over its path and its own word. */
  readonly name: string | undefined;
  readonly variants: readonly string[] | undefined;
  readonly baselineBranch: string | undefined;
  readonly evidence: EvidenceRequest | undefined;
  readonly failOn: readonly Verdict[] | undefined;
  readonly budget: string | undefined;
  readonly comment: Commenting;
  /** Whether to write a check that a branch rule can require. */
  readonly check: boolean;
  /** Whether a verdict without a decision fails the job and its check. */
  readonly requireDecision: boolean;
  /** Mode baseline: whether to keep an issue of what the nights show. */
  readonly issue: boolean;
  readonly githubToken: string | undefined;
  readonly registry: string | undefined;
  readonly cacheFrom: readonly string[] | undefined;
  readonly cacheTo: readonly string[] | undefined;
  readonly out: string | undefined;
  readonly artifactName: string | undefined;
  /** Mode measure: which share of the variants. */
  readonly shard: ShardRequest | undefined;
  /** Mode report: files, or folders with a `session.json` in them. */
  readonly sessions: readonly string[] | undefined;
  /** Mode report: the number of the pull request that the sessions are of, where the event is not its own. */
  readonly pullRequest: number | undefined;
  /** Mode gate: the sessions of an earlier job, of which this one measures again what regressed. */
  readonly confirm: readonly string[] | undefined;
  readonly buildSecretsOnPullRequests: boolean;
}

/** The inputs by their names in action.yml. */
export const INPUT_NAMES = [
  'mode',
  'config',
  'name',
  'variants',
  'baseline-branch',
  'evidence',
  'fail-on',
  'budget',
  'comment',
  'check',
  'require-decision',
  'issue',
  'github-token',
  'registry',
  'cache-from',
  'cache-to',
  'out',
  'artifact-name',
  'shard',
  'sessions',
  'pull-request',
  'confirm',
  'build-secrets-on-pull-requests',
] as const;
type InputName = (typeof INPUT_NAMES)[number];

/** Inputs that belong to one mode. */
const MODE_OF = {
  shard: 'measure',
  sessions: 'report',
  'pull-request': 'report',
  confirm: 'gate',
} as const satisfies Partial<Record<InputName, Mode>>;

/**
 * Reads the inputs from the runner's environment (`INPUT_<NAME>`).
 * @throws ConfigurationError with every input that is wrong: its name as typed, what was found, what it must be
 */
export function parseInputs(environment: Readonly<Record<string, string | undefined>>): Inputs {
  const reader = inputReader(environment);
  const { text, lines, words, oneOf, flag } = reader;
  const failOn = failOnOf(reader);
  const mode = oneOf('mode', MODES) ?? 'gate';
  const shard = shardOf(reader);
  checkMode(reader, mode, environment['GITHUB_EVENT_NAME']);
  const inputs: Inputs = {
    mode,
    config: text('config'),
    name: text('name'),
    variants: words('variants'),
    baselineBranch: text('baseline-branch'),
    evidence: oneOf('evidence', evidenceRequestSchema.options),
    failOn,
    budget: text('budget'),
    comment: commenting(reader),
    check: flag('check', true),
    requireDecision: flag('require-decision', false),
    issue: flag('issue', true),
    githubToken: text('github-token'),
    registry: text('registry'),
    cacheFrom: lines('cache-from'),
    cacheTo: lines('cache-to'),
    out: text('out'),
    artifactName: text('artifact-name'),
    shard,
    sessions: lines('sessions'),
    pullRequest: pullRequestOf(reader),
    confirm: lines('confirm'),
    buildSecretsOnPullRequests: flag('build-secrets-on-pull-requests', false),
  };
  const { problems } = reader;
  if (problems.length > 0)
    throw new ConfigurationError(
      `The action's inputs have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}; nothing was built or run.\n${problems.join('\n')}`,
    );
  return inputs;
}

type InputReader = ReturnType<typeof inputReader>;

/** Reads inputs in their forms, and collects what is wrong. */
function inputReader(environment: Readonly<Record<string, string | undefined>>) {
  const problems: string[] = [];
  const text = (name: InputName): string | undefined => {
    const value = environment[`INPUT_${name.toUpperCase()}`]?.trim();
    return value === '' ? undefined : value;
  };
  const wrong = (name: InputName, found: string, needed: string) =>
    problems.push(`  ${name}: found ${JSON.stringify(found)}; must be ${needed}`);
  const oneOf = <Value extends string>(name: InputName, values: readonly Value[]): Value | undefined => {
    const value = text(name);
    const found = values.find((word) => word === value);
    if (value !== undefined && found === undefined) wrong(name, value, `one of ${values.join(', ')}`);
    return found;
  };
  return {
    problems,
    text,
    wrong,
    oneOf,
    lines: (name: InputName) =>
      text(name)
        ?.split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    words: (name: InputName) =>
      text(name)
        ?.split(/[\s,]+/)
        .filter((word) => word !== ''),
    // A typo must not become false: only YAML's own words count.
    flag: (name: InputName, fallback: boolean): boolean => {
      const value = oneOf(name, ['true', 'false', 'True', 'False', 'TRUE', 'FALSE']);
      return value === undefined ? fallback : value.toLowerCase() === 'true';
    },
  };
}

/** YAML's own words for true and false count, as those of the other inputs. */
function commenting({ oneOf }: InputReader): Commenting {
  const found = oneOf('comment', [...COMMENTS, 'True', 'TRUE', 'False', 'FALSE'])?.toLowerCase();
  return COMMENTS.find((word) => word === found) ?? 'true';
}

function failOnOf({ words, wrong }: InputReader): Inputs['failOn'] {
  const given = words('fail-on');
  const { named, unknown } = parseVerdicts(given ?? []);
  for (const word of unknown) wrong('fail-on', word, `one of none, ${VERDICTS.join(', ')}`);
  return given === undefined ? undefined : named;
}

function shardOf({ text, wrong }: InputReader): Inputs['shard'] {
  const given = text('shard');
  const shard = given === undefined ? undefined : parseShard(given);
  if (given !== undefined && shard === undefined) wrong('shard', given, SHARD_WORDS);
  return shard;
}

function pullRequestOf({ text, wrong }: InputReader): Inputs['pullRequest'] {
  const given = text('pull-request');
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,9}$/.test(given)) return Number(given);
  wrong('pull-request', given, 'the number of a pull request, such as 7');
  return undefined;
}

/** An input that the mode does not read would be ignored, and the job would do another thing than was meant. */
function checkMode({ text, wrong }: InputReader, mode: Mode, event: string | undefined): void {
  for (const [name, of] of Object.entries(MODE_OF) as [keyof typeof MODE_OF, Mode][]) {
    const value = text(name);
    if (value !== undefined && mode !== of)
      wrong(name, value, `empty in mode ${mode}; it belongs to mode ${of}`);
  }
  // A job of the event workflow_run takes them from the run that ended.
  if (mode === 'report' && text('sessions') === undefined && event !== 'workflow_run')
    wrong('sessions', '', "files, or folders with the measuring jobs' artifacts");
}
