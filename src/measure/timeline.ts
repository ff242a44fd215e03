import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../session/run.ts';
import type { Timeline } from '../session/timeline.ts';
import { type Engine, serverOf } from './engine.ts';
import type { Journal } from './journal.ts';
import { checkedFromOutside } from './outside-check.ts';
import { watch, type Watched } from './usage-watch.ts';
import { findCgroup, type Found, kernelFile, processTree } from './usage-sources.ts';

/** Where a session's timelines go: an engine that is watched, and a journal that knows which run it was. */
export interface TimelineFile {
  readonly watched: (engine: Engine) => Engine;
  readonly beside: (journal: Journal) => Journal;
  /** Why timelines are missing, in one sentence; undefined if none is. */
  readonly trouble: () => string | undefined;
}

/**
 * Opens `timeline.jsonl`: one line of JSON a measured run. An older file is replaced. Nothing that goes wrong here
 * reaches a run: `trouble` reports a file that cannot be written.
 * @param workFolder for the files in which the engine says a container's id
 */
export function timelineFile(path: string, sessionId: string, workFolder: string): TimelineFile {
  let last: Watched | undefined;
  let trouble: string | undefined;
  return {
    watched: (engine) => ({
      ...engine,
      run: async (request, signal) => {
        // A client refuses a file that is there, whoever left it: the run would fail for its timeline.
        const containerIdFile = join(workFolder, `container-${randomUUID()}.id`);
        let tree: Found | undefined;
        const watching = watch(() => tree ?? findCgroup(kernelFile(containerIdFile)?.trim() ?? ''));
        let seen: Watched | undefined;
        const stop = () => (seen ??= last = watching.stop());
        try {
          const result = await engine.run(
            {
              ...request,
              traces: {
                containerIdFile,
                onProcess: (pid) => void (tree = processTree(pid)),
                outsideSeconds: () => findCgroup(kernelFile(containerIdFile)?.trim() ?? '')?.look()?.[0],
              },
            },
            signal,
          );
          const { source, samples } = stop();
          // A server's figures are of a part of its container's life, which is compared where that part is known.
          const isWhole = serverOf(request) === undefined && source === 'cgroup';
          return isWhole ? checkedFromOutside(result, request.repetitions, samples.at(-1)?.[1]) : result;
        } finally {
          stop();
          removeQuietly(containerIdFile);
        }
      },
    }),
    beside: (journal) => {
      // Opened with the journal that closes it: a handle of nobody would stay open.
      const file = open(path, 'w').catch((error: unknown) => {
        trouble = `The timeline cannot be written: ${error instanceof Error ? error.message : String(error)}`;
        return undefined;
      });
      return {
        ...journal,
        append: async (run, warmup) => {
          await journal.append(run, warmup);
          const seen = last;
          last = undefined;
          if (warmup || seen === undefined) return;
          try {
            await (await file)?.write(`${JSON.stringify(lineOf(sessionId, run, seen))}\n`);
          } catch (error) {
            trouble = `The timeline is incomplete: ${error instanceof Error ? error.message : String(error)}`;
          }
        },
        close: async () => {
          await journal.close();
          await (await file)?.close().catch(() => undefined);
        },
      };
    },
    trouble: () => trouble,
  };
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It goes with the session's temporary folder.
  }
}

const lineOf = (
  session: string,
  { variant, side, block, position, attempt, started }: Run,
  { interval, source, samples, note }: Watched,
): Timeline => ({
  session,
  variant,
  side,
  block,
  position,
  attempt,
  started,
  interval_s: interval,
  source,
  samples: [...samples],
  note,
});
