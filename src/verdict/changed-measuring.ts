import { median } from 'simple-statistics';
import {
  takesAway,
  type Measuring,
  type MeasuringChange,
  type MeasuringTrial,
} from '../session/measuring.ts';
import { metricWords } from '../session/metric-words.ts';
import { BUILT_IN_METRICS, METRIC_NAME } from '../session/metric.ts';
import { matchesPattern } from '../session/name-pattern.ts';
import { isJudgedIn, isNewMetric } from '../session/patterns.ts';
import { IMPLIED } from '../session/purpose.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { worstWith, type Comparison, type MeasuringNews } from './comparison.ts';
import { own } from '../session/record.ts';

/**
 * What a change removes or edits of what measures it. The report begins with it, and with `changed-measurement: fail`
 * the gate fails. Everything comes from the sessions, so their files give the same sentences again.
 */

type News = MeasuringNews['news'][number];

/** @param gates the session that was judged, or the shards of one gate */
export function withMeasuring(comparison: Comparison, gates: readonly Session[]): Comparison {
  const [first] = gates;
  if (first === undefined || !IMPLIED[first.purpose].answersForChange) return comparison;
  const news = unique(gates.flatMap(newsOf));
  if (news.length === 0) return comparison;
  const counts = first.rules.changedMeasurement === 'fail' && news.some((one) => one.takesAway);
  const accepted = first.accepted?.label;
  if (counts && accepted !== undefined)
    return {
      ...comparison,
      measuring: { news },
      verdict: worstWith(
        comparison.rows,
        'accepted',
        ...(comparison.verdict === 'no_data' ? (['no_data'] as const) : []),
      ),
      warnings: [
        `${accepted.author} accepts ${accepted.commit.slice(0, 10)}, including its changes to what measures it, by the label on the pull request.`,
        ...comparison.warnings,
      ],
    };
  return {
    ...comparison,
    measuring: { news, refusedOver: counts ? comparison.verdict : undefined },
    verdict: counts ? 'failed' : comparison.verdict,
  };
}

const unique = (news: readonly News[]): readonly News[] => [
  ...new Map(news.map((one) => [one.sentence, one])).values(),
];

function newsOf(session: Session): News[] {
  const { measuring } = session;
  return [
    ...(measuring?.changes ?? []).map((change) => ({
      sentence: changeSentence(change, measuring?.command),
      takesAway: takesAway(change),
    })),
    ...addedBenchmarks(session),
    ...goneFromHead(session),
    ...trialNews(session),
  ];
}

function changeSentence(change: MeasuringChange, command: Measuring['command']): string {
  switch (change.kind) {
    case 'variant_removed':
      return `This change removes the variant ${change.variant}, which its base measures. This report does not judge it.`;
    case 'variant_added':
      return `This change adds the variant ${change.variant}: it is judged in a family of its own and does not affect the tests of the others.`;
    case 'variant_edited':
      return `This change edits the variant ${change.variant} (${listed(change.keys)})${change.starts ? ', which changes how its workload is started' : ''}: each side is measured by its own configuration.`;
    case 'command':
      return `This change edits workload.command from ${words(change.base)} to ${words(change.head)}${measuredCommand(command)}.`;
    case 'setting':
      return `This change edits workload.${change.name} from ${clipped(change.base)} to ${clipped(change.head)}.`;
    case 'files':
      return `This change edits the measuring code (workload.files): ${[
        ...part('changed', change.edited),
        ...part('added', change.added),
        ...part('removed', change.removed),
      ].join('; ')}.`;
  }
}

function measuredCommand(command: Measuring['command']): string {
  if (command === undefined) return '';
  return command.of === 'base'
    ? "; the base's was measured, and the new one applies from the next change on"
    : `; the head's was measured, because the base's does not run on the head${command.reason === undefined ? '' : ` (${command.reason})`}`;
}

const part = (word: string, files: readonly string[]) =>
  files.length === 0 ? [] : [`${listed(files)} ${word}`];

const words = (command: readonly string[]) => `"${clip(command.join(' '))}"`;
const clipped = (value: string | null) =>
  value === null ? 'nothing' : value === '' ? 'none' : `"${clip(value)}"`;
