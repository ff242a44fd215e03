import { findingsOf, type Reading } from '../diagnosis/machine-findings.ts';
import { PacegateError } from '../errors/errors.ts';
import type { Plan } from '../plan/plan.ts';
import type { Finding, MachineReading } from '../session/machine-reading.ts';
import type { InspectionPort } from './ports.ts';

/** The state of a machine before measuring. */
export interface MachineInspection {
  readonly machine: MachineReading;
  readonly findings: readonly Finding[];
}

/**
 * Inspects this machine, and its engine if a variant needs one or if there is no plan. Never throws: a part that does
 * not answer is a finding.
 */
export async function inspectMachine(
  plan: Plan | undefined,
  port: InspectionPort,
): Promise<MachineInspection> {
  const needsEngine = plan === undefined || plan.variants.some(({ kind }) => kind !== 'host');
  const machine = await port.machine();
  const engine = needsEngine ? await engineOrWhy(port) : undefined;
  return { machine, findings: findingsOf({ machine, engine }) };
}

async function engineOrWhy({ engine }: InspectionPort): Promise<Reading['engine']> {
  try {
    return await engine();
  } catch (error) {
    if (!(error instanceof PacegateError)) throw error;
    return { silent: error.message };
  }
}
