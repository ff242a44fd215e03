import { createColors } from 'picocolors';
import type { Busy, Checkup, RowCheckup } from '../diagnosis/checkup.ts';
import { disturbances, LOST_TIME } from '../diagnosis/disturbances.ts';
import type { Finding } from '../session/machine-reading.ts';
import type { Session } from '../session/session.ts';
import { MARGIN } from '../statistics/sequential.ts';
import { aligned } from './aligned.ts';
import { clip, oneLine, printable } from './escape.ts';
import { findingLines, type FindingsLook } from './machine-findings.ts';
import { disturbanceWords, noise } from './noise.ts';
import { count, metricWords, share } from './verdict-wording.ts';

/** Renders the check-up: the findings and what to do about them. */
export interface DoctorReport {
  readonly checkup: Checkup;
  readonly session: Session;
  /** The findings about the machine before measuring. */
  readonly findings: readonly Finding[];
  /** The findings in a container of the session; undefined if there was none. */
  readonly inContainer: Finding | undefined;
  /** The maximum number of blocks of a gate, and its time limit in seconds. */
  readonly cap: number;
  readonly budgetSeconds: number;
}

/** A shorter run consists mostly of start-up and the clock's noise. */
const SHORT_SECONDS = 1;
const LONGER_SECONDS = 2;
/** The workload's own part of the load average. */
const OWN_LOAD = 1;

/** Whether a row misses changes well above the limit. */
const isBlunt = ({ detectable, limit }: RowCheckup) => detectable === null || detectable > MARGIN * limit;

/** A kind of noise in this share of the runs is not a coincidence. */
const OFTEN = 1 / 3;

/** The other activity of the machine, if it explains part of the measured noise. */
function busyWith({ checkup, session }: DoctorReport): readonly string[] {
  const { cores, load = 0, stealShare = 0, throttledShare = 0 } = checkup.busy;
  const often = (disturbances(session) ?? []).filter(({ runs, of }) => runs >= OFTEN * of);
  return [
    ...(load > cores + OWN_LOAD ? [loadWords(checkup.busy)] : []),
    ...(stealShare > LOST_TIME ? [`steal ${share(stealShare)} of the time`] : []),
    ...(throttledShare > LOST_TIME ? [`throttled ${share(throttledShare)} of the time`] : []),
    ...often.filter(({ kind }) => kind === 'others' || kind === 'frequency').map(disturbanceWords),
  ];
}

/** Advice, the most important first; one sentence if there is nothing to do. */
export function adviceOf(report: DoctorReport): string[] {
  const { checkup, session, budgetSeconds, cap } = report;
  const { rows, variants, seconds } = checkup;
  const blunt = rows.filter(isBlunt);
  const advice: string[] = [];
  const busy = busyWith(report);
  if (busy.length > 0)
    advice.push(
      `The machine was busy (${busy.join(', ')}). End the other programs or use another machine: they cause part of the noise measured here.`,
    );
  for (const { variant, runSeconds, repetitions } of variants) {
    const timed = blunt.some((row) => row.variant === variant && row.unit === 's');
    if (!timed || runSeconds >= SHORT_SECONDS || runSeconds <= 0) continue;
    advice.push(
      session.workload.server === undefined
        ? `A run of ${oneLine(variant)} takes ${inSeconds(runSeconds)}. Longer runs are steadier: workload.repetitions: ${Math.max(repetitions + 1, Math.round((repetitions * LONGER_SECONDS) / runSeconds))} makes it about ${LONGER_SECONDS} s.`
        : `A round of load on ${oneLine(variant)} takes ${inSeconds(runSeconds)}. Longer rounds are steadier: about ${(LONGER_SECONDS / runSeconds).toFixed(1)} times the requests make it ${LONGER_SECONDS} s.`,
    );
  }
  for (const metric of [...new Set(blunt.map((row) => row.metric))]) {
    const own = blunt.filter((row) => row.metric === metric);
    const seen = own.map(({ detectable }) => detectable);
    const largest = seen.includes(null) ? undefined : Math.max(...seen.map(Number));
    advice.push(
      `${oneLine(metricWords(metric))} of ${own.map(({ variant }) => oneLine(variant)).join(', ')} is too noisy for its limit of ${share(own[0]?.limit ?? 0)}: ${
        largest === undefined
          ? 'even a loss of 50 % could be missed. Set gate: false for it, or make the workload steadier.'
          : `metrics.${oneLine(metric)}.limit: ${Math.ceil(largest * 200) / 2}% is the smallest limit that this machine can hold.`
      }`,
    );
  }
  if (seconds > budgetSeconds)
    advice.push(
      `Measuring takes about ${minutes(seconds)}, and the budget is ${minutes(budgetSeconds)}: make the workload shorter, spread the variants over several jobs, or raise rules.budget.`,
    );
  const undecided = rows.filter((row) => row.blocks === null && !isBlunt(row));
  if (undecided.length > 0)
    advice.push(
      `${count(undecided.length, 'row')} of unchanged code would often be inconclusive after ${cap} blocks. If that matters, raise the limit or rules.blocks.`,
    );
  return advice.length > 0
    ? advice
    : ['Nothing to fix: a gate finds a loss of 5/3 of the limit in every row, within the budget.'];
}

