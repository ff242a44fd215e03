import { isIgnoredPath } from '../plan/ignored-paths.ts';
import type { Plan } from '../plan/plan.ts';
import type { Session } from '../session/session.ts';
import type { Sides } from '../source/sides.ts';
import { compareSession } from '../verdict/compare.ts';
import type { JudgedSessions } from './judged-sessions.ts';
import type { Occasion } from './occasion.ts';
import type { JobPorts, RunContext } from './ports.ts';
import type { Project } from './project.ts';
import type { RuledPlan } from './ruled-plan.ts';
import { assembleSession, NOTHING_MEASURED } from './session.ts';

/** Skips a change of ignored paths only (`rules.paths-ignore`): nothing is built, and the check passes. */

/**
 * The ignored files of a change, if all of its files are ignored. The list comes from the base, and the configuration
 * file is never ignored, so a change cannot exempt itself.
 * @returns undefined for a change that must be measured
 */
export async function ignoredChange(
  { top, file }: Project,
  { plan, base }: RuledPlan,
  { baseline, head }: Sides,
  { source }: Pick<JobPorts, 'source'>,
): Promise<Session['skipped']> {
  const patterns = plan.pathsIgnore ?? [];
  if (base === undefined || patterns.length === 0 || 'unavailable' in baseline) return undefined;
  const touched = await source.touchedFiles(top, baseline.tree, head.tree);
  const isIgnored =
    touched.length > 0 && touched.every((path) => path !== file && isIgnoredPath(patterns, path));
  return isIgnored ? { files: touched.length, patterns: [...patterns] } : undefined;
}

/** The result of a gate that measures nothing, with a session for its files. */
export async function skippedGate(
  { top }: Project,
  {
    plan,
    skipped,
    sides: { head, baseline },
  }: { readonly plan: Plan; readonly skipped: NonNullable<Session['skipped']>; readonly sides: Sides },
  { event }: Occasion,
  run: RunContext,
  ports: JobPorts,
): Promise<JudgedSessions & { readonly interrupted: boolean }> {
  const nothing = { ...plan, variants: [] };
  return await ports.withEngines({ plan: nothing, run }, async ({ machine, clock, keepSession }) => {
    const now = clock();
    const seed = plan.seed ?? ports.seed();
    const session: Session = {
      ...assembleSession({
        id: run.sessionId,
        purpose: 'gate',
        plan: nothing,
        started: now,
        ended: now,
        toolVersion: run.toolVersion,
        source: {
          repository: await ports.source.repositoryName(top),
          event,
          head: { commit: head.commit, dirty: head.dirty },
          ...('unavailable' in baseline
            ? {}
            : { baseline: { commit: baseline.commit, dirty: baseline.dirty } }),
        },
        machine: await machine('host'),
        files: {},
        sides: ['baseline', 'head'],
        seed,
        variants: [],
        failures: [],
        measured: NOTHING_MEASURED,
        notes: [
          `Nothing was built or measured: ${skipped.files === 1 ? 'the one file' : `all ${skipped.files} files`} of this change ${skipped.files === 1 ? 'matches' : 'match'} rules.paths-ignore of the base (${skipped.patterns.join(', ').slice(0, 300)}).`,
        ],
      }),
      skipped,
    };
    await keepSession(session);
    return {
      session,
      comparison: compareSession(session),
      interrupted: false,
      parts: [session],
      file: session,
    };
  });
}
