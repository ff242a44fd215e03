import { CONFIRMATION_BLOCKS, variantsToConfirm } from '../verdict/confirm.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { compareParts } from '../verdict/merge.ts';
import { ruledBy } from '../verdict/ruled-session.ts';
import { identityDifferences, identityOf } from '../verdict/session-identity.ts';
import { assembleParts, type Parts } from '../verdict/parts.ts';
import type { NamedSession } from '../session/merged.ts';
import { ConfigurationError } from '../errors/errors.ts';
import { withoutHistory } from '../session/session.ts';
import type { GateRequest } from './gate-request.ts';
import { gate } from './gate.ts';
import type { Ports } from './ports.ts';
import { workloadHash } from './session.ts';
import { contextOf } from './sides.ts';

export interface ConfirmRequest extends Omit<GateRequest, 'purpose' | 'shard' | 'until' | 'blocks'> {
  /** The gate to confirm, or its shards. */
  readonly first: readonly NamedSession[];
}

export interface ConfirmResult {
  readonly parts: Parts;
  readonly comparison: Comparison;
  readonly interrupted: boolean;
}

/**
 * Measures the regressions of an earlier job again, in a few blocks on this machine, and judges both jobs together.
 * Without regressions nothing is built or measured.
 *
 * @throws ConfigurationError if the earlier sessions are not of this change, with both values
 */
export async function confirm(
  { first, ...request }: ConfirmRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<ConfirmResult> {
  const { pair, source } = request;
  const files = await ports.files.hash(contextOf(request.plan, pair.head), request.plan.workload.files);
  // Uses the workload of the first session, which decided between the base's command and the head's.
  const workload = [request.plan.workload, request.measuring?.head ?? request.plan.workload].find((one) =>
    first.every(
      ({ session }) => session.workload.hash === workloadHash({ ...request.plan, workload: one }, files),
    ),
  );
  const plan = workload === undefined ? request.plan : { ...request.plan, workload };
  const here = identityOf({
    source,
    configuration: plan.configuration,
    workload: { hash: workloadHash(plan, files) },
  });
  const problems = first.flatMap(({ session, file }) =>
    identityDifferences(identityOf(session), file, here, 'this checkout'),
  );
  if (problems.length > 0)
    throw new ConfigurationError(
      `The session to confirm measured something else; nothing was built or run.\n${[...new Set(problems)].map((problem) => `  ${problem}`).join('\n')}`,
    );
  // The history is read here, because a session's file may contain a forged one.
  const ruled = first.map(({ session, file }) => ({
    session: { ...ruledBy(withoutHistory(session), plan.rules), history: request.record },
    file,
  }));
  const before = assembleParts(ruled);
  const comparison = compareParts(before);
  const variants = variantsToConfirm(comparison);
  if (before.confirmations.length > 0)
    throw new ConfigurationError(
      `${first.map(({ file }) => file).join(', ')}: found a session that is a confirmation already (${before.confirmations.map(({ id }) => id).join(', ')}); expected: only the sessions of the gate. A second confirmation would let you choose the verdict.`,
    );
  if (variants.length === 0) {
    ports.log.info('Nothing regressed in the first session, so there is nothing to measure again.');
    return { parts: before, comparison, interrupted: signal.aborted };
  }
  ports.log.info(`Measuring the regressions again: ${variants.join(', ')}, ${CONFIRMATION_BLOCKS} blocks.`);
  const { session, interrupted } = await gate(
    {
      ...withoutMeasuring(request),
      plan: { ...plan, variants: plan.variants.filter(({ name }) => variants.includes(name)) },
      purpose: 'confirmation',
      until: 'all',
      blocks: CONFIRMATION_BLOCKS,
    },
    ports,
    signal,
  );
  const parts = assembleParts([...ruled, { session, file: 'this session' }]);
  return { parts, comparison: compareParts(parts), interrupted };
}

function withoutMeasuring(
  request: Omit<ConfirmRequest, 'first'>,
): Omit<ConfirmRequest, 'first' | 'measuring'> {
  const rest = { ...request };
  delete rest.measuring;
  return rest;
}