const JSON_HEAD = { format: 'pacegate-doctor', version: 1 } as const;

/**
 * The inspection of the machine only, if nothing could be measured.
 * @param error the reason
 */
export const findingsJson = (findings: readonly Finding[], error?: string): unknown => ({
  ...JSON_HEAD,
  findings,
  rows: [],
  error,
});

/** The check-up as JSON. Values are fractions or seconds. */
export function doctorJson(report: DoctorReport): unknown {
  const { checkup, session, findings, inContainer, cap, budgetSeconds } = report;
  return {
    ...JSON_HEAD,
    configuration: session.configuration,
    seed: session.seed,
    machine: session.machine,
    findings: [...findings, ...(inContainer === undefined ? [] : [inContainer])],
    ...checkup,
    disturbances: disturbances(session) ?? null,
    cap,
    budgetSeconds,
    failures: session.failures,
    advice: adviceOf(report),
  };
}

const HEADER = ['variant', 'metric', 'limit', 'noise of a pair', '80 % power at', 'pairs', 'run'];

/**
 * Renders the measured noise as a table, then the advice, and the smallest detectable losses last. The machine's
 * findings are in machine-findings.ts.
 */
export function renderDoctor(report: DoctorReport, look: FindingsLook): string {
  const { bold, dim, red, yellow } = createColors(look.colour);
  const { checkup, session, inContainer, cap, budgetSeconds } = report;
  const rows = checkup.rows.map((row) => [
    clip(oneLine(row.variant), 24),
    clip(oneLine(metricWords(row.metric)), 24),
    share(row.limit),
    share(Math.expm1(row.noise)),
    row.detectable === null ? '> 50 %' : `≥ ${share(row.detectable)}`,
    row.blocks === null ? `> ${cap}` : String(row.blocks),
    inSeconds(checkup.variants.find(({ variant }) => variant === row.variant)?.runSeconds ?? 0),
  ]);
  const [header = '', ...lines] = aligned([HEADER, ...rows], (column) => (column < 2 ? 'left' : 'right'));
  const advice = adviceOf(report);
  const container = inContainer === undefined ? [] : findingLines([inContainer], look);
  return [
    ...session.failures.flatMap(({ message }) => printable(message).split('\n').slice(0, 20)).map(red),
    ...(rows.length === 0
      ? container
      : [
          dim(header),
          ...checkup.rows.map((row, index) => (isBlunt(row) ? yellow : String)(lines[index] ?? '')),
          '',
          `A gate of unchanged code measures for about ${minutes(checkup.seconds)} here, ${minutes(checkup.secondsAtMost)} at most; building took ${minutes(checkup.buildSeconds)} and the budget is ${minutes(budgetSeconds)}.`,
          dim(`Machine during the runs: ${noise(session)} (${loadWords(checkup.busy)}).`),
          ...container,
          '',
          ...advice.map((sentence) => `- ${sentence}`),
        ]),
    bold(`Pacegate: ${rows.length === 0 ? 'nothing could be measured' : smallestSeen(checkup.rows)}`),
    '',
  ].join('\n');
}

/** The smallest losses that a gate finds here in 80 of 100 cases, and how many rows would miss a loss at the limit. */
function smallestSeen(rows: readonly RowCheckup[]): string {
  const size = ({ detectable }: RowCheckup) => detectable ?? Infinity;
  const words = (row: RowCheckup) =>
    `${row.detectable === null ? 'more than 50 %' : share(row.detectable)} (${oneLine(row.variant)} ${oneLine(metricWords(row.metric))})`;
  const ordered = [...rows].sort((a, b) => size(a) - size(b));
  const [best, worst] = [ordered[0], ordered.at(-1)];
  if (best === undefined || worst === undefined) return '';
  const range = best === worst ? words(best) : `${words(best)} to ${words(worst)}`;
  const missing = rows.filter(isBlunt).length;
  return `the smallest loss that a gate finds here is ${range}; ${
    missing === 0
      ? `${rows.length === 1 ? 'the row finds' : `all ${rows.length} rows find`} 5/3 of the limit`
      : `${missing} of ${count(rows.length, 'row')} would miss 5/3 of the limit`
  }`;
}

const loadWords = ({ cores, load }: Busy) =>
  load === undefined ? 'its load is unknown' : `load ${load.toFixed(1)} on ${count(cores, 'core')}`;

const minutes = (seconds: number) =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
const inSeconds = (seconds: number) => `${seconds.toPrecision(2)} s`;
