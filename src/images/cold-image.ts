import { join } from 'node:path';
import type { Side } from '../session/run.ts';
import {
  type ApplicationFiles,
  bakeDefinition,
  folderOf,
  inPlaceOf,
  interpreterContexts,
  secretsOf,
  targetsOf,
  type InterpreterTarget,
} from './bake.ts';
import { build, type BuildRequest } from './buildx.ts';
import { coldBuild, coldName, costOf, together, type ColdBuild } from './cold-build.ts';
import { tryDocker } from './docker.ts';
import { inspectImage } from './inspect.ts';
import { imageTag } from './names.ts';

/** Builds one side of a variant without any cache, to measure what the build costs. */

export interface ColdImageRequest {
  /** The interpreter with all its arguments, its base by digest among them. */
  readonly target: InterpreterTarget;
  /** Labels of the interpreter's own image. */
  readonly labels: Readonly<Record<string, string>>;
  readonly side: Side;
  readonly sessionId: string;
  readonly application: ApplicationFiles;
  readonly driver: string;
  readonly request: Omit<BuildRequest, 'definition' | 'target' | 'directory'>;
  /** What the interpreter's own image is kept under: the one that is made here is kept, where there is none yet. */
  readonly keepAs: string;
  /** Called with each name in the engine's store that the session must remove, before the name is created. */
  readonly onName: (name: string) => void;
}

/**
 * One side of a variant, interpreter and application, built with no step from a cache.
 *
 * With the engine's own builder each is built in a cgroup of its own. Another builder does not see the engine's images
 * nor is its cgroup known here, so there both are one build, of which the wall time is all that can be said.
 */
export async function coldImage(cold: ColdImageRequest, signal: AbortSignal): Promise<ColdBuild> {
  const session = `${cold.sessionId}-cold`;
  const tag = imageTag(cold.target.variant.name, cold.side, session);
  cold.onName(tag);
  return cold.driver === 'docker'
    ? await inTwoBuilds(cold, session, tag, signal)
    : await inOneBuild(cold, session, signal);
}

async function inOneBuild(
  { target, side, application, request }: ColdImageRequest,
  session: string,
  signal: AbortSignal,
): Promise<ColdBuild> {
  const { variant } = target;
  const definition = bakeDefinition({
    ...target,
    build: { ...target.build, cacheFrom: [], cacheTo: [], registry: undefined },
    variant: { ...variant, args: { ...variant.args, CACHE_ID: coldName() } },
    side,
    sessionId: session,
    application,
  });
  const { done, cost } = await costOf(
    async () =>
      await build(
        {
          ...request,
          definition,
          target: targetsOf(variant.name, side).application,
          directory: target.root,
          cold: true,
        },
        signal,
      ),
  );
  return done.kind === 'failed' ? done : { kind: 'built', cost };
}

async function inTwoBuilds(
  { target, labels, side, application, request, keepAs, onName }: ColdImageRequest,
  session: string,
  tag: string,
  signal: AbortSignal,
): Promise<ColdBuild> {
  const { variant, variantsFolder, root } = target;
  const folder = join(variantsFolder, folderOf(variant));
  const base = imageTag(`${variant.name}-interpreter`, side, session);
  onName(base);
  const shared = {
    variant: variant.name,
    secrets: secretsOf(target.build, root),
    directory: root,
    onLine: request.onLine,
  };
  const interpreter = await coldBuild(
    {
      ...shared,
      folder,
      dockerfile: join(folder, 'Dockerfile'),
      args: variant.args,
      contexts: interpreterContexts(variant, variantsFolder, root),
      labels,
      tag: base,
    },
    signal,
  );
  if (interpreter.kind === 'failed') return interpreter;
  if ((await inspectImage(keepAs)) === undefined) await tryDocker(['tag', base, keepAs]);
  const whole = await coldBuild(
    {
      ...shared,
      folder: application.context,
      dockerfile: application.dockerfile,
      args: application.args,
      contexts: { ...application.contexts, ...inPlaceOf(application.replaces, `docker-image://${base}`) },
      labels: {},
      tag,
    },
    signal,
  );
  return whole.kind === 'failed' ? whole : { kind: 'built', cost: together(interpreter.cost, whole.cost) };
}
