import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { buildCostSchema, type BuildCost } from '../../src/session/session.ts';

/** What each image's cold build cost: on disk as it comes, for they take two hours together. */
const buildsSchema = z.record(z.string(), z.object({ date: z.string(), cost: buildCostSchema }));
export type Builds = z.infer<typeof buildsSchema>;

/** Those of an earlier run; none where there is no such file. @throws where it does not parse */
export async function readBuilds(path: string): Promise<Builds> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? {} : buildsSchema.parse(JSON.parse(text));
}

export async function keepBuild(path: string, variant: string, cost: BuildCost): Promise<void> {
  const builds = await readBuilds(path);
  builds[variant] = { date: new Date().toISOString(), cost };
  await writeFile(path, `${JSON.stringify(builds, null, 2)}\n`);
}
