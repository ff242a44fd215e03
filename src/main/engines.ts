import { anchorSessionId } from '../pipeline/anchor.ts';
import { join } from 'node:path';
import { createImageBuilder } from '../images/images.ts';
import {
  removeImagesNow,
  removeImagesOfSession,
  removeLeftovers as removeOldImages,
} from '../images/store.ts';
import { readContainerProcess } from '../measure/engines/container-facts.ts';
import { containerEngine } from '../measure/engines/container.ts';
import {
  removeContainersNow,
  removeLeftovers as removeDeadContainers,
} from '../measure/engines/docker-questions.ts';
import type { ProfileRequest, Runnable } from '../measure/engine.ts';
import { resolveInterpreter } from '../measure/engines/host-interpreter.ts';
import { hostEngine } from '../measure/engines/host.ts';
import { instructionCounter } from '../measure/counting/instruction-count.ts';
import { openJournal } from '../measure/journal.ts';
import { measureSession } from '../measure/loop.ts';
import { thisMachine } from '../measure/machine/machine.ts';
import { isOwnerAlive, ownerOfThisProcess } from '../process/owner.ts';
import { pause } from '../process/patience.ts';
import { profileRun, profilerOf } from '../measure/profile/profile-run.ts';
import { findPySpy } from '../measure/profile/py-spy.ts';
import { timelineFile } from '../measure/timeline.ts';
import { tryWorkload } from '../measure/trial.ts';
import { findValgrind } from '../measure/counting/valgrind.ts';
import type { EnginesRequest, Ports, Profiled } from '../pipeline/ports.ts';
import { hashFiles, hashFolder, overlayFiles } from '../source/workload-files.ts';
import { addedVariants } from '../session/measuring.ts';
import { atExit } from '../process/at-exit.ts';
import { refuseForeignLevels } from '../plan/interpreters.ts';
import { hostVariants } from '../pipeline/host-variants.ts';
import { PROFILES_FOLDER } from '../out-folder/out-folder.ts';
import type { Places } from './places.ts';
import { writeMeasured } from '../pipeline/results.ts';
import { reportProgress, type ProgressLog } from '../pipeline/measurement-progress.ts';
import { TIMELINE_FILE } from '../session/timeline.ts';
import { noteEngineSession, removeDeadSessions } from '../process/work-folder.ts';

/** The parts of the process that every engine needs. */
interface Surroundings {
  readonly places: Places;
  readonly log: ProgressLog;
}

const NO_PY_SPY =
  'workload.profiler is py-spy, but the PATH has no py-spy (install it with `pip install py-spy` in an earlier step), so cProfile was used';

/** The engines of one session. */
interface Engines {
  readonly container: ReturnType<typeof containerEngine>;
  readonly host: ReturnType<typeof hostEngine>;
  readonly images: ReturnType<typeof createImageBuilder>;
  /** Whether a container engine is used. If not, there is nothing to clean up. */
  readonly used: { engine: boolean };
}

/** Passes the engines to a use case. Afterwards it always removes the session's containers, image names and files. */
export async function withEngines<Result>(
  request: EnginesRequest,
  surroundings: Surroundings,
  use: (ports: Ports) => Promise<Result>,
): Promise<Result> {
  // The engine is taken to run on this machine.
  refuseForeignLevels(request.plan, process.arch);
  const engines = openEngines(request, surroundings);
  const { sessionId } = request.run;
  const done = atExit(() => {
    if (engines.used.engine) removeSessionNow(sessionId);
  });
  try {
    return await use(portsOf(engines, request, surroundings));
  } finally {
    await engines.host.cleanUp();
    if (engines.used.engine) {
      await engines.container.cleanUp();
      await engines.images.cleanUp();
    }
    done();
  }
}

/** Removes what a session, and the anchor's session within it, left in the engine after their process ended. */
export async function removeSession(sessionId: string): Promise<void> {
  for (const id of [sessionId, anchorSessionId(sessionId)]) {
    await containerEngine({ sessionId: id, owner: '', probe: '', facts: '' }).cleanUp();
    await removeImagesOfSession(id);
  }
}

/** The same, synchronously, for the end of the process. */
function removeSessionNow(sessionId: string): void {
  removeContainersNow(sessionId);
  removeImagesNow(sessionId);
}

