import type { NamedSession } from '../session/merged.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { firstProblems } from '../errors/problem-list.ts';
import type { Session } from '../session/session.ts';
import { familySize, namesOfShard } from '../session/shard.ts';
import { identityDifferences, identityOf, ruleDifferences } from './session-identity.ts';
import { ofBase } from './ruled-session.ts';

/** Sessions of several jobs as the parts of one gate, or everything that keeps them from it. */

/** Sessions of several jobs that are one gate. */
export interface Parts {
  /** The gate itself, or its available shards, in order. */
  readonly gates: readonly [Session, ...Session[]];
  /** Sessions that confirm regressions. */
  readonly confirmations: readonly Session[];
}

/** All sessions of a merged file, the gates first. */
export const sessionsOf = ({ gates, confirmations }: Parts): readonly Session[] => [
  ...gates,
  ...confirmations,
];

/** The largest number of problems in a message: twelve shards may differ in everything. */
const MAX_PROBLEMS = 12;

/**
 * Combines the sessions of several jobs. @throws ConfigurationError with every reason why they are not one gate: the
 * files, and both values
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

/** A session found in two files counts once, because a merged file may lie next to its parts. */
function withoutCopies(named: readonly NamedSession[]): readonly NamedSession[] {
  const byId = new Map<string, NamedSession>();
  for (const one of named) {
    const known = byId.get(one.session.id);
    if (known !== undefined && JSON.stringify(known.session) !== JSON.stringify(one.session))
      throw new ConfigurationError(
        `${known.file} and ${one.file} both have a session ${one.session.id}, and differ: one of them was changed. Pass the original file.`,
      );
    if (known === undefined) byId.set(one.session.id, one);
  }
  return [...byId.values()];
}

function differences(named: readonly NamedSession[]): string[] {
  const [first, ...rest] = named;
  if (first === undefined) return [];
  return rest.flatMap(({ session, file }) => [
    ...identityDifferences(identityOf(first.session), first.file, identityOf(session), file),
    ...ruleDifferences(first, { session, file }),
  ]);
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
            `${file}: found ${strange.join(', ')}, which the gate does not have; expected: ${[...known].join(', ')}`,
          ]),
      // Whoever may confirm twice may choose the answer.
      ...twice.map(
        ({ variant, other }) => `${variant} is confirmed twice: in ${other} and in ${file}; expected: once`,
      ),
    ];
  });
}
