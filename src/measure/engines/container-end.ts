import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandResult } from '../../process/command.ts';
import { engineAnswers, ENGINE_SILENT } from '../../process/docker-engine.ts';
import { countingMemory } from '../counting/counted-run.ts';
import type { RunRequest, RunResult } from '../engine.ts';
import { runWithoutFigures } from '../run-failure.ts';
import { containerState } from './docker-questions.ts';

/** Why a container ended without an answer of its probe: the workload, the engine or the kernel. */

const { SIGKILL, SIGTERM } = constants.signals;

/** A docker client's status for "the engine could not do it", as opposed to the command's own status. */
export const ENGINE_FAULT = 125;

/** Asked twice, because a restarting engine may answer or not. */
const STOPPING_SECONDS = 2;

/** The same as `withoutAnswer`, where what the client says alone is not enough: the engine is asked. */
export async function whyNoAnswer(
  result: CommandResult,
  request: RunRequest,
  name: string,
): Promise<RunResult> {
  const found = withoutAnswer(result, request);
  switch (found.outcome) {
    case 'timeout':
      return (await containerState(name)) === 'running' ? found : runWithoutFigures('engine', NO_ENDING);
    case 'signal': {
      // A stopping engine ends its containers.
      const answered = await engineAnswers();
      await delay(STOPPING_SECONDS * 1000);
      return answered && (await engineAnswers())
        ? found
        : runWithoutFigures('engine', `${found.message?.split('\n')[0] ?? ''}: ${ENGINE_SILENT}`);
    }
    default:
      return found;
  }
}

const NO_ENDING =
  'the engine did not start the container, or did not report its end: the probe ends each run at its time limit, and the docker client waited for half a minute longer';

/** Why a run ended, if the probe could not report it. */
export function withoutAnswer(
  result: CommandResult,
  { runnable, workload, counting }: RunRequest,
): RunResult {
  const failed = (outcome: RunResult['outcome'], message: string) =>
    runWithoutFigures(outcome, message, result.stderr);
  if (result.timedOut) return failed('timeout', `the run did not end within ${workload.timeoutSeconds} s`);
  switch (result.status) {
    case null:
      return failed('engine', `the docker client was ended by ${result.signal ?? 'a signal'}`);
    case ENGINE_FAULT:
      return failed('engine', 'the engine could not start the container');
    case 126:
    case 127:
      // The client uses the same status for its own errors, such as a missing file to mount.
      return isOfInterpreter(result.stderr)
        ? failed(
            'nonzero',
            `the interpreter ${runnable.python} cannot be started in the image ${runnable.image.id}`,
          )
        : failed('engine', 'the engine could not start the container');
    // A signal from outside ended the whole container.
    case 128 + SIGTERM:
      return failed('signal', 'the container was ended (SIGTERM)');
    case 128 + SIGKILL:
      return workload.memoryBytes === undefined
        ? failed('signal', 'the container was killed (SIGKILL)')
        : failed(
            'oom',
            `the container was killed, most likely for its memory limit of ${countingMemory(workload.memoryBytes, counting)} bytes`,
          );
    default:
      return failed('engine', `the probe gave no answer (status ${result.status})`);
  }
}

/** runc's words on the container's first program, as opposed to its mounts, its network and its limits. */
const isOfInterpreter = (stderr: string): boolean =>
  !stderr.includes('Error response from daemon') || /\bexec: |exec format error/.test(stderr);
