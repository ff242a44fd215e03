import { findingsOf, type Reading } from '../diagnosis/machine-findings.ts';
import { PacegateError } from '../errors/errors.ts';
import { readEngine } from '../images/engine-reading.ts';
import { readMachine } from '../measure/machine/machine-reading.ts';
import type { Plan } from '../plan/plan.ts';
import type { MachineInspection } from './doctor.ts';
import type { Places } from '../main/places.ts';

/**
 * Looks at this machine, and at its engine where a variant needs one. Without a plan the engine is looked at too. Never
 * throws: what does not answer is a finding.
 */
export async function inspectMachine(plan: Plan | undefined, { probe }: Places): Promise<MachineInspection> {
  const needsEngine = plan === undefined || plan.variants.some(({ kind }) => kind !== 'host');
  const machine = await readMachine(probe);
  const engine = needsEngine ? await engineOrWhy() : undefined;
  return { machine, findings: findingsOf({ machine, ...(engine === undefined ? {} : { engine }) }) };
}

async function engineOrWhy(): Promise<NonNullable<Reading['engine']>> {
  try {
    return await readEngine();
  } catch (error) {
    if (!(error instanceof PacegateError)) throw error;
    return { silent: error.message };
  }
}
