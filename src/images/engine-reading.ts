import { hostname } from 'node:os';
import { statfs } from 'node:fs/promises';
import { z } from 'zod';
import { BuildError } from '../errors/errors.ts';
import type { EngineReading } from '../session/machine-reading.ts';
import { lastWords, tryDocker } from './docker.ts';
import { checkEngine } from './engine-check.ts';
import { readable } from './progress.ts';

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
 * Asks the engine what it is like for measuring.
 * @throws BuildError as the check of the engine does: there is none, or it is too old for what is needed.
 */
export async function readEngine(): Promise<EngineReading> {
  const { engine, buildx, buildkit, driver } = await checkEngine();
  const result = await tryDocker(['info', '--format', '{{json .}}']);
  const info = parseInfo(result.stdout);
  if (result.status !== 0 || info === undefined)
    throw new BuildError(
      `Tried \`docker info\`; the engine's answer cannot be read: ${result.status === 0 ? readable(result.stdout) : lastWords(result)}. Look at what \`docker info\` says, and at the engine's log.`,
    );
  return { engine, buildx, buildkit, driver, ...info, disk: await imageDisk(result.stdout) };
}

/** @returns undefined where the text is no answer of `docker info --format '{{json .}}'` */
export function parseInfo(
  text: string,
): Pick<EngineReading, 'storageDriver' | 'cgroup' | 'cgroupDriver'> | undefined {
  const info = infoOf(text);
  return info === undefined
    ? undefined
    : {
        storageDriver: info.Driver,
        cgroup: info.CgroupVersion === '2' ? 2 : info.CgroupVersion === '1' ? 1 : undefined,
        cgroupDriver: info.CgroupDriver,
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
