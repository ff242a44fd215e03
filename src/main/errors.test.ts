import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { assembleParts } from '../verdict/parts.ts';
import { twoSided } from '../session/session.test-support.ts';
import { buildFailureMessage } from '../images/build-failure.ts';
import { cacheWarnings, compileWarnings } from '../plan/warnings.ts';
import { createImageBuilder } from '../images/images.ts';
import { followProgress } from '../images/progress.ts';
import { pushImage, pushName } from '../images/store.ts';
import { withoutAnswer } from '../measure/engines/container-end.ts';
import { hostEngine } from '../measure/engines/host.ts';
import { resolveInterpreter } from '../measure/engines/host-interpreter.ts';
import { readJournal } from '../session/journal.ts';
import { never, runRequest, type RequestChange } from '../measure/engines/run-request.test-support.ts';
import { loadCommand, serverCommand, serverSettings } from '../measure/server/server.test-support.ts';
import type { Server } from '../plan/plan.ts';
import { refuseForeignLevels } from '../plan/interpreters.ts';
import { resolvePlan, type Overrides } from '../plan/resolve.ts';
import { shardOf } from '../plan/shard.ts';
import type { CommandResult } from '../process/command.ts';
import { freePort } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { readTimelines } from '../session/timeline.ts';
import { parseTimings } from '../session/timings.ts';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { hashFiles } from '../source/workload-files.ts';

/**
 * Every message of plan, build and measurement in one file for reading: fixtures/errors.md. Each is produced by the
 * code that prints it. UPDATE_GOLDEN=1 writes the file.
 */

jest.setTimeout(600_000);
const PATH = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = PATH;
});
afterAll(removeTemporaryFolders);

type Provoke = () => unknown;

