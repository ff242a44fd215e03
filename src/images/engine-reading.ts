import { hostname } from 'node:os';
import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import type { EngineReading } from '../session/machine-reading.ts';
import { tryDocker } from './docker.ts';
import { checkEngine } from './engine-check.ts';
import { readable } from './progress.ts';

/** Reads from the engine what doctor reports about it. */

const word = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === null || text === '' ? undefined : readable(text, 60)));

/** The part of `docker info` that is read; field names are Docker's. */
const infoSchema = z.object({
  Driver: word,
  CgroupDriver: word,
  CgroupVersion: word,
  Name: word,
  DockerRootDir: z.string().nullish(),
});
type Info = z.infer<typeof infoSchema>;

/**
 * Reads the engine's properties that matter for measuring. @throws BuildError if there is no engine, or if it is too
 * old.
 */
export async function readEngine(): Promise<EngineReading> {
  const { engine, buildx, buildkit, driver } = await checkEngine();
  // An older or another engine behind the same client may answer this one with nothing that is known.
  const { stdout } = await tryDocker(['info', '--format', '{{json .}}']);
  return { engine, buildx, buildkit, driver, ...parseInfo(stdout), disk: await imageDisk(stdout) };
}

/** @param text the output of `docker info --format '{{json .}}'`; ignored if it cannot be read */
export function parseInfo(text: string): Pick<EngineReading, 'storageDriver' | 'cgroup' | 'cgroupDriver'> {
  const info = infoOf(text);
  return {
    storageDriver: info?.Driver,
    cgroup: info?.CgroupVersion === '2' ? 2 : info?.CgroupVersion === '1' ? 1 : undefined,
    cgroupDriver: info?.CgroupDriver,
  };
}

function infoOf(text: string): Info | undefined {
  try {
    const parsed = infoSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The room for images. A path of another machine (DOCKER_HOST, Docker Desktop) may mean something else here. */
async function imageDisk(text: string): Promise<EngineReading['disk']> {
  const { Name: name, DockerRootDir: path } = infoOf(text) ?? {};
  if (name !== hostname() || path === undefined || path === null) return undefined;
  try {
    const { bavail, bsize } = await statfs(path);
    return { path, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}
