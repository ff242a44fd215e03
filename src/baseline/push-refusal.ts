import { StoreError } from '../errors/errors.ts';
import { gitReason } from '../process/git.ts';

/**
 * Interprets git's answer to a failed push: another writer was faster, the server fails for now, or it rejects the
 * push.
 */

/** Another writer was faster; retry on top of the new tip. */
export class RaceError extends StoreError {}

/** The server or the network fails, and may recover. */
export class PassingError extends StoreError {}

/**
 * An error from a request to a server.
 * @param stderr git's answer
 */
export const asking = (message: string, stderr: string): StoreError =>
  isPassing(stderr) ? new PassingError(message) : new StoreError(message);

/** Interprets git's answer to a failed push. */
export function refusal(place: BranchPlace, stderr: string): StoreError {
  const { branch, remote } = place;
  const reason = gitReason(stderr);
  const other = /'(refs\/heads\/[^']+)' exists; cannot create/.exec(stderr)?.[1];
  if (other !== undefined) return blocked(place, other);
  if (RACED.test(stderr))
    return new RaceError(`The branch ${branch} was written by others at the same time: ${reason}`);
  const tried = `The session could not be pushed to the branch ${branch} of ${remote}: ${reason}`;
  if (isPassing(stderr))
    return new PassingError(`${tried}. The server did not answer as it should; run the job again`);
  if (/\bGH0\d\d\b|pre-receive|protected branch|declined|hook/i.test(stderr))
    return new StoreError(
      `${tried}. A rule of the server refuses it: except the branch ${branch} from the rule, or let the job's token pass it`,
    );
  return new StoreError(
    `${tried}. On GitHub the job needs the permission \`contents: write\`, and the branch must not be protected against it`,
  );
}

export const blocked = ({ branch }: Pick<BranchPlace, 'branch'>, ref: string) => {
  const other = ref.replace('refs/heads/', '');
  return new StoreError(
    `The branch ${branch} cannot be made, because the branch ${other} exists and git cannot keep both names. Delete ${other}, or choose another name with baseline-branch`,
  );
};

/** The names that a message needs. */
export interface BranchPlace {
  readonly branch: string;
  readonly remote: string;
}

/** git's messages for a lost race, with a remote and with a file of refs. */
const RACED =
  /stale info|fetch first|non-fast-forward|cannot lock ref|incorrect old value|failed to update ref|reference already exists/i;

/** git's messages for a passing fault of the server or the network. A rejected push is not among them. */
const PASSING =
  /returned error: (5\d\d|429|408)|HTTP (5\d\d|429|408)|RPC failed|early EOF|hung up unexpectedly|unexpected disconnect|connection (was )?(reset|refused|timed out|closed)|operation timed out|could not resolve host|empty reply from server|did not end within|internal server error|service unavailable|bad gateway|gateway time-?out/i;

export const isPassing = (stderr: string) =>
  PASSING.test(stderr) && !/Repository not found|Permission.* denied|returned error: 40[134]/i.test(stderr);