async function messageOf(name: string, provoke: Provoke): Promise<string> {
  try {
    const answer = await provoke();
    if (typeof answer === 'string') return answer;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error(`${name}: nothing was said`);
}

const CONFIGURATION = `version: 1
workload:
  files: [bench.py]
  command: [python, bench.py]
variants:
  official: { interpreter: official, python: "3.13" }
  debian: { interpreter: debian }
metrics:
  wall_time_s: { limit: 5% }
rules: { blocks: 20 }
`;
const plan = (text: string, overrides: Overrides = {}, root = '/project') =>
  resolvePlan({ text, file: '.github/pacegate.yml', root, overrides });
const changed = (from: string, to: string) => () => plan(CONFIGURATION.replace(from, to));

const SHARD: Session = {
  ...twoSided({ wall_time_s: [1, 1] }),
  shard: { index: 1, of: 2, tests: 2, variants: ['a', 'b'] },
};

const planned: readonly (readonly [string, Provoke])[] = [
  ['no YAML', changed('variants:', 'variants: [')],
  ['an empty file', () => plan('')],
  [
    'several mistakes at once',
    () =>
      plan(`version: 2
workload: { command: python bench.py, timeout: soon, files: [../secret], memory: lots, mode: fast }
variants:
  Official: { interpreter: official, python: 3.10 }
  debian: { interpeter: debian }
  new: { interpreter: conda }
metrics: { wall_time_s: { limit: lots, better: faster }, "a b": {} }
rules: { alpha: 2, blocks: 0, fail-on: [slower], budget: 20 }
`),
  ],
  [
    'a server with several mistakes',
    changed(
      'command: [python, bench.py]',
      `command: [python, -m, service, "{metrics}"]
  repetitions: 3
  server: { ready: "http://example.org/", load: python load.py, warm-up: many, stop: SIGKILL }`,
    ),
  ],
  [
    'a server that is repeated, and reports itself',
    changed(
      'command: [python, bench.py]',
      `command: [python, -m, service, "{metrics}"]
  repetitions: 3
  server: { ready: 8000, load: [python, load.py] }`,
    ),
  ],
  ['a variant twice', changed('  debian:', '  official: { interpreter: debian }\n  debian:')],
  [
    'two variants that are one',
    changed('  debian:', '  again: { interpreter: official, python: "3.13" }\n  debian:'),
  ],
  ['no variant', changed(/variants:[^]*?metrics:/.exec(CONFIGURATION)?.[0] ?? '', 'variants: {}\nmetrics:')],
  ['rules that can never reach significance', changed('blocks: 20', 'blocks: 6')],
  [
    'nothing that is judged',
    changed(
      'wall_time_s: { limit: 5% }',
      'wall_time_s: { gate: false }\n  cpu_time_s: { gate: false }\n  max_rss_bytes: { gate: false }\n  image_size_bytes: { gate: false }',
    ),
  ],
  [
    'a count that nobody makes',
    changed('wall_time_s: { limit: 5% }', 'wall_time_s: { limit: 5% }\n  valgrind_instructions: {}'),
  ],
  ['options that do not fit the file', () => plan(CONFIGURATION, { variants: ['offical'], budget: 'soon' })],
  [
    'a level of processors of another architecture than the machine’s',
    () => {
      refuseForeignLevels(
        plan(
          CONFIGURATION.replace(
            /variants:\n/,
            'variants:\n  portable: { interpreter: pyenv, python: "3.13", march: armv8.2-a }\n',
          ),
        ),
        'x64',
      );
    },
  ],
  ['measuring code that is not there', () => hashFiles(temporaryFolder(), ['bench.py'])],
  ['a session that is none', () => parseSession('{"benchmarks": []}', 'session.json')],
  ['a shard that has nothing to do', () => shardOf(plan(CONFIGURATION), { index: 3, of: 3 })],
  [
    'sessions that are not of one gate',
    () =>
      assembleParts([
        { session: SHARD, file: 'shard-1/session.json' },
        {
          session: { ...SHARD, id: 'other', workload: { ...SHARD.workload, hash: 'v' } },
          file: 'shard-2/session.json',
        },
      ]),
  ],
  [
    'timings with a wrong line',
    () =>
      parseTimings(
        'session,side,variant,block,position,metric,value,outcome\ns,before,a,1,0,wall_time_s,NaN,ok\n',
        'timings.csv',
      ),
  ],
];

/** A docker with scripted answers: from the words of its call to the lines of a shell script. */
function dockerThatSays(answers: Readonly<Record<string, string>>): void {
  const folder = temporaryFolder();
  const cases = Object.entries(answers).map(([call, script]) => `"${call}"*) ${script};;`);
  writeFileSync(
    join(folder, 'docker'),
    `#!/bin/sh\ncase "$*" in\n${cases.join('\n')}\n*) echo "unexpected: $*" >&2; exit 64;;\nesac\n`,
  );
  chmodSync(join(folder, 'docker'), 0o755);
  process.env['PATH'] = `${folder}:${PATH}`;
}
const GOOD_ENGINE = {
  version: `echo '"26.1.5"'`,
  'buildx version': 'echo github.com/docker/buildx 0.13.1 0.13.1',
  'buildx inspect': `printf 'Name: default\\nDriver: docker\\n\\nNodes:\\nName: default\\nBuildKit version: v0.13.2\\n'`,
  'image inspect': 'echo "Error: No such image: $3" >&2; exit 1',
};

function builder(text = CONFIGURATION, root?: string) {
  const folder = temporaryFolder();
  return createImageBuilder({
    plan: plan(text, {}, root),
    sessionId: 'session',
    variantsFolder: 'variants',
    facts: 'facts.py',
    workFolder: join(folder, 'work'),
    onLine: () => undefined,
  });
}
const check = (answers: Readonly<Record<string, string>>) => async () => {
  dockerThatSays({ ...answers, ...GOOD_ENGINE, ...answers });
  return await builder().check();
};
const prepared =
  (text: string, name: string, files: Readonly<Record<string, string>> = {}) =>
  async () => {
    dockerThatSays({
      ...GOOD_ENGINE,
      pull: 'echo "Error response from daemon: manifest unknown" >&2; exit 1',
    });
    const tree = temporaryFolder();
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(tree, { recursive: true });
      writeFileSync(join(tree, path), content);
    }
    const variant = plan(text).variants.find((one) => one.name === name);
    if (variant === undefined) throw new Error(`no variant ${name}`);
    const result = await builder(text).prepare({ variant, side: 'head', tree, filesFrom: tree }, never);
    return result.kind === 'failed' ? result.failure.message : undefined;
  };
const recorded =
  (name: string, variant = 'official') =>
  () => {
    const progress = followProgress(`${variant} head`, `interpreter-${variant}`, () => undefined);
    readFileSync(`fixtures/buildx/${name}`, 'utf8').split('\n').forEach(progress.feed);
    return buildFailureMessage({
      variant,
      side: 'head',
      step: progress.failed(),
      words: progress.words(),
    });
  };
const failedStep = (lastLines: readonly string[]) => () =>
  buildFailureMessage({
    variant: 'debian',
    side: 'baseline',
    step: {
      step: 'RUN pip install -r requirements.txt',
      target: 'application',
      error: 'exit code: 1',
      lastLines,
    },
    words: [],
  });

