import { user } from './server-issues.test-support.ts';
import type { Answer, Api, Call } from './server-state.test-support.ts';

/** The local GitHub's answers about a workflow's runs and their artifacts. */

/** @returns undefined if the call does not list the runs of a workflow */
export function answerRuns({ state, description }: Api, { url }: Call): Answer | undefined {
  const [, workflow] = /\/actions\/workflows\/(\d+)\/runs$/.exec(url.pathname) ?? [];
  if (workflow === undefined) return undefined;
  const sample = description.sampleEntry('GET', url, 200) as Readonly<Record<string, object>>;
  const found = state.runs
    .filter((run) => run.workflow === Number(workflow) && run.headBranch === url.searchParams.get('branch'))
    .reverse();
  return {
    status: 200,
    body: {
      total_count: found.length,
      workflow_runs: found.map((run) => ({
        ...sample,
        ...{ id: run.id, head_sha: run.headSha, head_branch: run.headBranch, created_at: run.at },
        actor: user(run.actor, false),
        head_repository: { ...sample['head_repository'], full_name: run.headRepository },
      })),
    },
  };
}

/** @returns undefined if the call does not list artifacts */
export function answerArtifacts({ state, description }: Api, { url }: Call): Answer | undefined {
  const [, run] = /\/actions\/runs\/(\d+)\/artifacts$/.exec(url.pathname) ?? [];
  if (run === undefined) return undefined;
  const sample = description.sampleEntry('GET', url, 200);
  const found = state.artifacts.filter((artifact) => artifact.run === Number(run));
  return {
    status: 200,
    body: {
      total_count: found.length,
      artifacts: found.map(({ id, name, archive, size, expired = false }) => ({
        ...sample,
        ...{ id, name, expired, size_in_bytes: size ?? archive.length },
      })),
    },
  };
}
