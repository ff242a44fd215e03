import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { refuseTarget } from '../main/action.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { openProject } from '../pipeline/open-project.ts';
import { mayHaveSecrets, mayWriteCache, permitted, sidesOf, type Occasion } from '../pipeline/occasion.ts';
import { ruledPlan } from '../pipeline/ruled-plan.ts';
import {
  removeTemporaryFolders,
  repositoryWithOrigin,
  runGit,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { configurationJsonSchema } from './configuration.ts';
import type { Install, Plan, Variant } from './plan.ts';
import { resolvePlan } from './resolve.ts';

/**
 * docs/security.md, "Who decides": each field of the configuration, by the event and by the commit that is checked out.
 * Every cell is what the gate makes of a base and a head that differ in all fields, in a real repository, twice: the
 * second time with their values exchanged.
 */

jest.setTimeout(600_000);

/** A field's values on two sides, and where the plan has it. */
interface Field {
  readonly values: readonly [unknown, unknown];
  readonly of: (plan: Plan) => unknown;
  /** Only beside a server, or only without one. */
  readonly server?: boolean;
}

const field = (a: unknown, b: unknown, of: Field['of']): Field => ({ values: [a, b], of });
/** A key of the variant of this name, which is in both configurations. */
const ofVariant = (name: string, a: unknown, b: unknown, of: (variant: Record<string, unknown>) => unknown) =>
  field(a, b, ({ variants }) => {
    const found: Variant | undefined = variants.find((variant) => variant.name === name);
    return found === undefined ? undefined : of({ ...found });
  });
const ofArguments = (name: string, key: string, a: unknown, b: unknown) =>
  ofVariant(name, a, b, ({ args }) => (args as Record<string, unknown>)[key]);
const ofMetric = (key: 'limit' | 'warn' | 'better' | 'unit' | 'gate' | 'formula', a: unknown, b: unknown) =>
  field(a, b, ({ rules }) => rules.metrics.find(({ name }) => name === 'own')?.[key]);
/** A metric has only one of the two bounds, so each is that of a metric of its name. */
const metricOf = (key: string | undefined) => (key === 'max' || key === 'min' ? key : 'own');
const boundOf = ({ metrics }: Plan['rules'], kind: 'max' | 'min') =>
  metrics.find(({ name }) => name === kind)?.[kind];
const ofServer = (key: keyof NonNullable<Plan['workload']['server']>, a: unknown, b: unknown): Field => ({
  ...field(a, b, ({ workload }) => workload.server?.[key]),
  server: true,
});
/** Not beside a Dockerfile, which the configurations without a server name. */
const ofInstall = (key: keyof Install, a: unknown, b: unknown): Field => ({
  ...field(a, b, ({ workload }) => workload.install?.[key]),
  server: true,
});
const pinned = (digit: string) => `debian:trixie-slim@sha256:${digit.repeat(64)}`;

/** Path in the schema -> its field. A variant's key is that of the variant named in VARIANT_OF. */
const FIELDS: Readonly<Record<string, Field>> = {
  name: field('one', 'two', ({ configuration }) => configuration),
  'workload.context': field('app', 'other', ({ workload }) => workload.context),
  'workload.dockerfile': {
    ...field('Dockerfile', 'Dockerfile.perf', ({ workload }) => workload.dockerfile),
    server: false,
  },
  'workload.interpreter-from': {
    ...field('python:3.12', ['base', 'python:3.13'], ({ workload }) => workload.interpreterFrom),
    server: false,
  },
  'workload.install.groups': ofInstall('groups', ['a'], ['b']),
  'workload.install.extras': ofInstall('extras', ['a'], ['b']),
  'workload.install.packages': ofInstall('packages', ['a'], ['b']),
  'workload.files': field(['a.py'], ['b.py'], ({ workload }) => workload.files),
  'workload.command': field(['python', 'a.py'], ['python', 'b.py'], ({ workload }) => workload.command),
  'workload.timeout': field('1m', '2m', ({ workload }) => workload.timeoutSeconds),
  'workload.env.*': field({ A: '1' }, { A: '2' }, ({ workload }) => workload.env),
  'workload.network': field('none', 'bridge', ({ workload }) => workload.network),
  'workload.memory': field('1g', '2g', ({ workload }) => workload.memoryBytes),
  'workload.pids': field(100, 200, ({ workload }) => workload.pids),
  'workload.repetitions': { ...field(1, 2, ({ workload }) => workload.repetitions), server: false },
  'workload.instructions': {
    ...field('none', 'counters', ({ workload }) => workload.instructions),
    server: false,
  },
  'workload.profiler': field('cprofile', 'none', ({ workload }) => workload.profiler),
  'workload.server.ready': ofServer('ready', 8000, 8001),
  'workload.server.load': ofServer('load', ['python', 'load.py'], ['python', '-c', 'pass']),
  'workload.server.warm-up': ofServer('warmUp', 1, 2),
  'workload.server.start-timeout': ofServer('startTimeoutSeconds', '10s', '20s'),
  'workload.server.stop': ofServer('stop', 'SIGTERM', 'SIGINT'),
  'workload.server.stop-timeout': ofServer('stopTimeoutSeconds', '11s', '21s'),
  'variants.*.interpreter': ofVariant('kind', 'debian', 'official', ({ interpreter }) => interpreter),
  'variants.*.python': ofArguments('official', 'PYTHON_VERSION', '3.12', '3.13'),
  'variants.*.debian': ofArguments('official', 'DEBIAN_RELEASE', 'trixie', 'bookworm'),
  'variants.*.base': ofArguments('official', 'BASE_IMAGE', pinned('1'), pinned('2')),
  'variants.*.flags': ofVariant('official', ['-O'], ['-OO'], ({ flags }) => flags),
  'variants.*.env.*': ofVariant('official', { B: '1' }, { B: '2' }, ({ env }) => env),
  'variants.*.contexts.*': ofVariant(
    'official',
    { a: 'docker-image://a' },
    { a: 'docker-image://b' },
    ({ contexts }) => contexts,
  ),
  'variants.*.alpine': ofArguments('alpine', 'ALPINE_RELEASE', '3.21', '3.22'),
  'variants.*.distribution': ofArguments('dhi', 'DISTRIBUTION', 'debian13', 'debian13-dev'),
  'variants.*.march': ofVariant('pyenv', 'x86-64-v2', 'x86-64-v3', ({ march }) => march),
  'variants.*.configure': ofArguments('pyenv', 'CONFIGURE_OPTIONS', ['--with-a'], ['--with-b']),
  'variants.*.jit': ofArguments('jit', 'LLVM_VERSION', false, true),
  'variants.*.release': ofArguments('uv', 'PYTHON_BUILD', '20250612', '20250613'),
  'variants.*.mirror': ofArguments('uv', 'UV_PYTHON_INSTALL_MIRROR', 'https://a', 'https://b'),
  'variants.*.downloads': ofArguments('uv', 'UV_PYTHON_DOWNLOADS_JSON_URL', 'https://c', 'https://d'),
  'variants.*.channel': ofArguments('conda', 'CHANNEL', 'one', 'two'),
  'variants.*.image': ofVariant('image', 'a:1', 'b:1', ({ image }) => image),
  'variants.*.baseline': ofVariant('image', 'c:1', 'd:1', ({ baselineImage }) => baselineImage),
  'variants.*.bake': ofVariant('bake', 'app', 'other', ({ target }) => target),
  'variants.*.file': ofVariant('bake', 'a.hcl', 'b.hcl', ({ file }) => file),
  'metrics.*.limit': ofMetric('limit', '4%', '50%'),
  'metrics.*.warn': ofMetric('warn', '1%', '2%'),
  'metrics.*.max': field(1, 2, ({ rules }) => boundOf(rules, 'max')),
  'metrics.*.min': field(1, 2, ({ rules }) => boundOf(rules, 'min')),
  'metrics.*.better': ofMetric('better', 'lower', 'higher'),
  'metrics.*.unit': ofMetric('unit', 's', 'B'),
  'metrics.*.gate': ofMetric('gate', true, false),
  'metrics.*.formula': ofMetric('formula', 'wall_time_s * 2', 'wall_time_s * 3'),
  'rules.alpha': field(0.05, 0.04, ({ rules }) => rules.alpha),
  'rules.profile': field('balanced', 'loose', ({ rules }) => rules.profile),
  'rules.blocks': field(30, 25, ({ rules }) => rules.blocks),
  'rules.budget': field('20m', '10m', ({ budgetSeconds }) => budgetSeconds),
  'rules.evidence': field('auto', 'paired', ({ rules }) => rules.evidence),
  'rules.fail-on': field(['regressed'], ['failed'], ({ rules }) => rules.failOn),
  'rules.paths-ignore': field(['docs/**'], ['**'], ({ pathsIgnore }) => pathsIgnore),
  'rules.changed-measurement': field('report', 'fail', ({ rules }) => rules.changedMeasurement),
  'build.cache-from': field(['type=gha'], ['type=registry,ref=a'], ({ build }) => build.cacheFrom),
  'build.cache-to': field(['type=registry,ref=b'], ['type=inline'], ({ build }) => build.cacheTo),
  'build.secrets': field(['id=a,env=A'], ['id=b,env=B'], ({ build }) => build.secrets),
  'build.ca': field('a.pem', 'b.pem', ({ build }) => build.ca),
  'build.registry': field('a.example/x', 'b.example/x', ({ build }) => build.registry),
  'build.cold': field('quick', 'all', ({ build }) => build.cold),
};

/** What a variant needs beside the keys that differ. */
const VARIANTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  kind: { python: '3.13' },
  official: { interpreter: 'official' },
  alpine: { interpreter: 'alpine', python: '3.13' },
  pyenv: { interpreter: 'pyenv', python: '3.13' },
  jit: { interpreter: 'pyenv', python: '3.14' },
  uv: { interpreter: 'uv', python: '3.13' },
  conda: { interpreter: 'conda-forge', python: '3.13' },
  dhi: { interpreter: 'dhi', python: '3.13' },
  image: {},
  bake: {},
};
const VARIANT_OF: Readonly<Record<string, string>> = {
  interpreter: 'kind',
  alpine: 'alpine',
  march: 'pyenv',
  configure: 'pyenv',
  jit: 'jit',
  release: 'uv',
  mirror: 'uv',
  downloads: 'uv',
  channel: 'conda',
  distribution: 'dhi',
  image: 'image',
  baseline: 'image',
  bake: 'bake',
  file: 'bake',
};