const built: readonly (readonly [string, Provoke])[] = [
  [
    'no docker',
    async () => {
      process.env['PATH'] = temporaryFolder();
      return await builder().check();
    },
  ],
  [
    'no engine',
    check({
      version:
        'echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2; exit 1',
    }),
  ],
  [
    'an engine that is too old',
    check({ version: `echo '"20.10.24"'`, 'buildx inspect': `printf 'Driver: docker\\n'` }),
  ],
  ['no buildx', check({ 'buildx version': `echo "docker: 'buildx' is not a docker command." >&2; exit 1` })],
  ['a buildx that is too old', check({ 'buildx version': 'echo github.com/docker/buildx v0.9.1 x' })],
  [
    'a BuildKit that is too old',
    check({ 'buildx inspect': `printf 'Driver: docker-container\\nBuildkit: v0.9.3\\n'` }),
  ],
  [
    'a builder that does not answer',
    check({ 'buildx inspect': 'echo "ERROR: no builder \\"mine\\" found" >&2; exit 1' }),
  ],
  [
    'a certificate authority that is not there',
    async () => {
      dockerThatSays(GOOD_ENGINE);
      return await builder(`${CONFIGURATION}build: { ca: company.pem }\n`, temporaryFolder()).check();
    },
  ],
  ["a step of the application's", recorded('failing-step.progress.txt')],
  ["a step of the interpreter's", recorded('failing-interpreter.progress.txt', 'old')],
  ['a base image that cannot be pulled', recorded('missing-base.progress.txt')],
  ['a step by an old buildx', recorded('failing-step.plain.txt')],
  [
    'a certificate that is not trusted',
    failedStep(['SSLError: certificate verify failed: self-signed certificate in certificate chain']),
  ],
  ['a full disk', failedStep(['OSError: [Errno 28] No space left on device'])],
  [
    'a Dockerfile without a Python image',
    prepared(CONFIGURATION.replace('files: [bench.py]', 'dockerfile: Dockerfile'), 'official', {
      Dockerfile: 'FROM ubuntu:24.04\n',
    }),
  ],
  [
    'a Dockerfile that is not there',
    prepared(CONFIGURATION.replace('files: [bench.py]', 'dockerfile: Dockerfile'), 'official'),
  ],
  [
    'a context that is not there',
    prepared(CONFIGURATION.replace('files: [bench.py]', 'context: service'), 'official'),
  ],
  [
    'an image that cannot be pulled',
    prepared(
      CONFIGURATION.replace(
        '  debian: { interpreter: debian }',
        '  ours: { image: registry.example.org/ours:1 }',
      ),
      'ours',
    ),
  ],
  [
    'a bake file that is not there',
    prepared(CONFIGURATION.replace('  debian: { interpreter: debian }', '  ours: { bake: app }'), 'ours'),
  ],
  [
    'a registry that is none',
    () => pushName({ registry: 'Organisation/Name:1', variant: 'official', commit: 'c0ffee' }),
  ],
  [
    'a push that is refused',
    async () => {
      dockerThatSays({ tag: ':', push: 'echo "denied: permission_denied: write_package" >&2; exit 1' });
      return await pushImage('ghcr.io/organisation/name/official:c0ffee', {
        variant: 'official',
        id: 'sha256:c0ffee',
      });
    },
  ],
  [
    'variants that write over each other’s cache',
    () =>
      cacheWarnings(
        plan(`${CONFIGURATION}build: { cache-to: ["type=registry,ref=ghcr.io/o/n:cache"] }\n`),
      ).join('\n'),
  ],
  [
    'an interpreter that must be compiled',
    () =>
      compileWarnings(
        plan(CONFIGURATION.replace('interpreter: debian', 'interpreter: pyenv, python: "3.13"')),
      ).join('\n'),
  ],
];

/** A real run of the host engine, with its message as the loop records it. */
const hostRun =
  (command: readonly string[], change: RequestChange = {}) =>
  async () => {
    const engine = hostEngine({
      probe: join(process.cwd(), 'src/measure/probe/probe.py'),
      facts: join(process.cwd(), 'src/measure/probe/facts.py'),
      workFolder: temporaryFolder(),
    });
    const { outcome, message } = await engine.run(
      runRequest(command, { ...change, runnable: { python: 'python3', ...change.runnable } }),
      never,
    );
    return `${outcome}: ${message ?? ''}`;
  };
/** The same for a server on a free port. */
const servedRun =
  (server: readonly string[], load: readonly string[], settings: Partial<Server> = {}) =>
  async () => {
    const port = await freePort();
    const workload = {
      server: serverSettings(port, {
        load: loadCommand(port, load),
        startTimeoutSeconds: 10,
        stopTimeoutSeconds: 1,
        ...settings,
      }),
    };
    return (await hostRun(serverCommand(port, server), { workload })()).replaceAll(String(port), '8000');
  };
const clientEnded =
  (result: Partial<CommandResult>, change: RequestChange = {}) =>
  () => {
    const whole = {
      status: null,
      signal: null,
      stdout: '',
      stderr: '',
      timedOut: false,
      ...result,
    };
    const { outcome, message } = withoutAnswer(whole, runRequest(['python', 'bench.py'], change));
    return `${outcome}: ${message ?? ''}`;
  };
