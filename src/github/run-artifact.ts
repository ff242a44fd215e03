import { GitHubError } from '../errors/errors.ts';
import { reasonOf } from './answer.ts';
import type { Octokit } from './client.ts';
import { textIn, type ArchiveBounds } from './zip.ts';

/**
 * Reads the sessions from another run's artifacts. A stranger's job made them. Therefore nothing of an archive is
 * written to the disk, no name in it is used as a path, and its size and number of files have limits.
 */

export interface ArtifactBounds extends ArchiveBounds {
  /** Bytes of one archive in its stored form, and of all archives of a run. */
  readonly compressed: number;
  readonly together: number;
  /** The maximum number of artifacts to read from one run. */
  readonly artifacts: number;
  /** Seconds for one download. */
  readonly seconds: number;
}

export const BOUNDS: ArtifactBounds = {
  compressed: 64 * 1024 * 1024,
  together: 256 * 1024 * 1024,
  unpacked: 64 * 1024 * 1024,
  entries: 5000,
  artifacts: 300,
  seconds: 120,
};

export interface SessionText {
  /** `artifact 17 of run 5`, for messages, because a stranger chose the artifact's own name. */
  readonly name: string;
  readonly text: string;
}

export interface ArtifactsRequest {
  readonly owner: string;
  readonly repo: string;
  /** The run's number. */
  readonly run: number;
  /** The name of the gate's artifact: `pacegate-` and the configuration. */
  readonly name: string;
}

/**
 * The texts of the `session.json` files in a run's artifacts. Reads the gate's artifact, or else those of its shards.
 * Of several attempts it reads the newest.
 *
 * @returns an empty list if the run has no such artifact
 * @throws GitHubError if GitHub does not return an artifact, or if one exceeds a limit
 */
export async function sessionTexts(
  octokit: Octokit,
  request: ArtifactsRequest,
  bounds: ArtifactBounds = BOUNDS,
): Promise<readonly SessionText[]> {
  const { owner, repo, run, name } = request;
  let seen = 0;
  const listed = await asked(request, async () =>
    octokit.paginate(
      octokit.rest.actions.listWorkflowRunArtifacts,
      { owner, repo, run_id: run, per_page: 100 },
      ({ data }, done) => {
        seen += data.length;
        if (seen >= bounds.artifacts) done();
        return data;
      },
    ),
  );
  const texts: SessionText[] = [];
  let left = bounds.together;
  for (const { id, size_in_bytes, expired } of artifactsOf(name, listed)) {
    const words = `artifact ${id} of run ${run}`;
    if (expired)
      throw new GitHubError(`The ${words} has expired, so nothing was judged. Run the gate again.`);
    const most = Math.min(bounds.compressed, left);
    if (size_in_bytes > most) throw tooLarge(words, most);
    const archive = await download(octokit, request, id, words, most, bounds.seconds);
    left -= archive.length;
    texts.push({ name: words, text: await textIn(archive, 'session.json', bounds, words) });
  }
  return texts;
}

interface Listed {
  readonly id: number;
  readonly name: string;
}

/**
 * The artifacts with the sessions of the run's verdict: the gate's, or else those of measuring jobs. If an upload found
 * its name taken, as in a second attempt, its name ends with a time.
 */
export function artifactsOf<One extends Listed>(name: string, listed: readonly One[]): readonly One[] {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const newestOf = (pattern: RegExp): readonly One[] => {
    const newest = new Map<string, One>();
    for (const one of [...listed].sort((a, b) => a.id - b.id)) {
      const key = pattern.exec(one.name)?.[1];
      if (key !== undefined) newest.set(key, one);
    }
    return [...newest.values()];
  };
  const gate = newestOf(new RegExp(`^(${literal})(?:-[0-9a-z]{8,9})?$`));
  return gate.length > 0
    ? gate
    : newestOf(new RegExp(`^(${literal}-(?:measured|shard-\\d{1,4}-of-\\d{1,4}))(?:-[0-9a-z]{8,9})?$`));
}

async function download(
  octokit: Octokit,
  request: ArtifactsRequest,
  id: number,
  words: string,
  most: number,
  seconds: number,
): Promise<Buffer> {
  return await asked(request, async () => {
    const { data } = await octokit.request(
      'GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}',
      {
        ...{ owner: request.owner, repo: request.repo, artifact_id: id, archive_format: 'zip' },
        // The body is a stream, so that a download larger than announced is stopped midway.
        request: { parseSuccessResponseBody: false, answerSeconds: seconds },
      },
    );
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of data as AsyncIterable<Uint8Array>) {
      bytes += part.length;
      if (bytes > most) throw tooLarge(words, most);
      parts.push(part);
    }
    return Buffer.concat(parts);
  });
}

const tooLarge = (words: string, most: number) =>
  new GitHubError(
    `The ${words} is larger than ${most} bytes, and no session is so large. It was not read, and nothing was judged.`,
  );

async function asked<Answer>(
  { owner, repo, run }: ArtifactsRequest,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof GitHubError) throw error;
    throw new GitHubError(
      `The artifacts of run ${run} could not be read: ${reasonOf(error, {
        deed: 'read artifacts',
        target: `the artifacts of run ${run} of ${owner}/${repo}`,
        permission: 'actions: read',
      })}. Nothing was judged.`,
      { cause: error },
    );
  }
}