/** The configuration in which each field has the first of its values, or the second. */
function configuration(index: 0 | 1, server: boolean): string {
  const root: Record<string, unknown> = {
    version: 1,
    metrics: { wall_time_s: { limit: '3%' }, min: { better: 'higher' } },
    variants: structuredClone(VARIANTS),
    trust: { branches: ['release/*'] },
  };
  for (const [path, { values, server: only }] of Object.entries(FIELDS)) {
    if (only !== undefined && only !== server) continue;
    const words = path.split('.').filter((word, at, all) => word !== '*' || at < all.length - 1);
    const way = words.map((word, at) =>
      word !== '*'
        ? word
        : words[at - 1] === 'metrics'
          ? metricOf(words[at + 1])
          : (VARIANT_OF[words[at + 1] ?? ''] ?? 'official'),
    );
    const last = way.pop() ?? '';
    let holder = root;
    for (const word of way) holder = (holder[word] ??= {}) as Record<string, unknown>;
    holder[last] = values[index];
  }
  return JSON.stringify(root);
}

/** The plan's value where all fields have their first value, or their second. */
type Decided = 'base' | 'head' | 'neither';

/** The commit that a job has checked out, by what it is. */
type Commit = 'a change' | 'on the default branch' | 'on a listed branch';
const EVENTS: readonly (readonly [event: string, commits: readonly Commit[]])[] = [
  ['pull_request', ['a change']],
  ['merge_group', ['a change']],
  ...['push', 'workflow_run', 'issue_comment', 'workflow_dispatch', 'schedule'].map(
    (event) => [event, ['a change', 'on the default branch', 'on a listed branch']] as const,
  ),
  ['terminal', ['a change', 'on the default branch']],
];