const clip = (text: string) => (text.length <= 80 ? text : `${text.slice(0, 79)}…`);

/** The largest number of names in a sentence. */
const NAMES_AT_A_GLANCE = 5;
const listed = (names: readonly string[]) =>
  names.length <= NAMES_AT_A_GLANCE
    ? names.join(', ')
    : `${names.slice(0, NAMES_AT_A_GLANCE).join(', ')} and ${names.length - NAMES_AT_A_GLANCE} more`;

function addedBenchmarks({ rules }: Session): News[] {
  const names = rules.metrics.filter((rule) => rule.gate && isNewMetric(rule)).map(({ name }) => name);
  return names.length === 0
    ? []
    : [
        {
          sentence: `This change adds ${names.length === 1 ? 'the benchmark' : 'the benchmarks'} ${listed(names)}: ${names.length === 1 ? 'it is' : 'they are'} judged in a family of their own and ${names.length === 1 ? 'does' : 'do'} not affect the tests of the others.`,
          takesAway: false,
        },
      ];
}

/** Benchmarks that the baseline's warm-up reported and the head's did not, of variants in which both ended well. */
function goneFromHead({ variants, warmup, rules }: Session): News[] {
  const gone = new Map<string, string[]>();
  for (const variant of variants) {
    const of = (side: Side) =>
      warmup.filter((run) => run.variant === variant && run.side === side && run.outcome === 'ok');
    const head = of('head');
    if (head.length === 0) continue;
    const names = new Set(of('baseline').flatMap(({ metrics }) => Object.keys(metrics)));
    for (const name of names)
      if (isOwn(name, rules) && !head.some(({ metrics }) => Object.hasOwn(metrics, name)))
        gone.set(name, [...(gone.get(name) ?? []), variant]);
  }
  return gone.size === 0
    ? []
    : [
        {
          sentence: `The head does not report what the baseline does, so nothing judges it: ${listed(
            [...gone].map(([name, own]) => `${name} (${listed(own)})`),
          )}.`,
          takesAway: true,
        },
      ];
}

/**
 * Whether it is a judged business metric. A metric that the engine measured on one side only is not due to the change.
 */
const isOwn = (name: string, { metrics, patterns = [] }: Session['rules']) =>
  METRIC_NAME.test(name) &&
  !BUILT_IN_METRICS.some((metric) => metric.name === name) &&
  (metrics.some((rule) => rule.name === name && rule.gate) ||
    patterns.some(({ pattern, gate }) => gate && matchesPattern(pattern, name)));

/**
 * The difference of medians from which two versions of the measuring code disagree, by the number of pairs. All runs of
 * one must also be above all runs of the other; with three pairs of the same code that happens by chance in one of ten
 * cases, so the difference must be large too. benchmarks/measuring-code.ts counts how often this is wrong;
 * docs/method.md has the result.
 */
const DISAGREES_FROM = [Infinity, 0.5, 0.25, 0.25, 0.05] as const;

/** (with the head's code / with the base's) - 1 on one image, if it is more than noise explains. */
export interface Disagreement {
  readonly metric: string;
  readonly change: number;
}

const disagreesFrom = (pairs: number): number =>
  DISAGREES_FROM[Math.min(pairs, DISAGREES_FROM.length - 1)] ?? Infinity;

/** @param least the smallest difference of medians that counts, a fraction */
export function disagreements(
  trial: MeasuringTrial,
  judged: ReadonlySet<string>,
  least = disagreesFrom(trial.pairs),
): readonly Disagreement[] {
  return Object.keys(trial.base).flatMap((metric) => {
    const [before, after] = [own(trial.base, metric) ?? [], own(trial.head, metric) ?? []];
    if (!judged.has(metric) || before.length === 0 || after.length === 0) return [];
    const change = median(after) / median(before) - 1;
    const apart = Math.min(...before) > Math.max(...after) || Math.max(...before) < Math.min(...after);
    return apart && Number.isFinite(change) && Math.abs(Math.log1p(change)) >= Math.log1p(least)
      ? [{ metric, change }]
      : [];
  });
}

