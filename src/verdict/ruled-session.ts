import { addedVariants, reportedByBase } from '../session/measuring.ts';
import { reportedIn, withPatterns } from '../session/patterns.ts';
import type { Rules } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import { familySize } from '../session/shard.ts';

/** A session under other rules than it carries. */

/**
 * The session with these rules instead of its own: a pull request is judged by the rules of its base. The session's
 * warm-up decides what their patterns match.
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

/** How many variants of a shard's plan its base has; added variants form a family of their own. */
export function ofBase({ shard, measuring }: Session): number {
  const added = addedVariants(measuring);
  return (shard?.variants ?? []).filter((variant) => !added.has(variant)).length;
}