const FILES = ['a.yml', 'b.yml', 'server-a.yml', 'server-b.yml'];
/** Which of a field's values each of the files has. On the other side it is the other one. */
const INDEX: readonly (0 | 1)[] = [0, 1, 0, 1];

interface Cell {
  readonly event: string;
  readonly commit: Commit;
  readonly standing: string;
  readonly decided: ReadonlyMap<string, Decided>;
  readonly secrets: 'yes' | 'no' | 'if the workflow allows it';
  readonly writesCache: boolean;
}
const cells: Cell[] = [];

beforeAll(async () => {
  const { checkout, commits } = history();
  for (const [event, kinds] of EVENTS)
    for (const commit of kinds) cells.push(await cell(checkout, event, commit, commits));
});
afterAll(removeTemporaryFolders);

type Commits = Readonly<Record<Commit | 'base' | 'merge', string>>;

/** A server with a default branch, a listed one and a change, and a clone of it. */
function history() {
  const repo = repositoryWithOrigin();
  const write = (other: boolean) =>
    FILES.forEach((name, at) =>
      repo.write(name, configuration((other ? 1 - (INDEX[at] ?? 0) : (INDEX[at] ?? 0)) as 0 | 1, at > 1)),
    );
  for (const folder of ['app', 'other'])
    for (const name of ['a.py', 'b.py']) repo.write(`${folder}/${name}`, '');
  write(false);
  const base = repo.commit('base');
  const edited = (branch: string) => {
    repo.git('checkout', '-q', '-B', branch, base);
    write(true);
    return repo.commit(`edited on ${branch}`);
  };
  const change = edited('change');
  const merge = (() => {
    repo.git('checkout', '-q', '-B', 'merged', base);
    repo.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
    return repo.git('rev-parse', 'HEAD');
  })();
  const listed = edited('release/1');
  const main = edited('main');
  repo.git('push', '-q', 'origin', 'main', 'change', 'release/1', 'merged');
  return {
    checkout: repo,
    commits: {
      base,
      merge,
      'a change': change,
      'on a listed branch': listed,
      'on the default branch': main,
    } satisfies Commits,
  };
}

