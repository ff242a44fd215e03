import type { Comparison, Row } from '../verdict/comparison.ts';
import { isTested } from '../session/metric.ts';
import type { Run } from '../session/run.ts';
import type { ServerRecord, Session } from '../session/session.ts';
import { looksFor, type Method } from '../statistics/looks.ts';
import { MARGIN } from '../statistics/sequential.ts';
import type { Detail } from './details.ts';
import { code, sentence } from './escape.ts';
import { plannedBlocks } from './undecided.ts';
import { count, listed, share } from './verdict-wording.ts';
import { duration } from './durations.ts';

const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');

/** How the verdicts were computed, for readers who check them. */
export function methodDetail({ family, rows }: Comparison, session: Session, jobs = 1): Detail {
  const { workload, runs } = session;
  const repetitions = Object.entries(workload.repetitions).filter(([, n]) => n > 1);
  const has = (evidence: Row['evidence']) => rows.some((row) => row.evidence === evidence);
  const checks = `${count(family.tests, 'check')}, one-sided alpha ${family.alpha} for the whole report`;
  const lines = [
    ...(has('paired') ? pairedLines(session, checks, jobs) : []),
    ...(has('stored')
      ? [
          `Stored nights: each night of this machine is one value, its median. This session’s median is compared with the interval that the nights predict for one more night (t, of logarithms), Holm over ${checks}.`,
        ]
      : []),
    ...(has('deterministic')
      ? ['Figures that do not vary are compared exactly, each with its own limit, outside these tests.']
      : []),
    ...(has('once')
      ? [
          'Build time comes from one build of each side, alone and without a cache. It has no interval, so its limit is wide.',
        ]
      : []),
    ...countedLines(session),
    `Workload ${code(workload.command.join(' '))}${serverWords(workload.server)}, measured from inside${repetitions.length === 0 ? '' : `; repeated in each run: ${listed(repetitions.map(([variant, n]) => `${code(variant)} ${n} ×`))}`}.`,
  ];
  return { title: 'Method', body: runs.length === 0 ? 'Nothing was run.' : list(lines) };
}

/** How valgrind counted, if it was used. */
function countedLines({ images }: Session): string[] {
  const counted = images.flatMap((image) => (image.counted === undefined ? [] : [image.counted]));
  const [first] = counted;
  if (first === undefined) return [];
  const spread = Math.max(...counted.map(({ counts }) => Math.max(...counts) / Math.min(...counts) - 1));
  const repeated = counted.some(({ counts }) => counts.length > 1);
  return [
    `Instructions were counted by ${first.tool} (${sentence(first.version)}), one repetition of each side with the same hash seed, before the first block; ${repeated ? `differences of the limit or more were counted again, and counts of one side are ${spread === 0 ? 'equal' : spread < 1e-5 ? 'less than 0.001 % apart' : `up to ${Number((spread * 100).toPrecision(1))} % apart`}` : 'differences of the limit or more are counted again'}. They leave out waiting, the kernel and cache misses.${first.tool === 'callgrind' ? ' The folder profiles next to the session has call graphs for KCachegrind.' : ''}`,
  ];
}

const serverWords = (server: ServerRecord | undefined) =>
  server === undefined
    ? ''
    : `, a server under ${code(server.load.join(' '))} from a second container or process${server.warmUp === 0 ? '' : `, after ${count(server.warmUp, 'warm-up round')}`}; CPU time is the server’s, wall time is the load’s`;

function pairedLines(session: Session, checks: string, jobs: number): string[] {
  const { seed, rules } = session;
  const limits = [...new Set(rules.metrics.filter(isTested).map(({ limit }) => limit))];
  return [
    `One block is a pair of every variant still undecided: baseline and head back to back, in fresh containers or processes, order random and balanced (${jobs === 1 ? `seed ${seed}` : 'each job has its own seed'}). The warm-up was not judged.`,
    ...looksLines(session),
    // Left out if no metric of the runs is judged, because then there is no test.
    ...(limits.length === 0
      ? []
      : [
          `Regressed and improved: ${TESTS[rules.method ?? 1]}, Holm over ${checks}; and an estimate${(rules.method ?? 1) === 1 ? ' (Hodges-Lehmann)' : ''} of ${limits.map(share).join(' or ')} or more.`,
          `Unchanged: an estimate below that, and both one-sided tests against ±${limits.map((limit) => share(MARGIN * limit)).join(' or ±')} (5/3 of it) pass at ${(rules.method ?? 1) < 3 ? 'alpha over the number of looks' : 'the share of alpha that the look has for it'}. Intervals are 95 % intervals at the look that decided the row.`,
        ]),
  ];
}

