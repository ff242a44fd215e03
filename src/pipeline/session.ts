import { createHash } from 'node:crypto';
import { ruledBy } from '../verdict/ruled-session.ts';
import type { Plan, Server } from '../plan/plan.ts';
import type { Measuring } from '../session/measuring.ts';
import type { Side } from '../session/run.ts';
import {
  SESSION_FORMAT,
  SESSION_VERSION,
  type Failure,
  type Machine,
  type MeasuringCodeRecord,
  type ServerRecord,
  type Session,
  type Source,
  type Trial,
} from '../session/session.ts';
import type { Measured, VariantSides } from './ports.ts';
import { serverNotes } from './server-notes.ts';
import { imagesOf } from './sides.ts';
import { own } from '../session/record.ts';

/** Makes the session of a run: what was planned, built and measured, as it is stored. */

export interface SessionParts {
  readonly id: string;
  readonly purpose: Session['purpose'];
  readonly shard?: Session['shard'] | undefined;
  readonly plan: Plan;
  readonly measuring?: Measuring | undefined;
  readonly started: Date;
  readonly ended: Date;
  readonly toolVersion: string;
  readonly source: Source;
  readonly machine: Machine;
  readonly files: Readonly<Record<string, string>>;
  readonly sides: readonly Side[];
  readonly seed: number;
  readonly variants: readonly VariantSides[];
  readonly failures: readonly Failure[];
  readonly measured: Measured;
  readonly trials?: readonly Trial[] | undefined;
  readonly measuringCode?: MeasuringCodeRecord | undefined;
  readonly notes: readonly string[];
}

/**
 * Assembles the session for its file: a plain value with everything that a verdict needs. The warm-up decides which
 * metrics the patterns match.
 */
export function assembleSession(parts: SessionParts): Session {
  const { plan, measured } = parts;
  const session: Session = {
    format: SESSION_FORMAT,
    version: SESSION_VERSION,
    id: parts.id,
    purpose: parts.purpose,
    shard: parts.shard,
    configuration: plan.configuration,
    started: parts.started.toISOString(),
    ended: parts.ended.toISOString(),
    tool: { version: parts.toolVersion },
    source: parts.source,
    machine: parts.machine,
    workload: {
      command: [...plan.workload.command],
      server: plan.workload.server === undefined ? undefined : serverRecord(plan.workload.server),
      hash: workloadHash(plan, parts.files),
      files: { ...parts.files },
      repetitions: { ...measured.repetitions },
      timeoutSeconds: plan.workload.timeoutSeconds,
      instructions: plan.workload.instructions,
    },
    measuring: parts.measuring,
    variants: plan.variants.map(({ name }) => name),
    sides: [...parts.sides],
    rules: plan.rules,
    seed: parts.seed,
    images: imagesOf(parts.variants),
    warmup: [...measured.warmup],
    runs: [...measured.runs],
    failures: [...parts.failures, ...measured.failures],
    trials: parts.trials === undefined || parts.trials.length === 0 ? undefined : [...parts.trials],
    measuringCode: parts.measuringCode,
    interrupted: measured.interrupted ? true : undefined,
    nights: [],
    declaredMetrics: measured.declaredMetrics,
    notes: [
      ...parts.notes,
      ...counterNotes(measured),
      ...probeNotes(measured),
      ...serverNotes(plan.workload, measured.runs),
    ],
    budget: {
      seconds: plan.budgetSeconds,
      spentSeconds: (parts.ended.getTime() - parts.started.getTime()) / 1000,
      blocksPlanned:
        measured.blocksPlanned === undefined || measured.blocksPlanned >= plan.rules.blocks
          ? undefined
          : measured.blocksPlanned,
      addedBlocksPlanned: measured.addedBlocksPlanned,
      blocksLeftOut: measured.blocksLeftOut,
      secondsLeftOut: measured.secondsLeftOut,
      stopped:
        measured.stopped === undefined || measured.stopped.length === 0 ? undefined : [...measured.stopped],
    },
  };
  return ruledBy(session, plan.rules);
}

/** Missing counters are no failure. They are reported once. */
const counterNotes = ({ noCounters }: Measured): readonly string[] =>
  noCounters === undefined
    ? []
    : [
        `The hardware's counters did not count (workload.instructions: counters): ${own(COUNTER_ERRORS, noCounters) ?? 'the kernel refused them'} (${noCounters}). instructions: cachegrind counts without them.`,
      ];

/** If the probe cannot isolate itself from the workload, only the kernel's count from outside checks the figures. */
const probeNotes = ({ openProbes = [] }: Measured): readonly string[] =>
  openProbes.length === 0
    ? []
    : [
        `The workload could write to the memory of its probe (${openProbes.join(', ')}): the interpreter has no ctypes, which the probe needs to keep it out. Only CPU time is checked from outside.`,
      ];

const COUNTER_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'this machine has no counters that a program may use; most virtual machines have none',
  EOPNOTSUPP: 'this machine has no counters that a program may use; most virtual machines have none',
  EACCES: "kernel.perf_event_paranoid forbids them to the image's user",
  EPERM: 'the engine or the kernel forbids them to containers',
};

const serverRecord = (server: Server): ServerRecord => ({ ...server, load: [...server.load] });

/** SHA-256 of all settings that affect the measurements. Sessions with equal hashes can be compared. */
export function workloadHash(plan: Plan, files: Readonly<Record<string, string>>): string {
  const { command, server, env, network, memoryBytes, pids, instructions } = plan.workload;
  const sorted = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify({
    command,
    // Time limits affect no figure. JSON leaves it out without a server, so that existing hashes stay the same.
    server: server && [server.ready, server.load, server.warmUp, server.stop],
    env: sorted(env),
    network,
    memoryBytes,
    pids,
    files: sorted(files),
    // Counters are read during the runs. Valgrind has separate runs.
    instructions: instructions === 'counters' ? instructions : undefined,
  });
  return createHash('sha256').update(text).digest('hex');
}

/** No runs: every image was identical, or no image could be built. */
export const NOTHING_MEASURED: Measured = {
  warmup: [],
  runs: [],
  failures: [],
  repetitions: {},
  declaredMetrics: {},
  blocksPlanned: undefined,
  blocksLeftOut: 0,
  secondsLeftOut: 0,
  interrupted: false,
};
