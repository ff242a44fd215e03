import { createHash } from 'node:crypto';
import { MeasurementError } from '../errors/errors.ts';
import type { Runnable } from '../measure/engine.ts';
import type { HostVariant, Plan } from '../plan/plan.ts';
import { contextOf } from './sides.ts';
import type { HostPort } from './ports.ts';

/** Functions that read this machine's interpreters and folders. */
export interface HostMachine {
  /**
   * The real interpreter behind a command.
   * @throws MeasurementError if it does not start
   */
  readonly resolveInterpreter: (python: string) => Promise<string>;
  /** One hash over every file of a folder. */
  readonly hashFolder: (folder: string) => Promise<string>;
}

/** Prepares this machine's own interpreters for a side's files. Host variants have no image. */
export function hostVariants(plan: Plan, machine: HostMachine): HostPort {
  return {
    prepare: async ({ variant, side, tree, secondsLeft = Infinity }) => {
      if (variant.kind !== 'host') throw new Error(`${variant.name} is no host variant`);
      // The facts of an interpreter take time too. Variants that a change adds must not use the time of the base's.
      if (secondsLeft <= 0)
        return {
          kind: 'failed',
          failure: {
            variant: variant.name,
            side,
            stage: 'engine',
            message: `${variant.name} (${side}): the budget was spent before its turn. Raise rules.budget, or measure fewer variants.`,
          },
        };
      try {
        return {
          kind: 'ready',
          runnable: await toRunnable(variant, side, contextOf(plan, { directory: tree }), machine),
        };
      } catch (error) {
        if (!(error instanceof MeasurementError)) throw error;
        return {
          kind: 'failed',
          failure: { variant: variant.name, side, stage: 'engine', message: error.message },
        };
      }
    },
  };
}

async function toRunnable(
  variant: HostVariant,
  side: Runnable['image']['side'],
  folder: string,
  { resolveInterpreter, hashFolder }: HostMachine,
): Promise<Runnable> {
  const python = await resolveInterpreter(variant.python);
  const files = await hashFolder(folder);
  return {
    image: {
      variant: variant.name,
      side,
      engine: 'host',
      identity: `sha256:${files}`,
      id: python,
      definitionHash: `sha256:${createHash('sha256').update(python).digest('hex')}`,
      layers: [],
      origin: 'host',
    },
    python,
    flags: variant.flags,
    env: variant.env,
    workingDirectory: folder,
    filesFrom: folder,
  };
}
