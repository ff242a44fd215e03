import { join } from 'node:path';
import { createImageBuilder } from '../images/images.ts';
import { removeLeftovers as removeOldImages } from '../images/store.ts';
import { containerEngine } from '../measure/engines/container.ts';
import { removeLeftovers as removeDeadContainers } from '../measure/engines/docker-questions.ts';
import type { ProfileRequest, Runnable } from '../measure/engine.ts';
import { hostEngine } from '../measure/engines/host.ts';
import { instructionCounter } from '../measure/counting/instruction-count.ts';
import { openJournal } from '../measure/journal.ts';
import { measureSession } from '../measure/loop.ts';
import { thisMachine } from '../measure/machine/machine.ts';
import { isOwnerAlive, ownerOfThisProcess } from '../measure/engines/owner.ts';
import { pause } from '../process/patience.ts';
import { profileRun, profilerOf } from '../measure/profile/profile-run.ts';
import { findPySpy } from '../measure/profile/py-spy.ts';
import { timelineFile } from '../measure/timeline.ts';
import { tryWorkload } from '../measure/trial.ts';
import { findValgrind } from '../measure/counting/valgrind.ts';
import type { Plan } from '../plan/plan.ts';
import type { Ports, Profiled } from '../pipeline/ports.ts';
import { hashFiles, overlayFiles } from '../source/workload-files.ts';
import { addedVariants } from '../session/measuring.ts';
import { atExit } from './at-exit.ts';
import { removeSession, removeSessionNow } from './engine-clean-up.ts';
import { hostVariants } from './host-variants.ts';
import type { OutFolder } from './out-folder.ts';
import { PROFILES_FOLDER, type Places } from './places.ts';
import { writeMeasured } from './results.ts';
import { reportProgress, type ProgressLog } from './progress.ts';
import { TIMELINE_FILE } from './timeline-files.ts';
import { noteEngineSession, removeDeadSessions } from './work-folder.ts';

export interface World {
  readonly plan: Plan;
  readonly sessionId: string;
  readonly places: Places;
  /** A temporary folder of this session's own. */
  readonly workFolder: string;
  readonly out: OutFolder;
  readonly log: ProgressLog;
  /** Whether interpreters that are built here go into the plan's registry. */
  readonly pushInterpreters?: boolean;
}

const NO_PY_SPY =
  'workload.profiler asks for py-spy, and the PATH has no such program (`pip install py-spy` in a step before brings it), so cProfile looked';

/**
 * Hands the real world to a use case, and takes it back: containers, images' names and files of the session are
 * removed whatever happened.
 */
export async function withPorts<Result>(
  world: World,
  use: (ports: Ports) => Promise<Result>,
): Promise<Result> {
  const { plan, sessionId, places, workFolder, out, log } = world;
  const images = createImageBuilder({
    plan,
    sessionId,
    facts: places.facts,
    variantsFolder: places.variants,
    workFolder: join(workFolder, 'images'),
    pushInterpreters: world.pushInterpreters ?? false,
    // What came from the cache took no time: it moves by on a terminal and is not kept.
    onLine: (line) => (line.endsWith('CACHED') ? log.transient(line) : log.info(line)),
  });
  const { probe, facts } = places;
  const container = containerEngine({ sessionId, owner: ownerOfThisProcess(), probe, facts });
  const host = hostEngine({ probe, facts, workFolder });
  const engineOf = (runnable: Runnable) => (runnable.image.engine === 'host' ? host : container);
  /** Where no engine was asked for, there is none to clean up in. */
  const used = { engine: false };
  const keepProfile: Ports['keepProfile'] = async (name, text) => {
    try {
      await out.write(`${PROFILES_FOLDER}/${name}`, text);
    } catch (error) {
      log.warn(error instanceof Error ? error.message : String(error));
    }
  };
  const ports: Ports = {
    images: {
      check: async () => {
        const { engine } = await images.check();
        used.engine = true;
        await noteEngineSession(workFolder, sessionId);
        await removeDeadContainers(isOwnerAlive);
        await removeDeadSessions(removeSession);
        await removeOldImages(new Date());
        return engine;
      },
      prepare: (request, ending) => images.prepare(request, ending),
      coldBuild: (request, ending) => images.coldBuild(request, ending),
      compressedSize: (runnable, ending, secondsLeft) => images.compressedSize(runnable, ending, secondsLeft),
      push: (runnable, commit) => images.push(runnable, commit),
    },
    hosts: hostVariants(plan),
    facts: (runnable, limits) => engineOf(runnable).facts(runnable, limits),
    countInstructions: instructionCounter({
      engines: { container, host },
      find: findValgrind,
      keep: keepProfile,
    }),
    profile: async (
      { plan: { workload }, runnable, kind, repetitions, longestSeconds },
      signal,
    ): Promise<Profiled> => {
      const bySampling = workload.profiler === 'py-spy' && (kind === 'cpu' || kind === 'time');
      const pySpy = bySampling ? await findPySpy() : undefined;
      const profile: ProfileRequest = {
        kind,
        scripts: places.profiler,
        ...(pySpy === undefined ? { profiler: 'cprofile' } : { profiler: 'py-spy', pySpy }),
      };
      const result = await profileRun(
        engineOf(runnable),
        { runnable, workload, repetitions, longestSeconds, profile },
        signal,
      );
      const missing = bySampling && pySpy === undefined;
      return {
        profiler: profilerOf(profile),
        result:
          missing && typeof result === 'object' ? { ...result, notes: [NO_PY_SPY, ...result.notes] } : result,
      };
    },
    keepProfile,
    runOnce: async (request, ending) =>
      await engineOf(request.runnable).run({ ...request, hashSeed: 1 }, ending),
    keepSession: async (session) => await writeMeasured(out, session),
    measure: async ({ seed, variants, secondsLeft, planner, plan: measured, session }, signal) => {
      const timeline = timelineFile(join(out.path, TIMELINE_FILE), sessionId, workFolder);
      const journal = timeline.beside(await openJournal(join(out.path, 'runs.jsonl'), session));
      try {
        return await measureSession(
          {
            plan: measured,
            seed,
            variants,
            added: addedVariants(session.measuring),
            secondsLeft,
            engines: { container: timeline.watched(container), host: timeline.watched(host) },
            journal,
            clock: () => new Date(),
            pause,
            onProgress: reportProgress(log),
            planner,
          },
          signal,
        );
      } finally {
        await journal.close();
        const lost = journal.trouble();
        if (lost !== undefined) out.lose(lost);
        const trouble = timeline.trouble();
        if (trouble !== undefined) log.warn(trouble);
      }
    },
    tryOut: (request, signal) => tryWorkload(request, engineOf(request.runnable), pause, signal),
    files: { hash: hashFiles, overlay: overlayFiles },
    machine: thisMachine,
    clock: () => new Date(),
    log,
  };
  const done = atExit(() => {
    if (used.engine) removeSessionNow(sessionId);
  });
  try {
    return await use(ports);
  } finally {
    await host.cleanUp();
    if (used.engine) {
      await container.cleanUp();
      await images.cleanUp();
    }
    done();
  }
}
