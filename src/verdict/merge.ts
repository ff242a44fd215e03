import type { NamedSession } from '../session/merged.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { firstProblems } from '../errors/problem-list.ts';
import { addedVariants, reportedByBase } from '../session/measuring.ts';
import { isAddedIn, reportedBy, reportedIn, withPatterns } from '../session/patterns.ts';
import type { Rules } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import { familySize, namesOfShard } from '../session/shard.ts';
import { compare } from './compare.ts';
import type { Comparison } from './comparison.ts';
import { withConfirmations } from './confirm.ts';
import { withAcceptance } from './acceptance.ts';
import { withMeasuring } from './changed-measuring.ts';
import { observeSession, type Observations } from '../evidence/observations.ts';
import { patternWarnings } from './patterns.ts';
import { own } from '../session/record.ts';

/** Sessions of several jobs that are one gate. */
export interface Parts {
  /** The gate itself, or those of its shards that there are, in their order. */
  readonly gates: readonly [Session, ...Session[]];
  /** Sessions that look again at what regressed. */
  readonly confirmations: readonly Session[];
}

/** Every session of the parts, the gates first: what a merged file holds. */
export const sessionsOf = ({ gates, confirmations }: Parts): readonly Session[] => [
  ...gates,
  ...confirmations,
];

/** Lines of a message: twelve shards may differ in all that they share. */
const MAX_PROBLEMS = 12;

/**
 * Puts sessions of several jobs together.
 * @throws ConfigurationError with everything that keeps them from being one gate: the files, and both values
 */
export function assembleParts(named: readonly NamedSession[]): Parts {
  const distinct = withoutCopies(named);
  const gates = distinct
    .filter(({ session }) => session.purpose === 'gate')
    .sort((a, b) => (a.session.shard?.index ?? 0) - (b.session.shard?.index ?? 0));
  const confirmations = distinct.filter(({ session }) => session.purpose === 'confirmation');
  const problems = [
    ...distinct
      .filter(({ session: { purpose } }) => purpose !== 'gate' && purpose !== 'confirmation')
      .map(
        ({ session, file }) =>
          `${file}: found a session of purpose ${session.purpose}; expected: those of a gate, of its shards, and what confirms them`,
      ),
    ...(gates.length === 0
      ? [
          `found no session of a gate in ${distinct.map(({ file }) => file).join(', ')}; expected: at least one`,
        ]
      : []),
    ...differences(distinct),
    ...shardProblems(gates),
    ...confirmationProblems(gates, confirmations),
  ];
  const [first, ...rest] = gates.map(({ session }) => session);
  if (first === undefined || problems.length > 0)
    throw new ConfigurationError(
      `These sessions cannot be judged together; nothing was compared.\n  ${firstProblems(problems, MAX_PROBLEMS, 480).join('\n  ')}`,
    );
  return { gates: [first, ...rest], confirmations: confirmations.map(({ session }) => session) };
}

/** The same session in two places is one: a merged file lies beside its parts. */
function withoutCopies(named: readonly NamedSession[]): readonly NamedSession[] {
  const byId = new Map<string, NamedSession>();
  for (const one of named) {
    const known = byId.get(one.session.id);
    if (known !== undefined && JSON.stringify(known.session) !== JSON.stringify(one.session))
      throw new ConfigurationError(
        `${known.file} and ${one.file} both have a session ${one.session.id}, and differ: one of them was changed. Hand over the one that was measured.`,
      );
    if (known === undefined) byId.set(one.session.id, one);
  }
  return [...byId.values()];
}

/** What all sessions of one gate share, in words. */
export type Identity = Readonly<Record<string, string>>;

export const identityOf = ({
  source,
  configuration,
  workload,
}: Pick<Session, 'source' | 'configuration'> & {
  readonly workload: Pick<Session['workload'], 'hash'>;
}): Identity => ({
  'the head': commitWords(source.head),
  'the baseline': commitWords(source.baseline),
  'the configuration': configuration,
  "the workload's hash": workload.hash,
});