function trialNews(session: Session): News[] {
  const trials = session.measuring?.trials ?? [];
  const variants = [...new Set(trials.map(({ variant }) => variant))];
  return variants.flatMap((variant) => variantNews(session, variant, trials));
}

function variantNews(session: Session, variant: string, all: readonly MeasuringTrial[]): News[] {
  const trials = SIDES.flatMap(
    (side) => all.find((trial) => trial.variant === variant && trial.image === side) ?? [],
  );
  const judged = new Set(
    session.rules.metrics.flatMap((rule) =>
      rule.kind === 'paired' && isJudgedIn(rule, variant) ? [rule.name] : [],
    ),
  );
  const failures = trials.flatMap(({ image, failures: { base, head } }) => [
    ...(base === undefined ? [] : [`the base's measuring code does not run on the ${image} (${base})`]),
    ...(head === undefined ? [] : [`the head's measuring code does not run on the ${image} (${head})`]),
  ]);
  const tried = trials.filter(({ pairs }) => pairs > 0);
  const found = tried.map((trial) => ({ trial, differs: disagreements(trial, judged) }));
  const gone = [
    ...new Set(
      tried.flatMap(({ base, head }) =>
        Object.keys(base).filter((name) => isOwn(name, session.rules) && !Object.hasOwn(head, name)),
      ),
    ),
  ];
  const disagree = found.some(({ differs }) => differs.length > 0);
  return [
    ...failures.map((failure) => ({
      sentence: `Both versions of the measuring code were tried in ${variant}: ${failure}.`,
      takesAway: false,
    })),
    ...(gone.length === 0
      ? []
      : [
          {
            sentence: `The head's measuring code no longer reports ${listed(gone)}, which the base's reports on the same image (${variant}): nothing judges ${gone.length === 1 ? 'it' : 'them'}.`,
            takesAway: true,
          },
        ]),
    ...(found.length === 0
      ? []
      : [
          {
            sentence: disagree
              ? `The two versions of the measuring code disagree in ${variant}: with the head's, ${found
                  .map(({ trial, differs }) => onImage(trial, differs))
                  .join('; ')}. ${ranBase(session) ? "The blocks ran the base's." : meaning(found)}`
              : `Both versions of the measuring code were tried in ${variant}: ${found
                  .map(({ trial }) => onImage(trial, []))
                  .join('; ')}.`,
            takesAway: false,
          },
        ]),
  ];
}

/** Whether the blocks measured the base's command. */
const ranBase = ({ measuring }: Session) =>
  measuring?.command?.of === 'base' && !measuring.changes.some(({ kind }) => kind === 'files');

function onImage({ image, pairs }: MeasuringTrial, differs: readonly Disagreement[]): string {
  const figures = differs.map(({ metric, change }) => `${metricWords(metric)} is ${moved(change)}`);
  return `on the ${image} ${figures.length === 0 ? 'the figures agree' : listed(figures)} (${pairs} ${pairs === 1 ? 'pair' : 'pairs'})`;
}

function moved(change: number): string {
  const size = Math.abs(change * 100);
  return `${size.toFixed(size >= 100 ? 0 : 1)} % ${change > 0 ? 'higher' : 'lower'}`;
}

/** The meaning for the reader: whether the edit changes both sides equally. */
function meaning(
  found: readonly { readonly trial: MeasuringTrial; readonly differs: readonly Disagreement[] }[],
): string {
  const [one, other] = found;
  if (one === undefined || other === undefined)
    return 'A difference between the sides may come only from the measuring code.';
  const metrics = new Set(found.flatMap(({ differs }) => differs.map(({ metric }) => metric)));
  const shift = ({ differs }: typeof one, metric: string) =>
    Math.log1p(differs.find((differing) => differing.metric === metric)?.change ?? 0);
  const alike = [...metrics].every((metric) => {
    const [a, b] = [shift(one, metric), shift(other, metric)];
    return Math.sign(a) === Math.sign(b) && Math.abs(a - b) <= 0.5 * Math.max(Math.abs(a), Math.abs(b));
  });
  return alike
    ? 'The edit changes both sides equally.'
    : 'The edit changes the sides by different amounts, so a difference between them may come only from the measuring code.';
}
