import { hintFor } from '../errors/hints.ts';
import type { FailedStep, RunningStep } from './progress.ts';

/** The facts of a failed build. */
export interface BuildFailure {
  readonly variant: string;
  /** Undefined for an interpreter, which both sides share. */
  readonly side: string | undefined;
  readonly step: FailedStep | undefined;
  /** buildx's own last words. */
  readonly words: readonly string[];
}

/** The message of a build that failed: variant, side, step, the last lines and what to do. */
export function buildFailureMessage({ variant, side, step, words }: BuildFailure): string {
  const subject = side === undefined ? variant : `${variant} (${side})`;
  if (step === undefined) {
    // Bake prints the reason in the last line that begins with ERROR.
    const reason = words.findLast((line) => /^error/i.test(line)) ?? words.at(-1) ?? 'buildx gave no reason';
    const others = words.filter((line) => line !== reason);
    return [
      `${subject}: the image could not be built: ${reason.replace(/^error:\s*/i, '')}`,
      ...(others.length === 0 ? [] : ["buildx's last lines:", ...others.map((line) => `  ${line}`)]),
      ...(/find any target|failed to find target/.test(reason)
        ? ['A variant names one target of the bake file, not a group.']
        : []),
    ].join('\n');
  }
  return (
    missingBaseMessage(subject, step) ??
    [
      `${subject}: the build stopped at \`${step.step}\` of ${dockerfileOf(step)}: ${reasonOf(step)}.`,
      ...(step.lastLines.length === 0
        ? ['The step printed nothing.']
        : ['Its last lines:', ...step.lastLines.map((line) => `  ${line}`)]),
      advice(step),
    ].join('\n')
  );
}

/** The message for a base that could not be pulled: its name may be wrong, or the registry cannot be reached. */
function missingBaseMessage(subject: string, { step, error }: FailedStep): string | undefined {
  const base = /^load metadata for (\S+)/.exec(step)?.[1];
  return base === undefined
    ? undefined
    : `${subject}: the base image ${base} could not be pulled: ${error}. Check that this name and version exist, and that this machine can reach and may read its registry (network, proxy, \`docker login\`).`;
}

/** Mounts that the default Dockerfile alone has: a project without one of its own must not look for this step in it. */
const DEFAULT_STEP = /--mount=from=pacegate-installer\b/;
const isDefault = ({ step }: FailedStep) => DEFAULT_STEP.test(step);

function dockerfileOf(step: FailedStep): string {
  if (step.target === 'interpreter') return "the interpreter's Dockerfile";
  return isDefault(step) ? "Pacegate's default Dockerfile" : "the application's Dockerfile";
}

/** The cause of a missing image: its definition, or the engine or the time limit. */
export type Fault = 'build' | 'engine';

/**
 * Messages of BuildKit and the docker client if the engine, its network or its disk failed, and no step of a
 * Dockerfile. They are searched only in buildx's own lines, because a step may print anything.
 */
const ENGINE_WORDS = [
  // The engine is not there, or went away in the middle.
  /cannot connect to the docker daemon|error during connect|is the docker daemon running/i,
  /rpc error: code = (?:unavailable|internal)\b|error reading from server|transport is closing|frontend grpc server closed/i,
  /(?:connection reset by peer|broken pipe|unexpected EOF|\bEOF)$/i,
  /failed to get status|failed to receive status|no active sessions?\b|closing transport/i,
  // It was stopped, and took its builds along.
  /context canceled|code = canceled|signal: killed|shim .*(?:closed|exited)/i,
  // Its network is gone.
  /(?:could not|cannot) find (?:bridge|network)|failed to create endpoint|failed to (?:create|add) .*\bveth|adding interface .* to bridge/i,
  /no such network interface|link not found|operation not supported.*bridge|iptables.*failed/i,
  // The registry, or the way to it, is away: what stands in the Dockerfile is not known to be wrong.
  /no such host|server misbehaving|i\/o timeout|connection refused|TLS handshake timeout|network is unreachable|too ?many ?requests/i,
  /unexpected status(?: from \w+ request to \S+)?: 5\d\d/i,
  // Its disk is full.
  /no space left on device|disk quota exceeded|read-only file system/i,
];

/** The cause of a failed pull, from the client's message. */
export const pullFault = (reason: string): Fault =>
  ENGINE_WORDS.some((pattern) => pattern.test(reason)) || reason.includes('did not answer in time')
    ? 'engine'
    : 'build';

