import { ConfigurationError } from '../errors/errors.ts';
import { parseShard, SHARD_WORDS, type ShardRequest } from '../session/shard.ts';
import {
  evidenceRequestSchema,
  parseVerdicts,
  VERDICTS,
  type EvidenceRequest,
  type Verdict,
} from '../session/rules.ts';

/** Reads the action's inputs from the environment and checks them. */

export const MODES = ['gate', 'plan', 'measure', 'report', 'baseline'] as const;
export type Mode = (typeof MODES)[number];

/** `changes`: create a comment once something is not unchanged, and keep it up to date from then on. */
export const COMMENTS = ['true', 'changes', 'false'] as const;
export type Commenting = (typeof COMMENTS)[number];

/** The action's inputs, typed. An empty input is undefined here, so that the configuration file applies. */
export interface Inputs {
  readonly mode: Mode;
  readonly config: string | undefined;
  /** The configuration's name. It overrides the name in the file and the one derived from the path. */
  readonly name: string | undefined;
  readonly variants: readonly string[] | undefined;
  readonly baselineBranch: string | undefined;
  readonly evidence: EvidenceRequest | undefined;
  readonly failOn: readonly Verdict[] | undefined;
  readonly budget: string | undefined;
  readonly comment: Commenting;
  /** Whether to write a check, which a branch rule can require. */
  readonly check: boolean;
  /** Whether `inconclusive` and similar verdicts fail the job and its check. */
  readonly requireDecision: boolean;
  /** Mode baseline: whether to keep an issue about the nights' findings. */
  readonly issue: boolean;
  readonly githubToken: string | undefined;
  readonly registry: string | undefined;
  readonly cacheFrom: readonly string[] | undefined;
  readonly cacheTo: readonly string[] | undefined;
  readonly out: string | undefined;
  readonly artifactName: string | undefined;
  /** Mode measure: the share of the variants to measure. */
  readonly shard: ShardRequest | undefined;
  /** Mode report: files, or folders that contain a `session.json`. */
  readonly sessions: readonly string[] | undefined;
  /** Mode report: the pull request of the sessions, if the event is not of this pull request. */
  readonly pullRequest: number | undefined;
  /** Mode gate: sessions of an earlier job. This job measures their regressions again. */
  readonly confirm: readonly string[] | undefined;
  /** Mode report: whether another job confirms regressions. This job then leaves them to it. */
  readonly confirmationFollows: boolean;
  /** Mode plan: the largest number of measuring jobs. */
  readonly maxShards: number | undefined;
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
  'confirmation-follows',
  'max-shards',
  'build-secrets-on-pull-requests',
] as const;
type InputName = (typeof INPUT_NAMES)[number];

/** Inputs that only one mode reads. */
const MODE_OF = {
  shard: 'measure',
  sessions: 'report',
  'pull-request': 'report',
  confirm: 'gate',
  'max-shards': 'plan',
} as const satisfies Partial<Record<InputName, Mode>>;

/**
 * Reads the inputs from the runner's environment (`INPUT_<NAME>`).
 * @throws ConfigurationError that lists every wrong input: its name as typed, the value found, the values allowed
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
    confirmationFollows: confirmationFollows(reader, mode),
    maxShards: maxShardsOf(reader),
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

/** Reads inputs of each type, and collects errors. */
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
    // Only YAML's own words count, so that a typo does not become false.
    flag: (name: InputName, fallback: boolean): boolean => {
      const value = oneOf(name, ['true', 'false', 'True', 'False', 'TRUE', 'FALSE']);
      return value === undefined ? fallback : value.toLowerCase() === 'true';
    },
  };
}

/** Accepts YAML's own words for true and false, as the other inputs do. */
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

function confirmationFollows({ flag, wrong }: InputReader, mode: Mode): boolean {
  const follows = flag('confirmation-follows', false);
  if (follows && mode !== 'report')
    wrong('confirmation-follows', 'true', `empty or false in mode ${mode}; it belongs to mode report`);
  return follows;
}

function maxShardsOf({ text, wrong }: InputReader): Inputs['maxShards'] {
  const given = text('max-shards');
  if (given === undefined) return undefined;
  const most = /^\d{1,3}$/.test(given) ? Number(given) : 0;
  if (most >= 1 && most <= 256) return most;
  // GitHub's limit for the jobs of one matrix.
  wrong('max-shards', given, 'a whole number from 1 to 256');
  return undefined;
}

/** Rejects an input that the mode does not read. Otherwise it would be ignored silently. */
function checkMode({ text, wrong }: InputReader, mode: Mode, event: string | undefined): void {
  for (const [name, of] of Object.entries(MODE_OF) as [keyof typeof MODE_OF, Mode][]) {
    const value = text(name);
    if (value !== undefined && mode !== of)
      wrong(name, value, `empty in mode ${mode}; it belongs to mode ${of}`);
  }
  // A job of the event workflow_run reads the sessions of the run that ended.
  if (mode === 'report' && text('sessions') === undefined && event !== 'workflow_run')
    wrong('sessions', '', "files, or folders with the measuring jobs' artifacts");
}
