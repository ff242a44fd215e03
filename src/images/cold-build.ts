import { readFile } from 'node:fs/promises';
import { runCommand } from '../process/command.ts';
import type { BuildCost } from '../session/session.ts';
import { endedBuild, failedBuild, lastStep } from './buildx.ts';
import { followProgress } from './progress.ts';

/** One image as `docker buildx build` makes it. */
export interface ColdBuildRequest {
  /** The name in log lines and messages. */
  readonly variant: string;
  readonly folder: string;
  readonly dockerfile: string;
  readonly args: Readonly<Record<string, string>>;
  readonly contexts: Readonly<Record<string, string>>;
  /** buildx secret specifications. */
  readonly secrets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly tag: string;
  /** Folder that relative paths of secrets start from. */
  readonly directory: string;
  readonly onLine: (line: string) => void;
}

export type ColdBuild =
  | { readonly kind: 'built'; readonly cost: BuildCost }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Builds an image without a cache, and measures the cost. The build has a cgroup of its own, whose counter holds the
 * processor time of every step, also of those that have ended: unlike the wall time it hardly depends on the other work of the
 * machine does. The counter cannot be read if the engine is on another machine. Cache mounts get a new name, so that
 * they are empty (the argument `CACHE_ID` of Pacegate's Dockerfiles).
 */
export async function coldBuild(request: ColdBuildRequest, signal: AbortSignal): Promise<ColdBuild> {
  const { variant, onLine } = request;
  const cgroup = coldName();
  const progress = followProgress(`${variant} cold`, undefined, onLine);
  const last = lastStep(progress, signal);
  const measured = await costOf(async () => {
    const { status } = await runCommand('docker', coldBuildArguments(request, cgroup), {
      cwd: request.directory,
      signal,
      group: true,
      onStderrLine: (line) => {
        progress.feed(line);
      },
    });
    return status === 0;
  });
  if (measured.done) {
    return { kind: 'built', cost: { ...measured.cost, cpuSeconds: await cpuSecondsOf(cgroup) } };
  }
  const subject = `${variant} (cold build)`;
  return signal.aborted
    ? await endedBuild({ subject, seconds: measured.cost.seconds, signal, step: last() })
    : await failedBuild(subject, {
        variant,
        side: undefined,
        step: progress.failed(),
        words: progress.words(),
      });
}

/** A new name for the cgroup and the cache mounts. */
export const coldName = (): string => `pacegate-build-${process.pid}-${Date.now().toString(36)}`;

/** Wall time of some work, and how busy the machine was meanwhile. */
export async function costOf<Done>(
  work: () => Promise<Done>,
): Promise<{ readonly done: Done; readonly cost: BuildCost }> {
  const before = await cpuPressureSeconds();
  const started = performance.now();
  const done = await work();
  const seconds = (performance.now() - started) / 1000;
  const after = await cpuPressureSeconds();
  return {
    done,
    cost: {
      seconds,
      cpuPressure: before === undefined || after === undefined ? undefined : (after - before) / seconds,
    },
  };
}

/** The sum of two consecutive builds. */
export function together(a: BuildCost, b: BuildCost): BuildCost {
  const seconds = a.seconds + b.seconds;
  return {
    seconds,
    // A build without a RUN step has no cgroup. If the other build's cgroup could be read, this one counts as zero.
    cpuSeconds:
      a.cpuSeconds === undefined && b.cpuSeconds === undefined
        ? undefined
        : (a.cpuSeconds ?? 0) + (b.cpuSeconds ?? 0),
    cpuPressure:
      a.cpuPressure === undefined || b.cpuPressure === undefined
        ? undefined
        : (a.cpuPressure * a.seconds + b.cpuPressure * b.seconds) / seconds,
  };
}

/** The argument list after `docker`. */
export function coldBuildArguments(
  { folder, dockerfile, args, contexts, labels, secrets, tag }: ColdBuildRequest,
  cgroup: string,
): string[] {
  return [
    ...['buildx', 'build', '--no-cache', '--progress', 'rawjson', '--provenance=false', '--sbom=false'],
    ...['--cgroup-parent', `/${cgroup}`, '--output', 'type=docker', '--tag', tag, '--file', dockerfile],
    ...Object.entries({ ...args, CACHE_ID: cgroup }).flatMap(([key, value]) => [
      '--build-arg',
      `${key}=${value}`,
    ]),
    ...Object.entries(contexts).flatMap(([key, value]) => ['--build-context', `${key}=${value}`]),
    ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
    ...secrets.flatMap((secret) => ['--secret', secret]),
    folder,
  ];
}

/** cgroup v1 counts in nanoseconds, v2 in microseconds; the group stays until it is removed. */
async function cpuSecondsOf(cgroup: string): Promise<number | undefined> {
  const v1 = await readFile(`/sys/fs/cgroup/cpuacct/${cgroup}/cpuacct.usage`, 'utf8').catch(() => undefined);
  const v2 = await readFile(`/sys/fs/cgroup/${cgroup}/cpu.stat`, 'utf8').catch(() => undefined);
  const microseconds = /^usage_usec (\d+)$/m.exec(v2 ?? '')?.[1];
  if (v1 !== undefined) return Number(v1) / 1e9;
  return microseconds === undefined ? undefined : Number(microseconds) / 1e6;
}

/** PSI's total of `some cpu`, in seconds since the machine's start. https://docs.kernel.org/accounting/psi.html */
async function cpuPressureSeconds(): Promise<number | undefined> {
  const text = await readFile('/proc/pressure/cpu', 'utf8').catch(() => '');
  const total = /^some .*total=(\d+)/m.exec(text)?.[1];
  return total === undefined ? undefined : Number(total) / 1e6;
}