/** Whether the engine caused the failure, and not the build's definition. */
export function faultOf({
  step,
  words,
}: {
  readonly step: Pick<FailedStep, 'error' | 'lastLines'> | undefined;
  readonly words: readonly string[];
}): Fault {
  // The step's command failed. Only a full disk is another cause, and its message names it.
  const isCommands = step?.error.includes('did not complete successfully: exit code') === true;
  const said = isCommands ? step.lastLines : step !== undefined ? [step.error] : words;
  const patterns = isCommands ? [/no space left on device/i] : ENGINE_WORDS;
  return said.some((line) => patterns.some((pattern) => pattern.test(line.trim().replace(/[.]$/, ''))))
    ? 'engine'
    : 'build';
}

/** The message of a build that failed because of the engine. */
export function engineFailureMessage(subject: string, failure: BuildFailure): string {
  const { step, words } = failure;
  const reason =
    step?.error ?? words.findLast((line) => /error/i.test(line)) ?? words.at(-1) ?? 'it gave no reason';
  const full = [reason, ...(step?.lastLines ?? [])].some((line) => /no space left on device/i.test(line));
  const missing = step === undefined || full ? undefined : missingBaseMessage(subject, step);
  if (missing !== undefined) return missing;
  return [
    `${subject}: the engine failed while it built the image${step === undefined ? '' : ` (at \`${step.step}\`)`}: ${reason.replace(/^error:\s*/i, '').replace(/[.]+$/, '')}.`,
    full
      ? 'The disk is full: `docker system df` shows what can go.'
      : 'The Dockerfile is not the cause: `docker info` and the engine’s log say more. Run it again when the engine works.',
  ].join('\n');
}

export interface OverrunBuild {
  readonly subject: string;
  readonly seconds: number;
  /** What was running at the end. */
  readonly step: RunningStep | undefined;
  /** The setting of the limit, to raise if the build needs as long. */
  readonly limit: string;
}

/** The message of a build that did not end in its time. */
export function overrunMessage({ subject, seconds, step, limit }: OverrunBuild): string {
  if (step === undefined)
    return `${subject}: the build did not end within ${limit}; it was ended after ${seconds.toFixed(0)} s, and no step was running. Raise rules.budget if it is meant to take that long; if not, \`docker info\` and the engine's log say more.`;
  const whose =
    step.target === 'interpreter' ? "the interpreter's Dockerfile" : "the application's Dockerfile";
  return [
    `${subject}: the build did not end within ${limit}: it was ended after ${seconds.toFixed(0)} s at \`${step.step}\` of ${whose}, which had run for ${step.seconds.toFixed(0)} s.`,
    ...(step.lastLines.length === 0
      ? ['The step printed nothing.']
      : ['Its last lines:', ...step.lastLines.map((line) => `  ${line}`)]),
    'If the step is meant to take that long, raise rules.budget; if not, it hangs.',
  ].join('\n');
}

/** `process "…" did not complete successfully: exit code: 3` says the command twice; the status is enough. */
function reasonOf({ error }: FailedStep): string {
  const status = /did not complete successfully: (.+)$/.exec(error)?.[1];
  // Of a long command the end, where the status stands, is cut.
  return status ?? (error.startsWith('process "') ? 'its command failed' : error);
}

/**
 * Messages of a step that needs `.git`: BuildKit's for a path, git's, and those of tools that read a version from tags.
 */
const NO_GIT =
  /"?\/\.git(?:\/[^"\s]*)?"?: (?:not found|no such file)|not a git repository|(?:setuptools[-_]scm|hatch-vcs|versioningit|vcs_versioning) .*(?:unable to detect|cannot|failed)|unable to detect version control/i;

function advice(step: FailedStep): string {
  const { target, lastLines, error } = step;
  const text = [...lastLines, error].join('\n');
  if (
    /certificate[ _]verify[ _]failed|self[- ]signed certificate|unknown authority|UnknownIssuer/i.test(text)
  )
    return 'A certificate was not trusted: where a proxy signs connections again, name its authority with build.ca.';
  if (/no space left on device/i.test(text)) return 'The disk is full: `docker system df` shows what can go.';
  if (NO_GIT.test(text))
    return 'The build context has no .git, on either side: it holds the files of the commit. Give the step what it reads there in another way, such as a version with SETUPTOOLS_SCM_PRETEND_VERSION (ENV in the Dockerfile).';
  const hint = target === 'interpreter' ? undefined : hintFor(text);
  if (hint !== undefined) return hint;
  if (target !== 'interpreter' && isDefault(step))
    return "Correct the file that this step reads, or name a Dockerfile of the project's own with workload.dockerfile.";
  return target === 'interpreter'
    ? "Check the variant's version and release, and that the build can reach what it installs from."
    : 'Correct this step and run again. The other variants continued.';
}
