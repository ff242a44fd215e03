import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ImageRequest } from '../images/image-request.ts';
import type { Runnable } from '../measure/engine.ts';
import type { Plan, Variant } from '../plan/plan.ts';
import type { Side } from '../session/run.ts';
import { isSamePython, type Python } from '../session/facts.ts';
import type { Failure, Session } from '../session/session.ts';
import type { Ports, Prepared, SideTree, VariantSides } from './ports.ts';

export interface PreparedSides {
  readonly variants: readonly VariantSides[];
  readonly failures: readonly Failure[];
}

export interface SideRequest {
  readonly side: Side;
  readonly tree: SideTree;
  /** The digest reference to try first, if the history has one. */
  readonly known?: ((variant: Variant) => string | undefined) | undefined;
}

/**
 * Builds, pulls or finds every variant of every side, one at a time, and asks each interpreter for its facts. A side
 * that cannot be prepared is a failure in the result, and the others continue.
 */
export async function prepareSides(
  plan: Plan,
  requests: readonly SideRequest[],
  filesFrom: string,
  ports: Ports,
  signal: AbortSignal,
  secondsLeft: () => number,
): Promise<PreparedSides> {
  const variants: VariantSides[] = [];
  const failures: Failure[] = [];
  const cancelled = () => signal.aborted;
  for (const variant of plan.variants) {
    const sides: Partial<Record<Side, Runnable>> = {};
    for (const { side, tree, known } of requests) {
      if (cancelled()) return { variants, failures };
      // Each side is built with its own configuration, because a new Python version is part of the change.
      const own = ownVariant(tree, variant);
      const digest = known?.(own);
      const prepared = await prepareOne(
        { ...imageRequest(own, side, tree, filesFrom, secondsLeft()), known: digest },
        ports,
        signal,
        secondsLeft,
      );
      // A cancelled build says nothing about the side.
      if (prepared.kind === 'failed' && cancelled()) return { variants, failures };
      if (prepared.kind === 'ready') sides[side] = prepared.runnable;
      else failures.push(prepared.failure);
    }
    variants.push({ variant: variant.name, sides });
  }
  return { variants, failures };
}

/** A variant from a side's own configuration. */
export const ownVariant = ({ plan }: SideTree, variant: Variant): Variant =>
  plan?.variants.find(({ name }) => name === variant.name) ?? variant;

/**
 * Asks for a side's image, with the application's build settings from the side's own configuration. In the baseline a
 * Dockerfile that the change renames is still at its old path, and a dependency group that the change adds does not
 * exist.
 */
export const imageRequest = (
  variant: Variant,
  side: Side,
  { directory, plan }: SideTree,
  filesFrom: string,
  secondsLeft: number,
): ImageRequest => ({ variant, side, tree: directory, filesFrom, own: plan?.workload, secondsLeft });

async function prepareOne(
  request: Parameters<Ports['images']['prepare']>[0],
  ports: Ports,
  signal: AbortSignal,
  secondsLeft: () => number,
): Promise<Prepared> {
  const port = request.variant.kind === 'host' ? ports.hosts : ports.images;
  const prepared = await port.prepare(request, signal);
  if (prepared.kind === 'failed') {
    ports.log.warn(prepared.failure.message);
    return prepared;
  }
  const { runnable } = prepared;
  try {
    const facts = await ports.facts(runnable, { secondsLeft: secondsLeft(), signal });
    const other = await otherPython(prepared, facts, signal);
    if (other !== undefined) {
      ports.log.warn(other.message);
      return { kind: 'failed', failure: { variant: request.variant.name, side: request.side, ...other } };
    }
    const image = { ...runnable.image, facts, identity: runIdentity(runnable) };
    return { kind: 'ready', runnable: { ...runnable, image } };
  } catch (error) {
    const failure: Failure = {
      variant: request.variant.name,
      side: request.side,
      stage: 'engine',
      message: error instanceof Error ? error.message : String(error),
    };
    ports.log.warn(failure.message);
    return { kind: 'failed', failure };
  }
}

/**
 * Why the image does not measure its variant: the image runs another Python than the variant's interpreter. A
 * Dockerfile can replace the interpreter, or put another one before it in the PATH. A virtual environment of the
 * interpreter counts as the interpreter.
 */
async function otherPython(
  { runnable, interpreter }: Extract<Prepared, { kind: 'ready' }>,
  found: Python,
  signal: AbortSignal,
): Promise<Pick<Failure, 'stage' | 'message'> | undefined> {
  const asked = await interpreter?.(signal);
  if (asked === undefined) return undefined;
  const subject = `${runnable.image.variant} (${runnable.image.side})`;
  if (asked.kind === 'failed')
    return {
      // An interpreter that does not start was rejected when it was built, so this failure is not caused by the
      // application.
      stage: 'engine',
      message: `${subject}: whether the image runs this variant's Python could not be checked. ${asked.message}`,
    };
  const expected = asked.python;
  if (isSamePython(found, expected)) return undefined;
  const words = (python: Python) =>
    `${python.implementation} ${python.python} (${python.executable}${python.build === undefined ? '' : `, build ${python.build.replace(/^sha256:/, '').slice(0, 12)}`})`;
  return {
    stage: 'build',
    message: `${subject}: the image runs another Python than this variant's, so it would be measured under a wrong name. Found \`${runnable.python}\` to be ${words(found)}, expected ${words(expected)}. The Dockerfile installs one over it, upgrades its package, or puts one before it in the PATH: leave that out, or make a virtual environment of the interpreter (\`python -m venv\`). To measure an image with a Python of its own, write it as a variant of its own (\`image:\` or \`bake:\`).`,
  };
}

/** Identifies the image's bytes and how its interpreter is started. */
function runIdentity({ image, python, flags, env }: Runnable): string {
  const started = JSON.stringify([image.identity, python, flags, Object.entries(env).sort()]);
  return `sha256:${createHash('sha256').update(started).digest('hex')}`;
}

/** Notes about the images' own entrypoints, which Pacegate does not run and a workload may need. */
export function entrypointNotes(variants: readonly VariantSides[]): string[] {
  return variants.flatMap(({ variant, sides }) => {
    const entrypoint = sides.head?.image.entrypoint ?? sides.baseline?.image.entrypoint;
    return entrypoint === undefined
      ? []
      : [
          `${variant}: the image's ENTRYPOINT ${entrypoint.join(' ').slice(0, 200)} is not run, so the workload lacks what it sets or starts. If the workload needs it, name it in workload.command.`,
        ];
  });
}

/** Whether both sides have the same bytes and start in the same way, so that they need no measuring. */
export const identical = ({ sides }: VariantSides): boolean =>
  sides.baseline !== undefined && sides.baseline.image.identity === sides.head?.image.identity;

export const imagesOf = (variants: readonly VariantSides[]): Session['images'] =>
  variants.flatMap(({ sides }) =>
    [sides.baseline, sides.head].flatMap((runnable) => (runnable === undefined ? [] : [runnable.image])),
  );

/** The context's folder in a tree. */
export const contextOf = (plan: Plan, tree: SideTree) => join(tree.directory, plan.workload.context);