const commitWords = (commit: Session['source']['head']) =>
  commit === undefined ? 'no commit' : `${commit.commit}${commit.dirty ? ' with uncommitted changes' : ''}`;

/** Where two identities differ, with both values. */
export const identityDifferences = (a: Identity, nameOfA: string, b: Identity, nameOfB: string): string[] =>
  Object.keys(a)
    .filter((what) => own(a, what) !== own(b, what))
    .map(
      (what) =>
        `${what}: ${nameOfA} has ${own(a, what) ?? ''}, ${nameOfB} has ${own(b, what) ?? ''}; expected: one`,
    );

function differences(named: readonly NamedSession[]): string[] {
  const [first, ...rest] = named;
  if (first === undefined) return [];
  return rest.flatMap(({ session, file }) => [
    ...identityDifferences(identityOf(first.session), first.file, identityOf(session), file),
    ...ruleDifferences(first, { session, file }),
  ]);
}

/** What fails a job is the job's own; every other rule decides verdicts. */
export function ruleDifferences(a: NamedSession, b: NamedSession): string[] {
  const rulesOf = ({ session }: NamedSession): Readonly<Record<string, unknown>> => {
    const { alpha, profile, blocks, evidence, metrics, patterns = [] } = session.rules;
    // What a pattern stands for is each job's own: no two need have met the same.
    const named = metrics.filter(({ pattern }) => pattern === undefined);
    return {
      ...{ alpha, profile, blocks, evidence, patterns: patterns.length === 0 ? undefined : patterns },
      ...Object.fromEntries(named.map((metric) => [`metric ${metric.name}`, metric])),
    };
  };
  const [rulesOfA, rulesOfB] = [rulesOf(a), rulesOf(b)];
  const text = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value));
  return [...new Set([...Object.keys(rulesOfA), ...Object.keys(rulesOfB)])]
    .filter((name) => text(own(rulesOfA, name)) !== text(own(rulesOfB, name)))
    .map(
      (name) =>
        `the rule ${name}: ${a.file} has ${text(own(rulesOfA, name))}, ${b.file} has ${text(own(rulesOfB, name))}; expected: one`,
    );
}

function shardProblems(gates: readonly NamedSession[]): string[] {
  const whole = gates.filter(({ session }) => session.shard === undefined);
  if (gates.length < 2 && whole.length === gates.length) return [];
  if (whole.length > 0)
    return [
      `found ${gates.length} sessions of a gate, of which ${whole.map(({ file }) => file).join(' and ')} ${whole.length === 1 ? 'is' : 'are'} no shard; expected: one gate, or the shards of one`,
    ];
  return gates.flatMap(({ session, file }, position) => {
    const { shard, variants, rules } = session;
    const first = gates[0];
    const before = gates.slice(0, position).find((other) => other.session.shard?.index === shard?.index);
    if (shard === undefined || first?.session.shard === undefined) return [];
    const expected = namesOfShard(shard.variants, shard);
    const tests = familySize(ofBase(session), rules.metrics);
    const words = (names: readonly string[]) => names.join(', ') || 'none';
    const one = first.session.shard;
    return [
      ...(before === undefined
        ? []
        : [
            `shard ${shard.index} of ${shard.of} was found twice: in ${before.file} (session ${before.session.id}) and in ${file} (session ${session.id}); expected: one`,
          ]),
      ...(shard.of === one.of
        ? []
        : [`the number of shards: ${first.file} has ${one.of}, ${file} has ${shard.of}; expected: one`]),
      ...(words(shard.variants) === words(one.variants)
        ? []
        : [
            `the plan's variants: ${first.file} has ${words(one.variants)}, ${file} has ${words(shard.variants)}; expected: one plan`,
          ]),
      ...(shard.index > shard.of
        ? [`${file}: found shard ${shard.index} of ${shard.of}; expected: 1 to ${shard.of}`]
        : []),
      ...(words(variants) === words(expected)
        ? []
        : [
            `${file}: found the variants ${words(variants)}; expected for shard ${shard.index} of ${shard.of}: ${words(expected)}`,
          ]),
      ...(tests === shard.tests
        ? []
        : [`${file}: found a family of ${shard.tests} tests; its plan and rules make it ${tests}`]),
    ];
  });
}

