import { createColors } from 'picocolors';
import type { Busy, Checkup, RowCheckup } from '../compare/checkup.ts';
import type { Session } from '../session/session.ts';
import { MARGIN } from '../statistics/sequential.ts';
import { clip, oneLine, printable } from './escape.ts';
import { count, metricWords, share } from './words.ts';

/** What the check-up found and what to do about it, for a person at a terminal. */
export interface DoctorReport {
  readonly checkup: Checkup;
  readonly session: Session;
  /** Blocks of a gate, at most, and the time that it may take in seconds. */
  readonly cap: number;
  readonly budgetSeconds: number;
}

/** A run shorter than this is mostly start-up and the clock's noise. */
const SHORT_SECONDS = 1;
const LONGER_SECONDS = 2;
/** From here on somebody else was using the processor. */
const BUSY_SHARE = 0.02;
/** The workload itself is one. */
const OWN_LOAD = 1;

/** A row that would miss changes well beyond the one that counts. */
const isBlunt = ({ detectable, limit }: RowCheckup) => detectable === null || detectable > MARGIN * limit;

const isBusy = ({ cores, load = 0, stealShare = 0, throttledShare = 0 }: Busy) =>
  load > cores + OWN_LOAD || stealShare > BUSY_SHARE || throttledShare > BUSY_SHARE;

/** Plain advice, the most important first; one sentence where there is nothing to mend. */
export function adviceOf({ checkup, budgetSeconds, cap }: DoctorReport): string[] {
  const { rows, variants, seconds, busy } = checkup;
  const blunt = rows.filter(isBlunt);
  const advice: string[] = [];
  if (isBusy(busy))
    advice.push(
      `The machine was busy (${busyWords(busy)}). End what else runs there, or take another one: the noise measured here is partly its own.`,
    );
  for (const { variant, runSeconds, repetitions } of variants) {
    const timed = blunt.some((row) => row.variant === variant && row.unit === 's');
    if (!timed || runSeconds >= SHORT_SECONDS || runSeconds <= 0) continue;
    advice.push(
      `A run of ${oneLine(variant)} takes ${inSeconds(runSeconds)}. Longer ones are steadier: workload.repetitions: ${Math.max(repetitions + 1, Math.round((repetitions * LONGER_SECONDS) / runSeconds))} makes it about ${LONGER_SECONDS} s.`,
    );
  }
  for (const metric of [...new Set(blunt.map((row) => row.metric))]) {
    const own = blunt.filter((row) => row.metric === metric);
    const seen = own.map(({ detectable }) => detectable);
    const largest = seen.includes(null) ? undefined : Math.max(...seen.map(Number));
    advice.push(
      `${oneLine(metricWords(metric))} of ${own.map(({ variant }) => oneLine(variant)).join(', ')} is too noisy for its limit of ${share(own[0]?.limit ?? 0)}: ${
        largest === undefined
          ? 'a loss of half as much again would be missed. Set gate: false for it, or make the workload steadier.'
          : `metrics.${oneLine(metric)}.limit: ${Math.ceil(largest * 200) / 2}% is what can be promised here.`
      }`,
    );
  }
  if (seconds > budgetSeconds)
    advice.push(
      `A gate needs about ${minutes(seconds)} for measuring and may take ${minutes(budgetSeconds)}: make the workload shorter, spread the variants over several jobs, or raise rules.budget.`,
    );
  const undecided = rows.filter((row) => row.blocks === null && !isBlunt(row));
  if (undecided.length > 0)
    advice.push(
      `${count(undecided.length, 'row')} of unchanged code would often stay undecided after ${cap} blocks: raise the limit or rules.blocks where that matters.`,
    );
  return advice.length > 0
    ? advice
    : ['Nothing to mend: every row sees a change of 5/3 of what counts, within the budget.'];
}

/** The check-up as JSON for machines; fractions, seconds. */
export function doctorJson(report: DoctorReport): unknown {
  const { checkup, session, cap, budgetSeconds } = report;
  return {
    format: 'pacegate-doctor',
    version: 1,
    configuration: session.configuration,
    seed: session.seed,
    machine: session.machine,
    ...checkup,
    cap,
    budgetSeconds,
    failures: session.failures,
    advice: adviceOf(report),
  };
}

const HEADER = ['variant', 'metric', 'counts from', 'noise of a pair', '80 % power at', 'pairs', 'run'];

/** The check-up as a table, the advice last. */
export function renderDoctor(report: DoctorReport, { colour }: { readonly colour: boolean }): string {
  const { bold, dim, red, yellow } = createColors(colour);
  const { checkup, session, cap, budgetSeconds } = report;
  const rows = checkup.rows.map((row) => [
    clip(oneLine(row.variant), 24),
    clip(oneLine(metricWords(row.metric)), 24),
    share(row.limit),
    share(Math.expm1(row.noise)),
    row.detectable === null ? '> 50 %' : `≥ ${share(row.detectable)}`,
    row.blocks === null ? `> ${cap}` : String(row.blocks),
    inSeconds(checkup.variants.find(({ variant }) => variant === row.variant)?.runSeconds ?? 0),
  ]);
  const widths = HEADER.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const advice = adviceOf(report);
  return [
    ...session.failures.flatMap(({ message }) => printable(message).split('\n').slice(0, 20)).map(red),
    ...(rows.length === 0
      ? []
      : [
          dim(line(HEADER)),
          ...rows.map((row, index) => {
            const found = checkup.rows[index];
            return found !== undefined && isBlunt(found) ? yellow(line(row)) : line(row);
          }),
          '',
          `A gate of unchanged code measures for about ${minutes(checkup.seconds)} here, ${minutes(checkup.secondsAtMost)} at most; building took ${minutes(checkup.buildSeconds)} and the budget is ${minutes(budgetSeconds)}.`,
          dim(`Machine during the runs: ${busyWords(checkup.busy)}.`),
          '',
          ...advice.map((sentence) => `- ${sentence}`),
        ]),
    bold(
      rows.length === 0
        ? 'Pacegate: nothing could be measured'
        : `Pacegate: ${count(checkup.rows.filter(isBlunt).length, 'row')} of ${rows.length} would miss a change of 5/3 of what counts`,
    ),
    '',
  ].join('\n');
}

function busyWords({ cores, load, stealShare, throttledShare }: Busy): string {
  const of = (what: string, value: number | undefined) =>
    value === undefined ? [] : [`${what} ${share(value)} of the time`];
  const words = [
    ...(load === undefined ? [] : [`load ${load.toFixed(1)} on ${count(cores, 'core')}`]),
    ...of('steal', stealShare),
    ...of('throttled', throttledShare),
  ];
  return words.length === 0 ? 'it does not say' : words.join(', ');
}

const minutes = (seconds: number) =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
const inSeconds = (seconds: number) => `${seconds.toPrecision(2)} s`;