/** What one event with one checkout makes of every field. */
async function cell(repo: TestRepository, event: string, commit: Commit, commits: Commits): Promise<Cell> {
  const { base, merge } = commits;
  const merged = ['pull_request', 'merge_group'].includes(event);
  const head = merged ? merge : commits[commit];
  repo.git('checkout', '-q', '--detach', head);
  const isPull = event.startsWith('pull_request');
  // GITHUB_SHA: GitHub's merge commit, the pushed commit, or the tip of the default branch.
  const sha = merged || event === 'push' ? head : commits['on the default branch'];
  const occasion: Occasion = {
    event,
    gitEnvironment: {},
    secretsOnPullRequests: true,
    defaultBranch: 'main',
    sha,
    ...(isPull ? { baseRef: 'main', mergeSha: sha } : {}),
    ...(event === 'merge_group' ? { baseSha: base } : {}),
    ...(event === 'push' ? { before: base } : {}),
  };
  const open = async (config: string) =>
    await openProject({ directory: repo.path, config, overrides: {}, follow: false }, realPorts().source);
  const { sides, standing } = await sidesOf(await open('a.yml'), occasion, realPorts().source);
  if ('unavailable' in sides.baseline) throw new Error(sides.baseline.unavailable);
  const found = new Map<string, Decided[]>();
  for (const [at, name] of FILES.entries()) {
    const project = await open(name);
    const { plan } = await ruledPlan(project, {}, { standing, sides }, realPorts().source);
    const judging = permitted(plan, standing, occasion, sides);
    const server = at > 1;
    const read = (commit: string) =>
      resolvePlan({ text: runGit(repo.path, 'show', `${commit}:${name}`), file: name, root: repo.path });
    const [before, after] = [read(sides.baseline.commit), read(head)];
    for (const [path, { of, server: only }] of Object.entries(FIELDS)) {
      if (only !== undefined && only !== server) continue;
      const [value, own, change] = [judging, before, after].map((one) => JSON.stringify(of(one)));
      if (own === change)
        throw new Error(`${event}, ${commit}: ${path} is the same on both sides: ${own ?? ''}`);
      const decided = value === own ? 'base' : value === change ? 'head' : 'neither';
      found.set(path, [...(found.get(path) ?? []), decided]);
    }
  }
  const secrets = [false, true].map((secretsOnPullRequests) =>
    mayHaveSecrets(standing, { ...occasion, secretsOnPullRequests }),
  );
  return {
    event,
    commit,
    standing: standing.kind,
    decided: new Map(
      // A value that only happens to be one side's is not that side's with the values exchanged.
      [...found].map(([path, [first = 'neither', ...rest]]) => [
        path,
        rest.every((one) => one === first) ? first : 'neither',
      ]),
    ),
    secrets: secrets[0] === true ? 'yes' : secrets[1] === true ? 'if the workflow allows it' : 'no',
    writesCache: mayWriteCache(standing, occasion, head),
  };
}

