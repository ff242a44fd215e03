import { setTimeout } from 'node:timers/promises';

export interface ArtifactRequest {
  readonly name: string;
  /** Absolute paths, below `folder`. */
  readonly files: readonly string[];
  readonly folder: string;
  /** Take the place of an artifact of the same name: one that an earlier attempt of the job left. */
  readonly replace?: boolean;
}

export type ArtifactResult =
  | { readonly kind: 'uploaded'; readonly id: number; readonly bytes: number }
  /** The verdict stands all the same. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Uploads files as one artifact. The client is large, and read only by a run that uploads. */
export async function uploadArtifact({
  name,
  files,
  folder,
  replace = false,
}: ArtifactRequest): Promise<ArtifactResult> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  const upload = async (as: string): Promise<ArtifactResult> => {
    const { id, size } = await within(
      UPLOAD_SECONDS,
      new DefaultArtifactClient().uploadArtifact(as, [...files], folder),
    );
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
  try {
    // Two sessions of one shard would be refused by the job that judges.
    if (replace) {
      await within(UPLOAD_SECONDS, new DefaultArtifactClient().deleteArtifact(name));
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
