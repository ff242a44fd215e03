import { afterAll, expect, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { InterpreterVariant } from '../plan/plan.ts';
import {
  builderOf,
  debian,
  failure,
  folderWith,
  never,
  official,
  output,
  ready,
} from '../images/images.test-support.ts';
import { containerEngine } from '../measure/engines/container.ts';
import { ownerOfThisProcess } from '../process/owner.ts';
import { runRequest } from '../measure/engines/run-request.test-support.ts';
import { withEngine } from '../process/engine.test-support.ts';

/** The statements of docs/own-dockerfile.md about a Dockerfile for production, with the real engine. */

jest.setTimeout(600_000);

const engine = containerEngine({
  sessionId: `itg-${process.pid}`,
  owner: ownerOfThisProcess(),
  probe: join(import.meta.dirname, '../measure/probe/probe.py'),
  facts: join(import.meta.dirname, '../measure/probe/facts.py'),
});
afterAll(() => engine.cleanUp());

/** Builds a Dockerfile on an interpreter, and runs a script of `workload.files` in it once. */
async function measured(dockerfile: string, script: string, variant: InterpreterVariant = official) {
  const tree = await folderWith({ Dockerfile: dockerfile, 'bench.py': script, 'app.py': 'VALUE = 1\n' });
  const { prepare } = builderOf({ dockerfile: 'Dockerfile' });
  const runnable = ready(await prepare(variant, 'head', tree));
  const request = runRequest(['python', 'bench.py'], {
    runnable: { ...runnable, filesFrom: tree },
    workload: { files: ['bench.py'] },
  });
  const run = async () => await engine.run(request, never);
  return { runnable, run, tree };
}

/** Reports the values of expressions through the metrics file, because the output of a successful run is not kept. */
const reporting = (values: Readonly<Record<string, string>>, ...before: readonly string[]) =>
  [
    'import json, os, sys',
    ...before,
    `json.dump({${Object.entries(values)
      .map(([name, expression]) => `"${name}": ${expression}`)
      .join(', ')}}, open(os.environ["PACEGATE_METRICS"], "w"))`,
    '',
  ].join('\n');

const PRODUCTION = `# escape=\\
ARG PYTHON_VERSION=3.13
ARG RELEASE=slim-trixie

FROM --platform=$TARGETPLATFORM python:\${PYTHON_VERSION}-\${RELEASE} AS builder
RUN python -m venv /opt/venv && echo "RELEASED = 7" > $(/opt/venv/bin/python -c 'import site; print(site.getsitepackages()[0])')/library.py

FROM python:\${PYTHON_VERSION}-\${RELEASE} AS runtime
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /srv
COPY --from=builder /opt/venv /opt/venv
COPY app.py .
USER 65532:65532
CMD ["python", "app.py"]
`;

withEngine('an unchanged production Dockerfile is built on each interpreter in turn', async () => {
  const script = reporting(
    {
      value: 'library.RELEASED + app.VALUE',
      debians: 'int(not os.path.exists("/usr/local/bin/python"))',
      uid: 'os.getuid()',
    },
    'import library, app',
  );
  for (const [variant, debians] of [
    [official, 0],
    [debian, 1],
  ] as const) {
    const { run } = await measured(PRODUCTION, script, variant);
    expect(await run()).toMatchObject({ outcome: 'ok', metrics: { value: 8, debians, uid: 65532 } });
  }
});

withEngine('docker build of the same file still makes the image that it names', async () => {
  const tree = await folderWith({ Dockerfile: PRODUCTION, 'app.py': '' });
  const id = execFileSync('docker', ['build', '--quiet', tree], { encoding: 'utf8' }).trim();
  const script = 'import library, os; print(library.RELEASED, os.path.exists("/usr/local/bin/python"))';
  expect(await output(id, 'python', '-c', script)).toBe('7 True\n');
  execFileSync('docker', ['image', 'rm', id]);
});

withEngine('the image or the stage that brings Python can be named', async () => {
  const stages = `FROM debian:trixie-slim AS pythons
RUN exit 1
FROM pythons
COPY bench.py .
`;
  const tree = await folderWith({ Dockerfile: stages, 'bench.py': '' });
  const image = async (...interpreterFrom: readonly string[]) =>
    await builderOf({ dockerfile: 'Dockerfile', interpreterFrom }).prepare(official, 'head', tree);
  // The stage is replaced together with its steps, so the failing step does not run.
  expect(await output(ready(await image('pythons')).image.id, 'python', '--version')).toMatch(
    /^Python 3\.13/,
  );
  expect(failure(await image())).toContain('workload.interpreter-from: debian:trixie-slim');
  expect(failure(await image('debian:12'))).toContain('names debian:12 nowhere');
});

withEngine(
  'the working directory, the user and folders that it may not write to are as in production',
  async () => {
    const { run } = await measured(
      `FROM python:3.12
WORKDIR /srv/app
RUN chmod 0555 /srv/app && useradd --uid 4242 service
USER service
`,
      reporting({
        uid: 'os.getuid()',
        capabilities:
          'int([l.split()[1] for l in open("/proc/self/status") if l.startswith("CapEff")][0], 16)',
        here: 'int(os.getcwd() == "/srv/app" and os.path.exists("bench.py"))',
        folder: 'int(os.access("/srv/app", os.W_OK))',
        file: 'int(os.access("/srv/app/bench.py", os.W_OK))',
      }),
    );
    expect(await run()).toMatchObject({
      outcome: 'ok',
      metrics: { uid: 4242, capabilities: 0, here: 1, folder: 0, file: 0 },
    });
  },
);

withEngine(
  'each run has the VOLUMEs of the image as they were built, the working directory among them',
  async () => {
    const { run } = await measured(
      `FROM python:3.12
RUN useradd --uid 4242 service && mkdir -p /data /srv && echo built > /data/kept && chown -R service /data /srv
VOLUME ["/data", "/srv"]
WORKDIR /srv
USER service
`,
      reporting(
        { built: 'int(open("/data/kept").read() == "built\\n")', left: 'int(os.path.exists("/data/left"))' },
        'open("/srv/written", "w")',
      ) + 'open("/data/left", "w")\n',
    );
    for (const time of ['first', 'second'])
      expect({ time, ...(await run()) }).toMatchObject({
        time,
        outcome: 'ok',
        metrics: { built: 1, left: 0 },
      });
  },
);

withEngine(
  'ENTRYPOINT, CMD and HEALTHCHECK are not run, and the entrypoint is recorded for the report',
  async () => {
    const { run, runnable } = await measured(
      `FROM python:3.12
ENTRYPOINT ["sh", "-c", "exit 9"]
HEALTHCHECK --interval=1s CMD exit 1
CMD ["false"]
`,
      reporting({ own: '1' }),
    );
    expect(await run()).toMatchObject({ outcome: 'ok', metrics: { own: 1 } });
    expect(runnable.image.entrypoint).toEqual(['sh', '-c', 'exit 9']);
  },
);
