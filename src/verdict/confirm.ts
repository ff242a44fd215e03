import { sameMachine, type Session } from '../session/session.ts';
import { CONFIRMATION_BLOCKS, isConfirmed } from '../statistics/confirmation.ts';
import { centreOf } from '../statistics/hodges-lehmann.ts';
import { worst, worstWith } from './comparison.ts';
import type { Comparison, Confirmation, Row } from './comparison.ts';
import { asChange, logRatios, pairsOf, sign } from '../evidence/pairs.ts';
import { observeSession } from '../evidence/observations.ts';
import type { ObservedRun } from '../evidence/observed-run.ts';

export { CONFIRMATION_BLOCKS };

/**
 * Applies a second session to the regressions of a first. It can only withdraw a regression: other rows are ignored. If
 * the second session has too few blocks, the first verdict stands; otherwise a second job that dies would let the
 * change through.
 */

/**
 * Regressions that a second session can confirm. Values that do not vary need no confirmation, and stored evidence has
 * many sessions already.
 */
const isOpenToConfirmation = ({ verdict, evidence }: Row) => verdict === 'regressed' && evidence === 'paired';

/** The variants that a second session has to measure, in the plan's order; none if nothing regressed. */
export const variantsToConfirm = ({ rows }: Comparison): readonly string[] => [
  ...new Set(rows.filter(isOpenToConfirmation).map(({ variant }) => variant)),
];

/**
 * @param firsts the sessions that the comparison judged
 * @param confirmations at most one for each variant
 */
export function withConfirmations(
  comparison: Comparison,
  firsts: readonly Session[],
  confirmations: readonly Session[],
): Comparison {
  if (confirmations.length === 0) return comparison;
  const seconds = confirmations.map((session) => {
    const { runs, conflicts } = observeSession(session);
    return { session, runs, conflicts };
  });
  const rows = comparison.rows.map((row) => {
    const first = firsts.find(({ variants }) => variants.includes(row.variant));
    const second = seconds.find(({ session }) => session.variants.includes(row.variant));
    if (first === undefined || second === undefined || !isOpenToConfirmation(row)) return row;
    return confirmedRow(row, {
      ...secondLook(row, second.conflicts.has(row.metric) ? [] : second.runs),
      session: second.session.id,
      sameMachine: sameMachine(first.machine, second.session.machine),
    });
  });
  const interrupted =
    comparison.interrupted === true || confirmations.some((session) => session.interrupted === true);
  const looked = rows.filter(({ confirmation }) => confirmation !== null);
  return {
    ...comparison,
    rows,
    verdict: interrupted ? worstWith(rows, 'no_data') : worst(rows),
    interrupted: interrupted ? true : undefined,
    warnings: [...comparison.warnings, ...summary(looked)],
  };
}

/** The second session's result for one row. */
function secondLook(
  { variant, metric, limit, direction }: Row,
  runs: readonly ObservedRun[],
): Pick<Confirmation, 'confirmed' | 'estimate' | 'blocks'> {
  const ratios = logRatios(pairsOf(runs, variant, metric));
  if (ratios === undefined || ratios.length === 0) return { confirmed: false, estimate: null, blocks: 0 };
  const towardsWorse = sign({ better: direction });
  const centre = centreOf(ratios);
  return {
    confirmed: isConfirmed({ centre: towardsWorse * centre, blocks: ratios.length, limit }),
    estimate: asChange(centre),
    blocks: ratios.length,
  };
}

function confirmedRow(row: Row, confirmation: Confirmation): Row {
  const { confirmed, blocks, estimate, sameMachine: same } = confirmation;
  if (confirmed) return { ...row, confirmation };
  if (blocks < CONFIRMATION_BLOCKS)
    return {
      ...row,
      confirmation,
      warnings: [
        ...row.warnings,
        `the second session has ${blocks} of the ${CONFIRMATION_BLOCKS} blocks that a confirmation needs, so the first verdict applies`,
      ],
    };
  return {
    ...row,
    verdict: row.bound?.beyond === true ? 'over_limit' : 'inconclusive',
    confirmation,
    warnings: [
      ...row.warnings,
      `regressed by ${signed(row.change.estimate)} in the first session and not in the second (${signed(estimate)}, ${same ? 'the same kind of machine' : 'another machine'}): reported; it does not fail the job`,
    ],
  };
}

function summary(looked: readonly Row[]): string[] {
  if (looked.length === 0) return [];
  const confirmed = looked.filter(({ confirmation }) => confirmation?.confirmed === true).length;
  const unseen = looked.filter(({ verdict }) => verdict !== 'regressed').length;
  return [
    `A second session measured again ${looked.length} regressed ${looked.length === 1 ? 'row' : 'rows'}: ${confirmed} confirmed, ${unseen} not confirmed${looked.length === confirmed + unseen ? '' : `, ${looked.length - confirmed - unseen} not measured`}.`,
  ];
}

const signed = (fraction: number | null) =>
  fraction === null
    ? 'an unknown amount'
    : `${fraction < 0 ? '−' : '+'}${Math.min(1e6, Math.abs(fraction * 100)).toFixed(1)} %`;
