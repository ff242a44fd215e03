import { setTimeout } from 'node:timers/promises';
import type { ArtifactClient } from '@actions/artifact';

/** Uploads the files of a run as an artifact. */

export interface ArtifactRequest {
  readonly name: string;
  /** Absolute paths, below `folder`. */
  readonly files: readonly string[];
  readonly folder: string;
  /** What to do where the workflow's run has an artifact of this name by now: the name with a time is the default. */
  readonly taken?: Taken;
}

/** `replace`: an earlier attempt of the job left it. `refuse`: it is another job's, whose figures would be lost. */
export type Taken = 'rename' | 'replace' | 'refuse';

/**
 * What a job that measures for another does with an artifact of its name: in a first attempt it can only be that of another
 * job, such as a matrix that runs one configuration twice.
 */
export const takenForMeasuring = (environment: Readonly<Record<string, string | undefined>>): Taken =>
  Number(environment['GITHUB_RUN_ATTEMPT']) > 1 ? 'replace' : 'refuse';

export type ArtifactResult =
  | { readonly kind: 'uploaded'; readonly id: number; readonly bytes: number }
  /** Another job of this run has an artifact of this name; nothing was uploaded, and nothing of it was touched. */
  | { readonly kind: 'taken' }
  /** The verdict stands all the same. */
  | { readonly kind: 'failed'; readonly reason: string };

type Client = Pick<ArtifactClient, 'uploadArtifact' | 'deleteArtifact'>;

/** The client is large, and read only by a run that uploads. */
const githubClient = async (): Promise<Client> => {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return new DefaultArtifactClient();
};

/** Uploads files as one artifact. */
export async function uploadArtifact(
  { name, files, folder, taken = 'rename' }: ArtifactRequest,
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
    // Names are unique in a run: a matrix or a second step needs one of its own.
    if (!/conflict|already exists/i.test(messageOf(error)))
      return { kind: 'failed', reason: messageOf(error) };
  }
  if (taken === 'refuse') return { kind: 'taken' };
  try {
    // Two sessions of one shard would be refused by the job that judges.
    if (taken === 'replace') {
      await within(UPLOAD_SECONDS, client.deleteArtifact(name));
      return await upload(name);
    }
    return await upload(`${name}-${Date.now().toString(36)}`);
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

/** Seconds for an upload: the client has no deadline of its own, and a server that is silent must not hold a job. */
const UPLOAD_SECONDS = 300;

/** @throws Error when something has not ended after some seconds */
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
    // What comes later is nobody's.
    work.catch(() => undefined);
  }
}

/** The storage library's errors may have no message, only a status. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const status = 'statusCode' in error ? ` ${String(error.statusCode)}` : '';
  return error.message || `${error.name}${status}`;
}