const metrics = (json: string) =>
  hostRun(['python', '-c', `import os; open(os.environ["PACEGATE_METRICS"], "w").write('${json}')`]);

const measured: readonly (readonly [string, Provoke])[] = [
  ['no such interpreter', () => resolveInterpreter('python9')],
  ['an exit status', hostRun(['python', '-c', 'import sys; print("the answer is wrong"); sys.exit(3)'])],
  ['a signal', hostRun(['python', '-c', 'import os; os.kill(os.getpid(), 11)'])],
  ['a command that is not there', hostRun(['benchmark'])],
  [
    'a time limit',
    hostRun(['python', '-c', 'import time; time.sleep(60)'], { workload: { timeoutSeconds: 0.5 } }),
  ],
  [
    'a process that is left behind',
    hostRun(['python', '-c', 'import subprocess; subprocess.Popen(["sleep", "60"])'], {
      workload: { timeoutSeconds: 2 },
    }),
  ],
  [
    'a server that is never ready',
    servedRun(['print("loading the model", flush=True)', 'time.sleep(60)'], [], { startTimeoutSeconds: 3 }),
  ],
  [
    'a server that ends before it is ready',
    servedRun(['print("no such table: users", flush=True)', 'sys.exit(3)'], []),
  ],
  [
    'a server that ends under load',
    servedRun(
      ['def handle(path): return (os._exit(4), "") if path == "/" else (200, "")', 'serve()'],
      ['try: get("/")', 'except OSError: time.sleep(60)'],
    ),
  ],
  [
    'a load that fails',
    servedRun(
      [
        'def handle(path):',
        '    if path != "/": return 200, ""',
        '    print("no such table: users", flush=True)',
        '    return 500, ""',
        'serve()',
      ],
      ['try: get("/")', 'except OSError as error: sys.exit("load: {}".format(error))'],
    ),
  ],
  [
    'a port that somebody else has',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      try {
        return (await servedRun(['serve()'], [], { ready: port })()).replaceAll(String(port), '8000');
      } finally {
        other.close();
      }
    },
  ],
  ['metrics that are no JSON', metrics('tasks: 5')],
  ['metrics that are no numbers', metrics('{"tasks": "many"}')],
  ['metrics with a name that is taken', metrics('{"wall_time_s": 1}')],
  [
    'an engine that cannot start a container',
    clientEnded({
      status: 125,
      stderr: 'docker: Error response from daemon: failed to create task: no space left on device.',
    }),
  ],
  [
    'an image without its interpreter',
    clientEnded({ status: 127, stderr: 'docker: exec: "python": executable file not found in $PATH.' }),
  ],
  [
    'a container killed at its memory limit',
    clientEnded({ status: 137 }, { workload: { memoryBytes: 536_870_912 } }),
  ],
  ['a container killed by somebody', clientEnded({ status: 137 })],
  ['a run that did not end', clientEnded({ timedOut: true })],
  ['a client that was killed', clientEnded({ signal: 'SIGKILL' })],
  ['a probe that says nothing', clientEnded({ status: 1, stderr: 'Segmentation fault' })],
  ['a journal with a broken line', () => readJournal('{"warmup": fal\n{}\n', 'runs.jsonl')],
  ['a timeline with a broken line', () => readTimelines('{"session": 1}\n', 'timeline.jsonl')],
];

/** Replaces the parts that differ from machine to machine by names. */
const steady = (text: string) =>
  text
    .replace(/\/tmp\/pacegate-test-\w+/g, '/folder')
    .replace(/after \d+\.\d s/g, 'after 0.1 s')
    .replace(/tried \d+ times/g, 'tried 100 times')
    .replaceAll(process.cwd(), '/pacegate');

test('every message of Plan, build and measurement is the one in fixtures/errors.md', async () => {
  const sections: string[] = [];
  for (const [title, provoked] of [
    ['Plan', planned],
    ['Build', built],
    ['Measurement', measured],
  ] as const) {
    const parts: string[] = [];
    for (const [name, provoke] of provoked) {
      parts.push(`### ${name}\n\n\`\`\`text\n${steady(await messageOf(name, provoke))}\n\`\`\``);
      process.env['PATH'] = PATH;
    }
    sections.push(`## ${title}\n\n${parts.join('\n\n')}`);
  }
  const text = `# What Pacegate says when something is wrong\n\nMade by the tests from the code that says it.\n\n${sections.join('\n\n')}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync('fixtures/errors.md', text);
  expect(text).toBe(readFileSync('fixtures/errors.md', 'utf8'));
});
