import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../plan/plan.ts';
import type { InterpreterTarget } from './bake.ts';
import { checkCertificate } from './certificate.ts';
import { checkEngine, type EngineVersions } from './engine-check.ts';
import type { ImageFacts } from './inspect.ts';
import { checkBuildPaths, checkContexts } from './paths.ts';
import { removeImages } from './store.ts';

/** Shared state of a session's images, and its removal. */

export interface ImageBuilderOptions {
  readonly plan: Plan;
  readonly sessionId: string;
  /** Absolute folder with the interpreters' folders and the default application's. */
  readonly variantsFolder: string;
  /** facts.py on this machine, absolute. */
  readonly facts: string;
  /** Absolute folder for temporary files; created when it does not exist. */
  readonly workFolder: string;
  /** Whether interpreters that are built here are pushed to the plan's registry; false by default. */
  readonly pushInterpreters?: boolean;
  readonly onLine: (line: string) => void;
}

/** Shared state of a session's images: the checked engine, a folder, and the names to remove at the end. */
export interface ImageSession extends Pick<ImageBuilderOptions, 'plan' | 'sessionId' | 'facts' | 'onLine'> {
  /** The common part of every bake definition of the session. */
  readonly target: Omit<InterpreterTarget, 'variant' | 'cacheFrom'>;
  /** Checks configuration and engine once. @throws ConfigurationError, BuildError as `ImageBuilder.check` does. */
  readonly engine: () => Promise<EngineVersions>;
  /** The session's own temporary folder. */
  readonly folder: () => Promise<string>;
  /** Names that this session made in the engine's store. */
  readonly names: Set<string>;
  /** Variant -> the baseline image that was pulled: the head is built upon its layers where they are equal. */
  readonly pulled: Map<string, { readonly reference: string; readonly facts: ImageFacts }>;
  /** Removes the session's names and its folder. */
  readonly end: () => Promise<void>;
}

export function startImageSession(options: ImageBuilderOptions): ImageSession {
  const { plan, sessionId, variantsFolder, workFolder, facts, onLine } = options;
  let engine: Promise<EngineVersions> | undefined;
  let folder: Promise<string> | undefined;
  const names = new Set<string>();
  return {
    plan,
    sessionId,
    facts,
    onLine,
    target: { build: plan.build, variantsFolder, root: plan.root },
    engine: () => (engine ??= checkAll(plan)),
    folder: () => (folder ??= newFolder(workFolder)),
    names,
    pulled: new Map(),
    async end() {
      await removeImages([...names]);
      names.clear();
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

async function checkAll({ build, root, variants }: Plan): Promise<EngineVersions> {
  await checkBuildPaths(build, root);
  await checkCertificate(build.ca, root);
  for (const variant of variants) if (variant.kind === 'interpreter') await checkContexts(variant, root);
  return await checkEngine();
}

async function newFolder(workFolder: string): Promise<string> {
  await mkdir(workFolder, { recursive: true });
  return await mkdtemp(join(workFolder, 'images-'));
}
