import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Timeline } from '../session/timeline.ts';

/** Where the kernel says what a container, or a process with its children, has used. */

/** One reading of a run: CPU time so far (s), memory and anonymous memory (bytes); undefined after its end. */
export type UsageReader = () => readonly [number, number, number | null] | undefined;

export interface Found {
  readonly source: Timeline['source'];
  readonly look: UsageReader;
}

/** Where Linux shows what is looked at; a test has its own. */
export interface Roots {
  readonly cgroup: string;
  readonly proc: string;
}

const ROOTS: Roots = { cgroup: '/sys/fs/cgroup', proc: '/proc' };

/** A file of a kernel's file system, which never waits; undefined where it is not there. */
export function kernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Where engines put a container's group, below the root: Docker with cgroupfs and with systemd, Podman, rootless Docker. */
const placesOf = (id: string): readonly string[] => [
  `docker/${id}`,
  `system.slice/docker-${id}.scope`,
  `machine.slice/libpod-${id}.scope`,
  `user.slice/user-${process.getuid?.() ?? 0}.slice/user@${process.getuid?.() ?? 0}.service/user.slice/docker-${id}.scope`,
];

/**
 * The cgroup of a container, version 2 or 1.
 * @param id the container's full id
 * @returns the way to look at it; undefined where there is none (yet), or it lacks a figure
 */
export function findCgroup(id: string, { cgroup: root }: Roots = ROOTS): Found | undefined {
  if (!/^[0-9a-f]{12,64}$/.test(id)) return undefined;
  for (const place of placesOf(id)) {
    for (const look of [versionTwo(join(root, place)), versionOne(root, place)])
      if (look() !== undefined) return { source: 'cgroup', look };
  }
  return undefined;
}

const versionTwo =
  (folder: string): UsageReader =>
  () => {
    const memory = kernelFile(join(folder, 'memory.current'));
    const cpu = memory === undefined ? undefined : field(kernelFile(join(folder, 'cpu.stat')), 'usage_usec');
    if (memory === undefined || cpu === undefined) return undefined;
    return [cpu / 1e6, Number(memory), field(kernelFile(join(folder, 'memory.stat')), 'anon') ?? null];
  };

const versionOne =
  (root: string, place: string): UsageReader =>
  () => {
    const cpu = kernelFile(join(root, 'cpuacct', place, 'cpuacct.usage'));
    const memory =
      cpu === undefined ? undefined : kernelFile(join(root, 'memory', place, 'memory.usage_in_bytes'));
    if (cpu === undefined || memory === undefined) return undefined;
    const stat = kernelFile(join(root, 'memory', place, 'memory.stat'));
    return [Number(cpu) / 1e9, Number(memory), field(stat, 'total_rss') ?? null];
  };

/** The figure of a line `NAME FIGURE`. */
function field(text: string | undefined, name: string): number | undefined {
  const digits = text === undefined ? undefined : new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Linux gives processes' times in hundredths, whatever its own tick is (USER_HZ). */
const TICKS = 100;

/** A bound, because a workload may fork without end. */
const MOST_PROCESSES = 512;

/**
 * A process with all its descendants: user and system time of each, with that of the children it has waited for, so
 * that what has ended still counts; resident memory, summed. The probe adopts what loses its parent.
 */
export function processTree(pid: number, { proc }: Roots = ROOTS): Found {
  const look: UsageReader = () => {
    let cpu = 0;
    let memory = 0;
    let anonymous = 0;
    let alive = 0;
    const waiting = [pid];
    for (let next = waiting.pop(); next !== undefined && alive < MOST_PROCESSES; next = waiting.pop()) {
      const stat = kernelFile(`${proc}/${next}/stat`);
      if (stat === undefined) continue;
      alive += 1;
      // The name in brackets may contain any character, also brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      cpu += [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index] ?? 0), 0);
      const status = kernelFile(`${proc}/${next}/status`);
      memory += (field(status, 'VmRSS') ?? 0) * 1024;
      anonymous += (field(status, 'RssAnon') ?? 0) * 1024;
      waiting.push(...childrenOf(next, proc));
    }
    return alive === 0 ? undefined : [cpu / TICKS, memory, anonymous];
  };
  return { source: 'processes', look };
}

function childrenOf(pid: number, proc: string): readonly number[] {
  try {
    return readdirSync(`${proc}/${pid}/task`).flatMap((thread) =>
      (kernelFile(`${proc}/${pid}/task/${thread}/children`) ?? '')
        .split(' ')
        .filter((word) => word.trim() !== '')
        .map(Number),
    );
  } catch {
    return [];
  }
}