/** What the gate itself does not read, in the table's words. */
const ELSEWHERE: Readonly<Record<string, readonly [string, string, string]>> = {
  version: ['head', 'head', 'head'],
  'rules.anchor': ['nobody', 'head, in `mode: baseline`', 'head, in `pacegate baseline`'],
  'trust.branches': ['the default branch', 'the default branch', 'nobody'],
};

const STANDINGS = ['change', 'trusted', 'own'];
/** What `neither` means. */
const NEITHER: Readonly<Record<string, string>> = {
  'variants.*.contexts.*': 'head, as far as the base names it too',
  'rules.changed-measurement': 'always `report`',
};

/** One cell of the table of fields: what all jobs of one standing decide alike. */
function who(path: string, at: number): string {
  const elsewhere = ELSEWHERE[path]?.[at];
  if (elsewhere !== undefined) return elsewhere;
  const own = cells.filter(({ standing }) => standing === STANDINGS[at]);
  const groups = new Map<string, string[]>();
  for (const { event, decided } of own) {
    const found = decided.get(path) ?? 'neither';
    groups.set(found, [...(groups.get(found) ?? []), event]);
  }
  const [first = 'neither', ...others] = groups.keys();
  if (others.length === 0) return first === 'neither' ? (NEITHER[path] ?? first) : first;
  // The secrets of a build are the base's where they are had at all.
  if (path === 'build.secrets') return 'base, where they are had at all';
  return [...groups].map(([decided, events]) => `${decided}: ${[...new Set(events)].join(', ')}`).join('; ');
}

const document = readFileSync('docs/security.md', 'utf8');
/** Rows of a table, with one space around each cell, whatever the columns' widths are. */
const rows = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.replace(/ +/g, ' ').trim());
const section = (title: string) => rows(document.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '').slice(2);

test('docs/security.md says of each event and commit how it is judged, and what its builds are given', () => {
  const KIND: Readonly<Record<string, string>> = { change: 'a change', trusted: 'trusted', own: 'own' };
  expect(() => refuseTarget({ event: 'pull_request_target' })).toThrow('Use the event pull_request');
  expect(section('Events')).toEqual([
    '| `pull_request_target` | any | refused | no | no | no |',
    ...cells.map(
      ({ event, commit, standing, secrets, writesCache }) =>
        `| \`${event}\` | ${commit} | ${KIND[standing] ?? standing} | ${secrets} | ${writesCache ? 'yes' : 'no'} | ${standing === 'change' ? 'no' : 'yes'} |`,
    ),
  ]);
});

test('docs/security.md says of each field who decides it: as the gate does, on every event', () => {
  expect(section('Who decides')).toEqual(
    [...Object.keys(ELSEWHERE), ...Object.keys(FIELDS)]
      .sort((a, b) => SCHEMA_KEYS.indexOf(a) - SCHEMA_KEYS.indexOf(b))
      .map((path) => `| \`${path}\` | ${STANDINGS.map((_, at) => who(path, at)).join(' | ')} |`),
  );
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}

/** Paths of all keys that a configuration may have; `*` stands for a name that its author gives. */
function keysOf(schema: Schema, at: string): readonly string[] {
  const { properties = {}, additionalProperties: others, anyOf = [] } = schema;
  const below = [
    ...Object.entries(properties).flatMap(([key, inner]) => keysOf(inner, at === '' ? key : `${at}.${key}`)),
    ...(typeof others === 'object' ? keysOf(others, `${at}.*`) : []),
    ...anyOf.flatMap((one) => keysOf(one, at)).filter((path) => path !== at),
  ];
  return below.length === 0 ? [at] : below;
}

const SCHEMA_KEYS = [...new Set(keysOf(configurationJsonSchema() as Schema, ''))];

test('every key of the configuration’s schema is in the table, and no other', () =>
  expect([...Object.keys(ELSEWHERE), ...Object.keys(FIELDS)].sort()).toEqual([...SCHEMA_KEYS].sort()));

test('every threat of docs/security.md names a test that is there', () => {
  const threats = section('Who can send what');
  expect(threats.length).toBeGreaterThan(20);
  for (const row of threats) {
    const named = [...row.matchAll(/`(src\/[\w./-]+\.test\.ts)`/g)].map(([, path = '']) => path);
    expect([row, named.length > 0]).toEqual([row, true]);
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  }
});
