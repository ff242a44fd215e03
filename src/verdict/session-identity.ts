import type { NamedSession } from '../session/merged.ts';
import type { Session } from '../session/session.ts';
import { own } from '../session/record.ts';

/** What all sessions of one gate share, and where two of them differ. */

/** The values that all sessions of one gate share, for messages. */
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

/** The differences of two identities, with both values. */
export const identityDifferences = (a: Identity, nameOfA: string, b: Identity, nameOfB: string): string[] =>
  Object.keys(a)
    .filter((what) => own(a, what) !== own(b, what))
    .map(
      (what) =>
        `${what}: ${nameOfA} has ${own(a, what) ?? ''}, ${nameOfB} has ${own(b, what) ?? ''}; expected: one`,
    );

/** `fail-on` may differ between jobs; every other rule decides verdicts. */
export function ruleDifferences(a: NamedSession, b: NamedSession): string[] {
  const rulesOf = ({ session }: NamedSession): Readonly<Record<string, unknown>> => {
    const { alpha, profile, method = 1, blocks, evidence, metrics, patterns = [] } = session.rules;
    // Each job has its own matches of a pattern, so they may differ.
    const named = metrics.filter(({ pattern }) => pattern === undefined);
    return {
      ...{ alpha, profile, method, blocks, evidence, patterns: patterns.length === 0 ? undefined : patterns },
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
