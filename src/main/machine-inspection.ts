import { findingsOf, type Reading } from '../diagnosis/machine-findings.ts';
import { PacegateError } from '../errors/errors.ts';
import { readEngine } from '../images/engine-reading.ts';
import { readMachine } from '../measure/machine/machine-reading.ts';
import type { Plan } from '../plan/plan.ts';
import type { Finding, MachineReading } from '../session/machine-reading.ts';
import type { Places } from './places.ts';

/** What a machine is like before anything is measured on it. */
export interface MachineInspection {
  readonly machine: MachineReading;
  readonly findings: readonly Finding[];
}

/** Looks at this machine, and at its engine where a variant needs one. Never throws: what does not answer is a finding. */
export async function inspectMachine({ variants }: Plan, { probe }: Places): Promise<MachineInspection> {
  const machine = await readMachine(probe);
  const engine = variants.some(({ kind }) => kind !== 'host') ? await engineOrWhy() : undefined;
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