const WEIGHTED =
  'exact one-sided tests of the signs of log(head / baseline), in which slow pairs that vary more weigh less';

/** The test of each version of the rules. */
const TESTS: Readonly<Record<Method, string>> = {
  1: 'exact one-sided signed-rank tests on log(head / baseline)',
  2: WEIGHTED,
  3: WEIGHTED,
};

/** The looks, and the error probability that each may use. */
function looksLines(session: Session): string[] {
  const { rules } = session;
  const planned = plannedBlocks(session);
  if (planned < 1) return [];
  const looks = looksFor(rules.profile, planned, rules.method ?? 1);
  const numbers = (of: readonly number[]) => listed(of.map(String), of.length);
  const spending = looks.filter(({ weight }) => weight > 0);
  const shares = (of: typeof looks) => numbers(of.map(({ weight }) => Number((weight * 100).toFixed(1))));
  const blocks = (of: typeof looks) => numbers(of.map((look) => look.blocks));
  const cap = planned < rules.blocks ? ` (the budget allowed no more; the rules say ${rules.blocks})` : '';
  const first = looks[0]?.weight === 0 ? '; the first can only find rows unchanged' : '';
  const words =
    spending.length >= looks.length - 1
      ? `the looks may spend ${shares(looks)} % of alpha${first}`
      : `those after ${blocks(spending)} may spend ${shares(spending)} % of alpha, the others can only find rows unchanged`;
  return [
    `Looked at after ${blocks(looks)} pairs${cap}, profile ${rules.profile}; ${words}. A row keeps the verdict of the look that decided it. A variant stops when all its rows are decided.`,
  ];
}

/** How the time was used, from the runs' start times. */
export function minutesDetail(session: Session): Detail {
  const { budget, warmup, runs, started, ended, images } = session;
  const counting = images.reduce((sum, { counted }) => sum + (counted?.seconds ?? 0), 0);
  const left =
    budget.blocksLeftOut > 0
      ? `; the undecided rows needed about ${count(budget.blocksLeftOut, 'more block')}, ${duration(budget.secondsLeftOut)}`
      : '';
  const whole = `${duration(budget.spentSeconds)} of a budget of ${duration(budget.seconds)}${left}`;
  const [end, measuring] = [Date.parse(ended), firstStart(runs)];
  const warming = Math.min(firstStart(warmup), measuring);
  const parts =
    runs.length === 0
      ? []
      : [
          `sources, images and their facts: ${span(Date.parse(started), warming)}${counting === 0 ? '' : `, ${duration(counting)} of them to count instructions`}`,
          ...(warmup.length === 0 ? [] : [`warm-up: ${span(warming, measuring)}`]),
          `measuring: ${span(measuring, end)} for ${count(runs.length, 'run')}: ${listed(byVariant(session), 12)}`,
        ];
  const looked = (session.explanations ?? []).reduce((sum, { seconds }) => sum + seconds, 0);
  const why = looked === 0 ? [] : [`profiles of regressions, beyond the budget: ${duration(looked)}`];
  return { title: 'Where the minutes went', body: list([whole, ...parts, ...why]) };
}

const firstStart = (runs: readonly Run[]) => Math.min(...runs.map(({ started }) => Date.parse(started)));
const span = (from: number, to: number) => duration(Math.max(0, to - from) / 1000);

/** The time of each variant: from the start of each of its runs to the start of the next event. */
function byVariant({ runs, variants, ended }: Session): string[] {
  const inTime = [...runs].sort((a, b) => Date.parse(a.started) - Date.parse(b.started));
  const spent = new Map<string, number>();
  const blocks = new Map<string, Set<number>>();
  for (const [index, { variant, started, block }] of inTime.entries()) {
    const next = Date.parse(inTime[index + 1]?.started ?? ended);
    spent.set(variant, (spent.get(variant) ?? 0) + next - Date.parse(started));
    blocks.set(variant, (blocks.get(variant) ?? new Set()).add(block));
  }
  return variants.flatMap((variant) => {
    const own = spent.get(variant);
    return own === undefined
      ? []
      : [`${code(variant)} ${span(0, own)} for ${count(blocks.get(variant)?.size ?? 0, 'block')}`];
  });
}
