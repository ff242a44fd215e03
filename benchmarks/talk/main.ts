/**
 * The talk's comparison of seven ways to put Python into an image, done again: cold builds one after the other, then
 * the workload in blocks. Two to three hours on two cores, nearly all of it compiling.
 *
 *   npm run reproduce:talk [-- --out FOLDER] [--builds FILE] [--write]
 *
 * A build is kept in builds.json as it ends, and a later run goes on from there. `--write` renews RESULT.md.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { jobPorts, projectSource } from '../../src/main/compose.ts';
import { openOutFolder } from '../../src/out-folder/out-folder.ts';
import { placesFrom } from '../../src/main/places.ts';
import { openProject } from '../../src/pipeline/open-project.ts';
import { sessionText } from '../../src/session/write.ts';
import { newSessionId } from '../../src/measure/session-id.ts';
import { VERSION } from '../../src/main/version.ts';
import { rankTree } from '../../src/pipeline/rank-session.ts';
import { runCommand } from '../../src/process/command.ts';
import { keepBuild, readBuilds } from './builds.ts';
import { configuration, PYENV_SOURCE, PYTHON, PYTHON_SOURCE, REFERENCE, UV } from './configuration.ts';
import { resultMarkdown } from './result.ts';
import { makeStandalone, officialBase } from './stand-ins.ts';

const top = resolve(import.meta.dirname, '..', '..');
const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: join(top, 'pacegate-out', 'talk') },
    write: { type: 'boolean', default: false },
  },
});

const log = {
  info: (line: string) => console.error(line),
  warn: (line: string) => console.error(line),
  step: (title: string) => console.error(`\n== ${title}`),
  transient: () => undefined,
};
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());

const work = await mkdtemp(join(tmpdir(), 'pacegate-talk-'));
try {
  log.step('What a machine without internet needs');
  for (const [script, what] of [
    ['.ci/base-images', `the base images and the sources (${PYTHON_SOURCE}, ${PYENV_SOURCE})`],
    ['.ci/tools', `uv (${UV})`],
  ] as const) {
    const { status } = await runCommand('bash', [join(top, script)], { onStderrLine: log.warn });
    if (status !== 0)
      throw new Error(
        `${script} failed with status ${status ?? 'none'}; it is what makes ${what}. It needs root on Debian, and a Docker engine (.ci/engine).`,
      );
  }
  const notes = [await officialBase(top, log.info, ending.signal), await makeStandalone(top, work)];

  await mkdir(options.out, { recursive: true });
  const file = join(work, 'pacegate.yml');
  await writeFile(file, configuration(work));
  const project = await openProject({ directory: top, config: file, overrides: {} }, projectSource);
  const run = {
    sessionId: newSessionId(new Date()),
    workFolder: work,
    out: await openOutFolder(options.out),
    toolVersion: VERSION,
  };
  const ports = jobPorts(placesFrom(join(top, 'src')), log);

  const builds = join(options.out, 'builds.json');
  await ports.withEngines({ plan: project.plan, run }, async ({ images }) => {
    for (const variant of project.plan.variants) {
      if (variant.name in (await readBuilds(builds)) || ending.signal.aborted) continue;
      log.step(`Cold build of ${variant.name}`);
      const built = await images.coldBuild(
        { variant, side: 'head', tree: top, filesFrom: top },
        ending.signal,
      );
      if (built?.kind !== 'built') throw new Error(built?.message ?? `${variant.name} has no build`);
      await keepBuild(builds, variant.name, built.cost);
    }
  });
  ending.signal.throwIfAborted();

  const { session } = await rankTree(
    project,
    { reference: REFERENCE, work: 'tasks', blocks: undefined, coldBuilds: false },
    run,
    ports,
    ending.signal,
  );

  const costs = await readBuilds(builds);
  const whole = {
    ...session,
    images: session.images.map((image) => {
      const cost = costs[image.variant]?.cost;
      return cost === undefined ? image : { ...image, coldBuild: cost };
    }),
  };
  await run.out.write('session.json', sessionText(whole));
  const markdown = resultMarkdown(whole, costs, notes);
  await run.out.write('RESULT.md', markdown);
  if (options.write) await writeFile(join(import.meta.dirname, 'RESULT.md'), markdown);
  console.log(markdown);
  log.info(`Python ${PYTHON}; session.json, timings.csv and RESULT.md are in ${run.out.path}`);
} finally {
  await rm(work, { recursive: true, force: true });
}
