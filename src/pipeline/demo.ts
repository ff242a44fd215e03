import { join } from 'node:path';
import type { Comparison } from '../verdict/comparison.ts';
import { BuildError, ConfigurationError } from '../errors/errors.ts';
import { gate, type GateResult } from './gate.ts';
import { gateRequest } from './gate-request.ts';
import type { EnginePort, JobPorts, RunContext } from './ports.ts';
import { overridesOf, resolvePlan } from '../plan/resolve.ts';

/** The base of the demonstration's images. */
const BASE_IMAGE = 'python:3.13-slim-trixie';
/** The time limit for the pull. It is shorter than a gate's. */
const PULL_SECONDS = 120;

export interface Demonstration extends GateResult {
  /** What is compared, and with which engine. */
  readonly introduction: string;
  /** A summary of this run's rows. */
  readonly conclusion: string;
}

/**
 * Gates the small application of `fixtures/demo` against its earlier version. Uses containers if an engine answers and
 * the base image can be pulled, else this machine's Python.
 * @param fixtures folder of the fixtures, absolute
 * @throws ConfigurationError if the fixtures are not installed with the program
 */
export async function runDemo(
  { host, seed }: { readonly host: boolean; readonly seed: number | undefined },
  fixtures: string,
  run: RunContext,
  ports: JobPorts,
  signal: AbortSignal,
): Promise<Demonstration> {
  const { source } = ports;
  const folder = join(fixtures, 'demo');
  if (!(await source.exists(folder)))
    throw new ConfigurationError(
      `The demonstration's application is not at ${folder}: run \`npm start\` in a clone of the repository.`,
    );
  const why = host ? '--host is set' : await whyNoImages(ports.engine, signal);
  const config = join(folder, why === undefined ? 'images.yml' : 'host.yml');
  const introduction =
    why === undefined
      ? `Measured in containers of ${BASE_IMAGE}: a small application against its own earlier version.`
      : `Measured with this machine's own Python, no containers (${why}): a small application against its own earlier version.`;
  ports.log.info(introduction);

  const [head, baseline] = [join(run.workFolder, 'head'), join(run.workFolder, 'baseline')];
  await source.copyFolder(join(folder, 'head'), head);
  await source.copyFolder(join(folder, 'baseline'), baseline);
  const plan = resolvePlan({
    text: await source.readText(config),
    file: config,
    root: folder,
    overrides: overridesOf({ seed }),
  });
  const request = gateRequest(
    { ...run, seed: ports.seed() },
    {
      plan,
      pair: { head: { directory: head }, baseline: { directory: baseline } },
      repository: 'fixtures/demo',
      event: 'terminal',
      notes: [introduction],
    },
  );
  const result = await ports.withEngines(
    { plan, run },
    async (engines) => await gate(request, engines, signal),
  );
  return { ...result, introduction, conclusion: conclude(result.comparison) };
}

/** Why the images cannot be used; undefined if they can. */
async function whyNoImages(engine: EnginePort, signal: AbortSignal): Promise<string | undefined> {
  try {
    await engine.check();
  } catch (error) {
    if (error instanceof BuildError) return error.message.split('. ')[0] ?? error.message;
    throw error;
  }
  const found = await engine.obtain(
    BASE_IMAGE,
    AbortSignal.any([signal, AbortSignal.timeout(PULL_SECONDS * 1000)]),
  );
  return found.kind === 'pulled' ? undefined : `${BASE_IMAGE} is not available: ${found.reason}`;
}

/** The sentence about the two variants, from this run's measurements. */
function conclude({ rows }: Comparison): string {
  const verdict = (variant: string) =>
    rows.find((row) => row.variant === variant && row.metric === 'cpu_time_s')?.verdict;
  const [plain, optimized] = [verdict('plain'), verdict('optimized')];
  const change = 'The head adds an `assert` that checks too much. Python runs it; `python -O` strips it.';
  if (plain === 'regressed' && optimized !== 'regressed')
    return `${change} So plain regresses, and optimized (-O) does not: the gate tells the two images apart.`;
  return `${change} Expected: plain regresses and optimized (-O) does not. Found: ${plain ?? 'nothing'} and ${optimized ?? 'nothing'}. The table and report.md give the reasons.`;
}
