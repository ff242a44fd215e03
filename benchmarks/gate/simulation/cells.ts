import { PROFILES } from '../../../src/statistics/looks.ts';
import { judgePullRequest, type PullRequest } from './pull-request.ts';
import { STANDARD, type Machine } from './machine.ts';
import { judgeSeason, type Season } from './season.ts';
import { judgeStored, type StoredPullRequest } from './stored.ts';
import type { Tally } from './tally.ts';

/** One kind of thing that is simulated again and again. */
export interface Cell {
  /** Short, without spaces: it is typed, and it seeds what the cell draws. */
  readonly name: string;
  /** What is simulated, for the report. */
  readonly says: string;
  /** Simulates one pull request (or one season of weeks) and notes what came of it. */
  readonly simulate: (index: number, random: () => number, tally: Tally) => void;
  /**
   * How many times as many as of the others: more where a figure lies near to what it is held to, fewer where one takes
   * long.
   */
  readonly times?: number;
}

const paired = (name: string, says: string, kind: Partial<PullRequest>): Cell => {
  const whole: PullRequest = { machine: STANDARD, profile: 'balanced', effect: 0, ...kind };
  return {
    name,
    says,
    simulate: (index, random, tally) => judgePullRequest(whole, index, random, tally),
  };
};

const stored = (name: string, says: string, kind: Partial<StoredPullRequest>): Cell => {
  const whole: StoredPullRequest = { machine: STANDARD, nights: 30, effect: 0, ...kind };
  return { name, says, simulate: (index, random, tally) => judgeStored(whole, index, random, tally) };
};

const season = (name: string, says: string, kind: Partial<Season>): Cell => {
  const whole: Season = { machine: STANDARD, perWeek: 0, ...kind };
  return { name, says, simulate: (_index, random, tally) => judgeSeason(whole, random, tally) };
};

const machine = (change: Partial<Machine>): Machine => ({ ...STANDARD, ...change });
const noisy = (noise: number) => machine({ noise: STANDARD.noise.map(() => noise) });
const quirky = (quirk: number) => machine({ quirk });

export const CELLS: readonly Cell[] = [
  paired('null', 'nothing changed', { fixed: true, peers: true }),
  paired('plus3', '+3 % in one row', { effect: 0.03, fixed: true }),
  paired('plus5', '+5 % in one row', { effect: 0.05, fixed: true, peers: true }),
  paired('plus10', '+10 % in one row', { effect: 0.1, fixed: true, peers: true }),
  paired('minus5', '−5 % in one row', { effect: -0.05 }),

  paired('null-cv3', 'nothing changed, noise 3 %', { machine: noisy(0.03) }),
  {
    ...paired('plus5-cv3', '+5 %, noise 3 %', { machine: noisy(0.03), effect: 0.05, fixed: true }),
    times: 4,
  },
  { ...paired('null-cv5', 'nothing changed, noise 5 %', { machine: noisy(0.05) }), times: 4 },
  paired('plus5-cv5', '+5 %, noise 5 %', { machine: noisy(0.05), effect: 0.05, fixed: true }),

  paired('null-quirk0.5', 'nothing changed, quirk 0.5 %', { machine: quirky(0.005) }),
  paired('null-quirk1', 'nothing changed, quirk 1 %', { machine: quirky(0.01), confirmed: true }),
  paired('plus5-quirk1', '+5 %, quirk 1 %', { machine: quirky(0.01), effect: 0.05, confirmed: true }),

  paired('null-second', 'nothing changed, the second run of a pair 2 % slower', {
    machine: machine({ secondPenalty: 0.02 }),
  }),
  paired('null-second10', 'nothing changed, the second run of a pair 10 % slower', {
    machine: machine({ secondPenalty: 0.1 }),
  }),
  paired('null-trend', 'nothing changed, a trend of 5 % over the session', {
    machine: machine({ trend: 0.05 }),
  }),
  paired('null-ar', 'nothing changed, all noise AR(1) with correlation 0.5', {
    machine: machine({ autoregressive: { share: 1, correlation: 0.5 } }),
  }),
  paired('null-outliers', 'nothing changed, 5 % of the runs slower by 20 %', {
    machine: machine({ outliers: { share: 0.05, by: 0.2 } }),
  }),
  paired('null-clock', 'nothing changed, a clock that is 30 % slower in one run of ten', {
    machine: machine({ outliers: { share: 0.1, by: 0.3 } }),
  }),
  paired('null-triple', 'nothing changed, one run of ten takes three times as long', {
    machine: machine({ outliers: { share: 0.1, by: 2 } }),
  }),
  paired('null-skew', 'nothing changed, exponential noise of 5 %', {
    machine: { ...noisy(0.05), shape: 'exponential' },
  }),
  paired('null-t3', 'nothing changed, noise of 5 % with the tails of Student’s t with 3 degrees of freedom', {
    machine: { ...noisy(0.05), shape: 't3' },
  }),
  {
    ...paired('plus10-wide', '+10 % in one of 500 rows, noise 5 %', {
      machine: machine({ variants: 50, noise: new Array<number>(10).fill(0.05) }),
      effect: 0.1,
    }),
    times: 0.1,
  },

  ...PROFILES.filter((profile) => profile !== 'balanced').flatMap((profile) => [
    paired(`${profile}-null`, `nothing changed, profile ${profile}`, { profile }),
    ...[3, 5, 10].map((percent) =>
      paired(`${profile}-plus${percent}`, `+${percent} %, profile ${profile}`, {
        profile,
        effect: percent / 100,
      }),
    ),
  ]),

  stored('stored-null', 'nothing changed, 30 nights, sessions differ by 2 %', {}),
  stored('stored-null-14', 'nothing changed, 14 nights, sessions differ by 2 %', { nights: 14 }),
  stored('stored-null-5', 'nothing changed, 30 nights, sessions differ by 5 %', {
    machine: machine({ betweenSessions: 0.05 }),
  }),
  stored('stored-plus10', '+10 %, 30 nights, sessions differ by 2 %', { effect: 0.1 }),

  season('creep', '+0.3 % every week', { perWeek: 0.003 }),
  { ...season('creep-null', 'nothing changes', {}), times: 2 },
  season('creep-null-quirk1', 'nothing changes, quirk 1 %', { machine: quirky(0.01) }),
];

/** @throws Error naming what is not known and what is */
export function cellsNamed(names: string): readonly Cell[] {
  if (names === 'all') return CELLS;
  const wanted = names.split(',');
  const unknown = wanted.filter((name) => !CELLS.some((cell) => cell.name === name));
  if (unknown.length > 0)
    throw new Error(
      `--cells: found ${unknown.join(', ')}; expected: all, ${CELLS.map(({ name }) => name).join(', ')}`,
    );
  return CELLS.filter(({ name }) => wanted.includes(name));
}