function confirmationProblems(
  gates: readonly NamedSession[],
  confirmations: readonly NamedSession[],
): string[] {
  const known = new Set(gates.flatMap(({ session }) => session.shard?.variants ?? session.variants));
  return confirmations.flatMap(({ session, file }, position) => {
    const strange = session.variants.filter((variant) => !known.has(variant));
    const twice = confirmations
      .slice(0, position)
      .flatMap((other) =>
        other.session.variants
          .filter((variant) => session.variants.includes(variant))
          .map((variant) => ({ variant, other: other.file })),
      );
    return [
      ...(gates.length === 0 || strange.length === 0
        ? []
        : [
            `${file}: found ${strange.join(', ')}, which the gate has not; expected: ${[...known].join(', ')}`,
          ]),
      // Whoever may confirm twice may choose the answer.
      ...twice.map(
        ({ variant, other }) => `${variant} is confirmed twice: in ${other} and in ${file}; expected: once`,
      ),
    ];
  });
}

/** The shards that nobody handed over, with the variants that they should have measured. */
export function missingShards({
  gates,
}: Pick<Parts, 'gates'>): readonly { readonly index: number; readonly variants: readonly string[] }[] {
  const shard = gates[0].shard;
  if (shard === undefined) return [];
  const there = new Set(gates.map((session) => session.shard?.index));
  return Array.from({ length: shard.of }, (_, position) => position + 1)
    .filter((index) => !there.has(index))
    .map((index) => ({ index, variants: namesOfShard(shard.variants, { index, of: shard.of }) }));
}

/**
 * Judges the parts of one gate together: Holm over the whole family where they are shards, no data for the variants of
 * a shard that is missing, and a second session's word on what regressed.
 */
export function compareParts(parts: Parts): Comparison {
  const { gates, confirmations } = parts;
  const sharedTests = testsTogether(gates);
  const [first, ...rest] = gates.map((session) => ({ ...observeSession(session), sharedTests }));
  if (first === undefined) throw new RangeError('parts have at least one session');
  const missing = missingShards(parts);
  const of = gates[0].shard?.of ?? 1;
  const reason = (index: number) => `shard ${index} of ${of} is missing, so nothing is known of it`;
  const absent = missing.map(({ index, variants }) => ({
    ...absentee(first, variants, reason(index)),
    // Of its benchmarks nothing is known: each pattern is a row without data.
    metrics: withPatterns(
      gates[0].rules,
      reportedBy(variants, () => false, []),
      {},
    ).metrics,
  }));
  const comparison = compare(first, ...rest, ...absent);
  const order = gates[0].shard?.variants ?? gates[0].variants;
  const confirmed = withConfirmations(
    {
      ...comparison,
      rows: [...comparison.rows].sort((a, b) => order.indexOf(a.variant) - order.indexOf(b.variant)),
      warnings: [
        ...new Set(gates.flatMap(patternWarnings)),
        ...missing.map(
          ({ index, variants }) => `Shard ${index} of ${of} is missing: no data for ${variants.join(', ')}.`,
        ),
        ...comparison.warnings,
      ],
    },
    gates,
    confirmations,
  );
  return withMeasuring(withAcceptance(confirmed, gates), gates);
}

/**
 * Size of the family of shards: the rows of all variants, with the benchmarks that each shard met. The variants of a
 * missing one are taken to have as many as the shard that met most. Undefined where it is no shard.
 */