function openEngines(
  { plan, run: { sessionId, workFolder }, pushInterpreters = false }: EnginesRequest,
  { places: { probe, facts, variants }, log }: Surroundings,
): Engines {
  return {
    container: containerEngine({ sessionId, owner: ownerOfThisProcess(), probe, facts }),
    host: hostEngine({ probe, facts, workFolder }),
    images: createImageBuilder({
      plan,
      sessionId,
      facts,
      variantsFolder: variants,
      workFolder: join(workFolder, 'images'),
      pushInterpreters,
      // Cached steps take no time. A terminal shows them briefly, and a log omits them.
      onLine: (line) => (line.endsWith('CACHED') ? log.transient(line) : log.info(line)),
    }),
    used: { engine: false },
  };
}

function portsOf(engines: Engines, request: EnginesRequest, { places, log }: Surroundings): Ports {
  const { container, host } = engines;
  const { plan, run } = request;
  const engineOf = (runnable: Runnable) => (runnable.image.engine === 'host' ? host : container);
  const keepProfile: Ports['keepProfile'] = async (name, text) => {
    try {
      await run.out.write(`${PROFILES_FOLDER}/${name}`, text);
    } catch (error) {
      log.warn(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    images: imagePort(engines, request),
    hosts: hostVariants(plan, { resolveInterpreter, hashFolder }),
    facts: (runnable, limits) => engineOf(runnable).facts(runnable, limits),
    countInstructions: instructionCounter({
      engines: { container, host },
      find: findValgrind,
      keep: keepProfile,
    }),
    profile: async (asked, signal) => await profile(asked, engineOf(asked.runnable), places, signal),
    keepProfile,
    runOnce: async (asked, ending) => await engineOf(asked.runnable).run({ ...asked, hashSeed: 1 }, ending),
    keepSession: async (session) => await writeMeasured(run.out, session),
    measure: async (asked, signal) => await measure(asked, engines, request, log, signal),
    runTrials: (asked, signal) => tryWorkload(asked, engineOf(asked.runnable), pause, signal),
    files: { hash: hashFiles, overlay: overlayFiles },
    machine: thisMachine,
    containerProcess: async (runnable) =>
      await readContainerProcess(runnable, { sessionId: run.sessionId, owner: ownerOfThisProcess() }),
    clock: () => new Date(),
    log,
  };
}

function imagePort(
  { images, used }: Engines,
  { run: { sessionId, workFolder } }: EnginesRequest,
): Ports['images'] {
  return {
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
    haveSameContent: (sides, ending, secondsLeft) => images.haveSameContent(sides, ending, secondsLeft),
    push: (runnable, commit) => images.push(runnable, commit),
  };
}

/** Profiles one run with the plan's profiler, or with cProfile if that profiler is not installed. */
async function profile(
  { plan: { workload }, runnable, kind, repetitions, longestSeconds }: Parameters<Ports['profile']>[0],
  engine: Parameters<typeof profileRun>[0],
  places: Places,
  signal: AbortSignal,
): Promise<Profiled> {
  const bySampling = workload.profiler === 'py-spy' && (kind === 'cpu' || kind === 'time');
  const pySpy = bySampling ? await findPySpy() : undefined;
  const asked: ProfileRequest = {
    kind,
    scripts: places.profiler,
    ...(pySpy === undefined ? { profiler: 'cprofile' } : { profiler: 'py-spy', pySpy }),
  };
  const result = await profileRun(
    engine,
    { runnable, workload, repetitions, longestSeconds, profile: asked },
    signal,
  );
  const missing = bySampling && pySpy === undefined;
  return {
    profiler: profilerOf(asked),
    result:
      missing && typeof result === 'object' ? { ...result, notes: [NO_PY_SPY, ...result.notes] } : result,
  };
}

/** Measures, and writes each run to the journal and its times to the timeline when it ends. */
async function measure(
  { seed, variants, secondsLeft, planner, plan, session }: Parameters<Ports['measure']>[0],
  { container, host }: Engines,
  { run: { out, sessionId, workFolder } }: EnginesRequest,
  log: ProgressLog,
  signal: AbortSignal,
): ReturnType<Ports['measure']> {
  const timeline = timelineFile(join(out.path, TIMELINE_FILE), sessionId, workFolder);
  const journal = timeline.beside(await openJournal(join(out.path, 'runs.jsonl'), session));
  try {
    return await measureSession(
      {
        plan,
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
}
