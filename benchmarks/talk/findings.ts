import { rankVariants } from '../../src/ranking/rank.ts';
import { share } from '../../src/report/verdict-wording.ts';
import type { RankRow } from '../../src/session/ranking.ts';
import type { Session } from '../../src/session/session.ts';

/** A sentence of the talk's table, one run each: what moving from one image to another changed in one figure. */
export interface Finding {
  readonly says: string;
  readonly variant: string;
  readonly reference: string;
  readonly metric: string;
  /** (variant / reference) - 1 as the talk's table has it. */
  readonly talk: number;
  /** Whether it says that there is no difference to speak of. */
  readonly same: boolean;
}

const CPU = 'cpu_time_s_per_work';
const MEMORY = 'max_rss_bytes_per_work';
const RATE = 'work_per_minute';

type Figures = readonly [value: number, against: number];

const moves = (
  says: string,
  variant: string,
  reference: string,
  metric: string,
  [value, against]: Figures,
): Finding => ({ says, variant, reference, metric, talk: value / against - 1, same: false });

const same = (...finding: Parameters<typeof moves>): Finding => ({ ...moves(...finding), same: true });

/** The table of BreizhCamp 2025, in the order in which it is read there. */
export const FINDINGS: readonly Finding[] = [
  moves(
    "The official image takes more CPU a task than Debian's Python",
    'official',
    'debian',
    CPU,
    [1.5, 1.16],
  ),
  same('… and does as many tasks a minute', 'official', 'debian', RATE, [567.6, 563.4]),
  moves(
    'pyenv without options takes more CPU a task than the official image',
    'pyenv',
    'official',
    CPU,
    [1.9, 1.5],
  ),
  same('… and does as many tasks a minute', 'pyenv', 'official', RATE, [558.5, 567.6]),
  moves('--enable-optimizations --with-lto saves CPU a task', 'pyenv-optimized', 'pyenv', CPU, [1.41, 1.9]),
  moves("… but does not reach Debian's Python", 'pyenv-optimized', 'debian', CPU, [1.41, 1.16]),
  moves('-march=native saves a little more', 'pyenv-native', 'pyenv-optimized', CPU, [1.37, 1.41]),
  same('BOLT saves nothing more', 'pyenv-bolt', 'pyenv-optimized', CPU, [1.42, 1.41]),
  same('Memory a task is about the same: official, Debian', 'official', 'debian', MEMORY, [52.1, 53.9]),
  same('… pyenv with optimisations, official', 'pyenv-optimized', 'official', MEMORY, [51.6, 52.1]),
  same('… BOLT, official', 'pyenv-bolt', 'official', MEMORY, [54.1, 52.1]),
];

export type Holds =
  'holds' | 'holds, smaller' | 'holds, larger' | 'does not hold' | 'undecided' | 'not measured';

/** What this session says of a finding; the family of tests is that of all variants against its reference. */
export function check(
  session: Session,
  finding: Finding,
): { readonly row: RankRow | undefined; readonly holds: Holds } {
  const row = rankVariants(session, finding.reference)
    .variants.find(({ variant }) => variant === finding.variant)
    ?.rows.find(({ metric }) => metric === finding.metric);
  return { row, holds: holdsBy(row, finding) };
}

function holdsBy(row: RankRow | undefined, { talk, same: expected }: Finding): Holds {
  if (row === undefined || row.verdict === 'no_data' || row.verdict === 'shown') return 'not measured';
  if (row.verdict === 'undecided') return 'undecided';
  if (expected) return row.verdict === 'same' ? 'holds' : 'does not hold';
  const { estimate, low, high } = row.change;
  if (row.verdict === 'same' || estimate === null || estimate > 0 !== talk > 0) return 'does not hold';
  if (low === null || high === null || (low <= talk && talk <= high)) return 'holds';
  return Math.abs(estimate) < Math.abs(talk) ? 'holds, smaller' : 'holds, larger';
}

/** How far a figure's medians are apart over all variants, a fraction of the smallest. */
export function span(session: Session, metric: string, but: readonly string[]): string {
  const ranking = rankVariants(session);
  const medians = ranking.variants
    .filter(({ variant }) => !but.includes(variant))
    .flatMap(({ rows }) => rows.find((row) => row.metric === metric)?.median ?? []);
  return medians.length < 2 ? '–' : share(Math.max(...medians) / Math.min(...medians) - 1);
}
