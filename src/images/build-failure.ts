import type { FailedStep } from './progress.ts';

/** What is known of a build that failed. */
export interface BuildFailure {
  readonly variant: string;
  /** Undefined where it is an interpreter's, which both sides share. */
  readonly side: string | undefined;
  readonly step: FailedStep | undefined;
  /** buildx's own last words. */
  readonly words: readonly string[];
}

/** The message of a build that failed: variant, side, step, the last lines and what to do. */
export function buildFailureMessage({ variant, side, step, words }: BuildFailure): string {
  const subject = side === undefined ? variant : `${variant} (${side})`;
  if (step === undefined) {
    // Bake says why in a line of its own, the last that begins with ERROR.
    const reason = words.findLast((line) => /^error/i.test(line)) ?? words.at(-1) ?? 'buildx gave no reason';
    const others = words.filter((line) => line !== reason);
    return [
      `${subject}: the image could not be built: ${reason.replace(/^error:\s*/i, '')}`,
      ...(others.length === 0 ? [] : ["buildx's last lines:", ...others.map((line) => `  ${line}`)]),
      ...(/find any target|failed to find target/.test(reason)
        ? ['A variant names one target of the bake file; a group is none.']
        : []),
    ].join('\n');
  }
  const base = /^load metadata for (\S+)/.exec(step.step)?.[1];
  if (base !== undefined)
    return [
      `${subject}: the base image ${base} could not be pulled: ${step.error}.`,
      'Check that this name and version exist, and that this machine can reach and may read its registry (network, proxy, `docker login`).',
    ].join(' ');
  return [
    `${subject}: the build stopped at \`${step.step}\` of ${dockerfileOf(step)}: ${reasonOf(step)}.`,
    ...(step.lastLines.length === 0
      ? ['The step printed nothing.']
      : ['Its last lines:', ...step.lastLines.map((line) => `  ${line}`)]),
    advice(step),
  ].join('\n');
}

/** Mounts that the default Dockerfile alone has: a project without one of its own must not look for this step in it. */
const DEFAULT_STEP = /--mount=from=files,target=\/files|\/run\/pacegate\/ca\.pem/;
const isDefault = ({ step }: FailedStep) => DEFAULT_STEP.test(step);

function dockerfileOf(step: FailedStep): string {
  if (step.target === 'interpreter') return "the interpreter's Dockerfile";
  return isDefault(step) ? "Pacegate's default Dockerfile" : "the application's Dockerfile";
}

/** `process "…" did not complete successfully: exit code: 3` says the command twice; the status is enough. */
function reasonOf({ error }: FailedStep): string {
  const status = /did not complete successfully: (.+)$/.exec(error)?.[1];
  // Of a long command the end, where the status stands, is cut.
  return status ?? (error.startsWith('process "') ? 'its command failed' : error);
}

function advice(step: FailedStep): string {
  const { target, lastLines, error } = step;
  const text = [...lastLines, error].join('\n');
  if (
    /certificate[ _]verify[ _]failed|self[- ]signed certificate|unknown authority|UnknownIssuer/i.test(text)
  )
    return 'A certificate was not trusted: where a proxy signs connections anew, name its authority with build.ca.';
  if (/no space left on device/i.test(text)) return 'The disk is full: `docker system df` shows what can go.';
  if (target !== 'interpreter' && isDefault(step))
    return "Mend the file that this step reads, or name a Dockerfile of the project's own with workload.dockerfile.";
  return target === 'interpreter'
    ? "Check the variant's version and release, and that the build can reach what it installs from."
    : 'Mend this step and run again; the other variants went on.';
}
