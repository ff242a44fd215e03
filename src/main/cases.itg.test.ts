import { chmodSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { startRegistry } from '../images/images.test-support.ts';
import { withEngine } from '../process/engine.test-support.ts';
import {
  bareRepository,
  removeTemporaryFolders,
  repository,
  runGit,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/**
 * Small projects that mislead other tools (fixtures/cases), each with variations. The tests gate them as a user does,
 * and check the exit status and the output.
 */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const CASES = join(import.meta.dirname, '..', '..', 'fixtures', 'cases');

/** One way to run a case. */
interface Variation {
  /** Completes the sentence "NAME: …". */
  readonly title: string;
  /** Changes the files before the first commit. */
  readonly base?: (project: TestRepository) => void;
  /** The pull request. Without one nothing is compared: `run` measures the files. */
  readonly change?: (project: TestRepository) => void;
  readonly arguments?: readonly string[];
  readonly status: number;
  readonly says: readonly RegExp[];
  readonly doesNotSay?: readonly RegExp[];
}

const replaced = ({ path, write }: TestRepository, file: string, from: string | RegExp, to: string) => {
  const before = readFileSync(join(path, file), 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${file} has nothing to replace`);
  write(file, after);
};

const appended = ({ path, write }: TestRepository, file: string, text: string) =>
  write(file, `${readFileSync(join(path, file), 'utf8')}${text}`);

async function runCase(name: string, variation: Variation): Promise<void> {
  const project = repository();
  cpSync(join(CASES, name), project.path, { recursive: true });
  variation.base?.(project);
  project.commit('base');
  if (variation.change !== undefined) {
    project.git('checkout', '-q', '-b', 'change');
    variation.change(project);
    project.commit('change');
  }
  const command = variation.change === undefined ? ['run'] : ['gate', '--baseline', 'main'];
  const { status, out, log } = await pacegate(project.path, [
    ...command,
    ...['--budget', '40s'],
    ...(variation.arguments ?? []),
  ]);
  const said = `${log}\n${out}`;
  // A failure's message contains the whole output.
  expect({ status, said: status === variation.status ? '' : said }).toEqual({
    status: variation.status,
    said: '',
  });
  for (const expected of variation.says) expect(said).toMatch(expected);
  for (const unexpected of variation.doesNotSay ?? []) expect(said).not.toMatch(unexpected);
}

type Cases = Readonly<Record<string, readonly Variation[]>>;
const rowsOf = (cases: Cases) =>
  Object.entries(cases).flatMap(([name, variations]) =>
    variations.map((variation) => [name, variation.title, variation] as const),
  );

/** The output for a change that passes. */
const GREEN = /The gate passes|unchanged in the|Pacegate: (no baseline|unchanged)/;

const ON_THE_HOST: Cases = {
  'broken-bench': [
    {
      title: 'a change that breaks the benchmark and touches the application fails',
      change: (project) => {
        project.write('bench.py', 'import app\napp.w(\n');
        appended(project, 'app.py', '# c\n');
      },
      status: 3,
      says: [/failed/, /bench\.py/, /SyntaxError/],
      doesNotSay: [GREEN],
    },
    {
      title: 'a change that breaks nothing but the benchmark is run, and fails',
      change: ({ write }) => write('bench.py', 'import app\napp.w(\n'),
      status: 3,
      says: [/failed/, /bench\.py/],
      doesNotSay: [/identical images, so nothing was measured/, GREEN],
    },
    {
      title: 'a benchmark that calls what neither side has fails',
      change: ({ write }) => write('bench.py', 'import app; app.new_function()\n'),
      status: 3,
      says: [/failed/, /new_function/],
      doesNotSay: [GREEN],
    },
    {
      title: 'a benchmark that ends with a status fails',
      change: (project) => {
        project.write('bench.py', 'import app, sys; app.w(); sys.exit(4)\n');
        appended(project, 'app.py', '# c\n');
      },
      status: 3,
      says: [/failed/, /\b4\b/],
      doesNotSay: [GREEN],
    },
    {
      title: 'a script that may no longer be executed fails',
      base: (project) => {
        project.write('bench.sh', '#!/bin/sh\npython3 bench.py\n');
        chmodSync(join(project.path, 'bench.sh'), 0o755);
        replaced(project, '.github/pacegate.yml', '[bench.py]', '[bench.py, bench.sh]');
        replaced(project, '.github/pacegate.yml', '[python, bench.py]', '[./bench.sh]');
      },
      change: (project) => {
        chmodSync(join(project.path, 'bench.sh'), 0o644);
        appended(project, 'app.py', '# c\n');
      },
      status: 3,
      says: [/failed/, /bench\.sh/],
      doesNotSay: [GREEN],
    },
    {
      title: 'an application that the change breaks fails as the head',
      change: ({ write }) => write('app.py', 'def w(): raise ValueError("broken here")\n'),
      status: 3,
      says: [/failed/, /head/, /broken here/],
      doesNotSay: [GREEN],
    },
  ],
  'hyperfine-exit-codes': [
    {
      title: 'a command that fails in every run gives no figure',
      change: ({ write }) =>
        write('app/r.json', '{"results":[{"command":"python cli.py","median":0.2,"exit_codes":[1,1,1]}]}\n'),
      status: 3,
      says: [/failed/, /exit/i],
      doesNotSay: [/improved/],
    },
    {
      title: 'a command that fails in one run of three gives none either',
      change: ({ write }) =>
        write('app/r.json', '{"results":[{"command":"python cli.py","median":0.2,"exit_codes":[0,0,1]}]}\n'),
      status: 3,
      says: [/failed/],
      doesNotSay: [/improved/],
    },
    {
      title: 'a command that ends well is judged',
      change: ({ write }) =>
        write('app/r.json', '{"results":[{"command":"python cli.py","median":0.6,"exit_codes":[0,0,0]}]}\n'),
      status: 1,
      says: [/regressed/],
    },
  ],
  'limit-without-percent': [
    {
      title: 'limit: 5 is refused',
      change: (project) => replaced(project, 'app/r.json', '0.1', '0.2'),
      status: 2,
      says: [/limit/, /5\s?%/],
    },
    {
      title: 'limit: 1 is refused as well',
      base: (project) => replaced(project, '.github/pacegate.yml', 'limit: 5', 'limit: 1'),
      change: (project) => replaced(project, 'app/r.json', '0.1', '0.2'),
      status: 2,
      says: [/limit/],
    },
    {
      title: 'with a limit of 5 % the same change is regressed',
      base: (project) => replaced(project, '.github/pacegate.yml', 'limit: 5', 'limit: 5%'),
      change: (project) => replaced(project, 'app/r.json', '0.1', '0.2'),
      status: 1,
      says: [/test_a/, /regressed/],
    },
  ],
  'same-test-name': [
    {
      title: 'one of two tests of one name is twice as slow, and is regressed',
      change: (project) => replaced(project, 'app/r.json', '0.1', '0.2'),
      status: 1,
      says: [/test_same/, /regressed/],
    },
    {
      title: 'the other one of the two is judged as well',
      change: (project) =>
        replaced(
          project,
          'app/r.json',
          /("bench\/t\.py::B::test_same", "stats": \{ ?"median": )0\.1/,
          '$10.2',
        ),
      status: 1,
      says: [/test_same/, /regressed/],
    },
  ],
  'not-idempotent': [1, 2, 5].map((seed) => ({
    title: `a workload that runs once and no second time has one verdict (seed ${seed})`,
    change: ({ write }) => write('app.py', 'x=3\n'),
    arguments: ['--config', 'h.yml', '--seed', String(seed)],
    status: 3,
    says: [/works (the first time|once) and fails when it is (run again|repeated)/, /Pacegate: no figures/],
    doesNotSay: [GREEN],
  })),
};

const IN_CONTAINERS: Cases = {
  'arg-from': [
    {
      title: 'a base with its tag in an argument is each interpreter in turn',
      change: (project) => appended(project, 'app.py', '# x\n'),
      status: 0,
      says: [/official|debian/],
      doesNotSay: [/could not be built/],
    },
    {
      title: 'a final stage of another base is refused',
      base: ({ write }) =>
        write(
          'Dockerfile',
          'FROM python AS builder\nWORKDIR /app\nCOPY app.py .\nFROM debian:trixie-slim\nWORKDIR /app\nCOPY --from=builder /app /app\n',
        ),
      change: (project) => appended(project, 'app.py', '# x\n'),
      status: 3,
      says: [/FROM/],
      doesNotSay: [GREEN, /improved/],
    },
  ],
  'bake-platforms': [
    {
      title: 'a target of two platforms is built for this machine',
      status: 3,
      says: [/LEVEL is none/],
      doesNotSay: [/could not be built/],
    },
    {
      title: 'so is a target of this platform alone',
      base: (project) => replaced(project, 'docker-bake.hcl', ', "linux/arm64"', ''),
      status: 3,
      says: [/LEVEL is none/],
    },
  ],
  'entrypoint-ignored': [
    {
      title: 'an entrypoint that is left out is named, and nothing is green',
      change: (project) => appended(project, 'app.py', '# c\n'),
      status: 3,
      says: [/ENTRYPOINT/],
      doesNotSay: [GREEN],
    },
  ],
  'not-idempotent': [
    {
      title: 'a workload that runs once and no second time fails in a container too',
      change: ({ write }) => write('app.py', 'x=3\n'),
      arguments: ['--config', 'c.yml', '--seed', '2'],
      status: 3,
      says: [/works (the first time|once) and fails when it is (run again|repeated)/, /Pacegate: no figures/],
      doesNotSay: [GREEN],
    },
  ],
  'requirements-includes': [
    {
      title: 'a requirements file that includes another is installed',
      status: 0,
      says: [/1 variant measured/],
    },
    {
      title: 'a constraint and a second include are followed',
      base: ({ write }) => {
        write('requirements.txt', '-r requirements/base.txt\n-c requirements/constraints.txt\n');
        write('requirements/base.txt', '-r more.txt\n');
        write('requirements/more.txt', '# nothing\n');
        write('requirements/constraints.txt', 'six==1.16.0\n');
      },
      status: 0,
      says: [/1 variant measured/],
    },
    {
      title: 'a folder that would be installed and is not there is refused with the line',
      base: (project) => appended(project, 'requirements.txt', '-e ./libs/none\n'),
      status: 3,
      says: [
        /requirements\.txt line 2: it installs \.\/libs\/none, and workload\.context has no such folder/,
        /Pacegate's default Dockerfile/,
      ],
    },
    {
      title: 'a lock file of conda is refused with what to do',
      base: (project) => {
        rmSync(join(project.path, 'requirements.txt'));
        project.write('pixi.lock', 'version: 6\n');
      },
      status: 3,
      says: [/pixi\.lock: its packages are conda's/, /uv lock/],
    },
  ],
};

test.each(rowsOf(ON_THE_HOST))('%s: %s', async (name, _title, variation) => {
  await runCase(name, variation);
});

withEngine.each(rowsOf(IN_CONTAINERS))('%s: %s', async (name, _title, variation) => {
  await runCase(name, variation);
});

/** The author of the baseline branch's commits, as in a job. */
const AUTHOR = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
};

withEngine(
  'monorepo: two services whose configurations have one base name share no folder, image, comment or artifact',
  async () => {
    const registry = await startRegistry();
    try {
      const project = repository();
      cpSync(join(CASES, 'monorepo'), project.path, { recursive: true });
      const services = ['orders', 'billing'] as const;
      const configurationOf = (service: string) => `services/${service}/pacegate.yml`;
      for (const service of services)
        replaced(project, configurationOf(service), '127.0.0.1:5511', `127.0.0.1:${registry.port}`);
      project.commit('base');
      const origin = bareRepository();
      project.git('remote', 'add', 'origin', origin);
      project.git('push', '-q', 'origin', 'main');

      const identities = new Map<string, string>();
      for (const service of services) {
        const night = await pacegate(
          project.path,
          ['baseline', '--config', configurationOf(service), '--budget', '6m'],
          undefined,
          AUTHOR,
        );
        expect({ status: night.status, log: night.status === 0 ? '' : night.log }).toEqual({
          status: 0,
          log: '',
        });
        const session = JSON.parse(
          readFileSync(join(project.path, 'pacegate-out', 'session.json'), 'utf8'),
        ) as { readonly configuration: string };
        identities.set(service, session.configuration);
      }
      // The comment's marker, the artifact and the nights have this name.
      const [orders = '', billing = ''] = services.map((service) => identities.get(service));
      expect(orders).toMatch(/^services-orders-pacegate-[0-9a-f]{8}$/);
      expect(billing).toMatch(/^services-billing-pacegate-[0-9a-f]{8}$/);
      const folders = runGit(origin, 'ls-tree', '-r', '--name-only', 'pacegate-baseline')
        .split('\n')
        .filter((path) => path.includes('/') && path.endsWith('.json'))
        .map((path) => path.split('/')[0]);
      expect(new Set(folders)).toEqual(new Set([orders, billing]));

      project.git('checkout', '-q', '-b', 'change');
      appended(project, 'services/orders/app.py', '# a comment\n');
      project.commit('change');
      const gate = await pacegate(
        project.path,
        ['gate', '--config', configurationOf('orders'), '--baseline', 'main', '--budget', '4m'],
        undefined,
        AUTHOR,
      );
      expect(gate.log).toContain(`pulled 127.0.0.1:${registry.port}/team/${orders}__official@sha256:`);
      expect(gate.log).not.toContain(billing);
      // Billing's baseline takes 300 times as long. If orders used it, the report would be "improved -96 %".
      expect(gate.out).not.toMatch(/improved|regressed/);
      expect({ status: gate.status, out: gate.status === 0 ? '' : gate.out }).toEqual({ status: 0, out: '' });
      const report = readFileSync(join(project.path, 'pacegate-out', 'report.md'), 'utf8');
      expect(report).toContain(orders);
      expect(report).not.toContain(billing);
    } finally {
      registry.stop();
    }
  },
  900_000,
);
