import { setTimeout } from 'node:timers/promises';
import type { ArtifactClient } from '@actions/artifact';

/** Uploads the files of a run as an artifact. */

export interface ArtifactRequest {
  readonly name: string;
  /** Absolute paths, below `folder`. */
  readonly files: readonly string[];
  readonly folder: string;
  /**
   * What to do if the workflow's run already has an artifact of this name. By default the time is added to the name.
   */
  readonly ifExists?: IfExists;
}

/**
 * `replace`: an earlier attempt of this job uploaded it. `refuse`: another job uploaded it, and its measurements would
 * be lost.
 */
export type IfExists = 'rename' | 'replace' | 'refuse';

/**
 * What a measuring job does with an existing artifact of its name. In a first attempt the artifact must come from
 * another job, such as a matrix that runs one configuration twice.
 */
export const ifExistsWhenMeasuring = (environment: Readonly<Record<string, string | undefined>>): IfExists =>
  Number(environment['GITHUB_RUN_ATTEMPT']) > 1 ? 'replace' : 'refuse';

export type ArtifactResult =
  | { readonly kind: 'uploaded'; readonly id: number; readonly bytes: number }
  /** Another job of this run has an artifact of this name. Nothing was uploaded or changed. */
  | { readonly kind: 'taken' }
  /** The upload failed. The verdict stays the same. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The server is not github.com, and the client does not work there. The verdict stays the same. */
  | { readonly kind: 'unsupported'; readonly reason: string };

type Client = Pick<ArtifactClient, 'uploadArtifact' | 'deleteArtifact'>;

/** Loads the client on demand, because it is large and only an upload needs it. */
const githubClient = async (): Promise<Client> => {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return new DefaultArtifactClient();
};

/** Uploads files as one artifact. */
export async function uploadArtifact(
  { name, files, folder, ifExists = 'rename' }: ArtifactRequest,
  newClient: () => Promise<Client> = githubClient,
): Promise<ArtifactResult> {
  const client = await newClient();
  const upload = async (as: string): Promise<ArtifactResult> => {
    const { id, size } = await within(UPLOAD_SECONDS, client.uploadArtifact(as, [...files], folder));
    return id === undefined
      ? { kind: 'failed', reason: 'GitHub gave no artifact id' }
      : { kind: 'uploaded', id, bytes: size ?? 0 };
  };
  try {
    return await upload(name);
  } catch (error) {
    // Names are unique in a run, so a matrix or a second step needs another one.
    if (error instanceof Error && error.name === 'GHESNotSupportedError')
      return { kind: 'unsupported', reason: UNSUPPORTED };
    if (!/conflict|already exists/i.test(messageOf(error)))
      return { kind: 'failed', reason: messageOf(error) };
  }
  if (ifExists === 'refuse') return { kind: 'taken' };
  try {
    // The judging job would reject two sessions of one shard.
    if (ifExists === 'replace') {
      await within(UPLOAD_SECONDS, client.deleteArtifact(name));
      return await upload(name);
    }
    return await upload(`${name}-${Date.now().toString(36)}`);
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

const UNSUPPORTED =
  'the artifacts of this version exist on github.com only. Set the inputs artifact-name: none and out: pacegate-out, and let a step after this one upload the folder pacegate-out (docs/github.md, Other servers)';

/** The time limit of an upload, because the client has none and a silent server must not hold a job. */
const UPLOAD_SECONDS = 300;

/** @throws Error if the work has not ended after these seconds */
export async function within<Value>(seconds: number, work: Promise<Value>): Promise<Value> {
  const end = new AbortController();
  try {
    return await Promise.race([
      work,
      setTimeout(seconds * 1000, undefined, { signal: end.signal }).then(() => {
        throw new Error(`GitHub's artifact service did not answer within ${seconds} s`);
      }),
    ]);
  } finally {
    end.abort();
    // Without a handler a later rejection would end the process.
    work.catch(() => undefined);
  }
}

/** The message of an error. The storage library's errors may have only a status. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = 'statusCode' in error ? ` ${String(error.statusCode)}` : '';
  return error.message || `${error.name}${status}`;
}
