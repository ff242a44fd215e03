import { createHash } from 'node:crypto';
import { MeasurementError } from '../errors/errors.ts';
import type { Runnable } from '../measure/engine.ts';
import type { HostVariant, Plan } from '../plan/plan.ts';
import { contextOf } from './sides.ts';
import type { HostPort } from './ports.ts';

/** What this machine tells of its interpreters and of a folder. */
export interface HostMachine {
  /** The real interpreter behind a command. @throws MeasurementError when it does not start */
  readonly resolveInterpreter: (python: string) => Promise<string>;
  /** One hash over every file of a folder. */
  readonly hashFolder: (folder: string) => Promise<string>;
}

/** This machine's own interpreters on a side's files: what stands in an image's place where there is no container. */
export function hostVariants(plan: Plan, machine: HostMachine): HostPort {
  return {
    prepare: async ({ variant, side, tree, secondsLeft = Infinity }) => {
      if (variant.kind !== 'host') throw new Error(`${variant.name} is no host variant`);
      // Asking what it is takes time too: many that a change adds must not take it from those of its base.
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