function testsTogether(gates: Parts['gates']): number | undefined {
  const { shard, rules } = gates[0];
  if (shard === undefined) return undefined;
  const met = gates.map(({ rules: { metrics }, measuring }) => {
    const added = addedVariants(measuring);
    return metrics.flatMap((rule) => {
      const own = (rule.pattern?.variants ?? []).filter(
        (variant) => !added.has(variant) && !isAddedIn(rule, variant),
      );
      return rule.gate && own.length > 0 ? [own.length] : [];
    });
  });
  const absent = shard.variants.length - gates.reduce((sum, { variants }) => sum + variants.length, 0);
  return (
    familySize(
      ofBase(gates[0]),
      rules.metrics.filter(({ pattern }) => pattern === undefined),
    ) +
    met.flat().reduce((sum, variants) => sum + variants, 0) +
    Math.max(0, absent) * Math.max(...met.map((names) => names.length))
  );
}

/** What there is to judge of variants of which nothing is there. */
const absentee = (like: Observations, variants: readonly string[], message: string): Observations => ({
  ...like,
  variants,
  runs: [],
  warmup: [],
  trials: [],
  interrupted: false,
  failures: variants.map((variant) => ({ variant, side: 'head', stage: 'engine', message })),
  twoSided: new Set(),
  identical: new Set(),
  imageMetrics: [],
  nights: [],
  secondsLeftOut: 0,
});

/**
 * A session judged by these rules, whichever it carries: a pull request's by those of its base. What their patterns stand
 * for is read from its warm-up.
 */
export function ruledBy(session: Session, given: Rules): Session {
  const { shard } = session;
  const rules = withPatterns(
    given,
    reportedIn(session),
    session.declaredMetrics,
    reportedByBase(session.measuring),
  );
  return {
    ...session,
    rules,
    ...(shard === undefined
      ? {}
      : { shard: { ...shard, tests: familySize(ofBase(session), rules.metrics) } }),
  };
}

/** The parts as one session, for a report: what was run, what failed and what it took; each part is named beside it. */
export function wholeOf({ gates, confirmations }: Parts): Session {
  const sessions = [...gates, ...confirmations];
  const [first] = gates;
  if (sessions.length === 1) return first;
  const { shard, ...rest } = first;
  const sum = (figure: (session: Session) => number) =>
    sessions.reduce((total, session) => total + figure(session), 0);
  const last = sessions.reduce((a, b) => (a.ended > b.ended ? a : b));
  return {
    ...rest,
    ended: last.ended,
    variants: [...(shard?.variants ?? first.variants)],
    workload: {
      ...first.workload,
      repetitions: together(sessions.map(({ workload }) => workload.repetitions)),
    },
    // The second session's images are those of the first, built again.
    images: gates.flatMap(({ images }) => images),
    warmup: sessions.flatMap(({ warmup }) => warmup),
    runs: sessions.flatMap(({ runs }) => runs),
    failures: sessions.flatMap(({ failures }) => failures),
    interrupted: sessions.some(({ interrupted }) => interrupted) ? true : undefined,
    declaredMetrics: together(sessions.map(({ declaredMetrics }) => declaredMetrics)),
    explanations: gates.flatMap(({ explanations = [] }) => explanations),
    notes: [...new Set(sessions.flatMap(({ notes }) => notes))],
    budget: {
      seconds: sum(({ budget }) => budget.seconds),
      spentSeconds: sum(({ budget }) => budget.spentSeconds),
      blocksLeftOut: sum(({ budget }) => budget.blocksLeftOut),
      secondsLeftOut: sum(({ budget }) => budget.secondsLeftOut),
    },
  };
}

/** How many variants of a shard's plan its base has: those that the change adds are a family of their own. */
function ofBase({ shard, measuring }: Session): number {
  const added = addedVariants(measuring);
  return (shard?.variants ?? []).filter((variant) => !added.has(variant)).length;
}

/** All entries of some records; the last one holds. */
const together = <Value>(records: readonly Readonly<Record<string, Value>>[]): Record<string, Value> =>
  Object.fromEntries(records.flatMap((record) => Object.entries(record)));
