import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { resolvePlan } from '../plan/resolve.ts';
import { refusedRoutes } from './bench-text.ts';
import { findFacts, workloadWords, type ProjectFacts } from './project-facts.ts';
import { choicesOf, findProjects } from './projects.ts';
import { filesOf, madeUp, TEMPLATES, writtenFor } from './projects.test-support.ts';
import { satisfies } from './python-version.ts';
import { readRequirements } from './requirements.ts';
import { smokeHint } from './smoke-hint.ts';
import { workflowFiles } from './written-files.ts';

/** For each kind of project: the facts found, and whether the written configuration is valid. */

const factsOf = (project: string, context = '.'): ProjectFacts => {
  const facts = findFacts(filesOf(project), context);
  if ('obstacle' in facts) throw new Error(facts.obstacle);
  return facts;
};

const factsOfFiles = (texts: Readonly<Record<string, string>>): ProjectFacts => {
  const facts = findFacts(madeUp(texts), '.');
  if ('obstacle' in facts) throw new Error(facts.obstacle);
  return facts;
};

const PROJECTS: readonly (readonly [project: string, context: string, found: object])[] = [
  ['pip', '.', { python: '3.13', source: 'requirements', workload: 'the script main.py' }],
  ['poetry', '.', { python: '3.13', source: 'poetry', workload: 'the script main.py' }],
  ['uv', '.', { python: '3.13', source: 'uv', workload: 'the script main.py' }],
  ['requirements', '.', { python: '3.12', source: 'requirements', workload: 'the script main.py' }],
  ['src-layout', '.', { python: '3.12', source: 'pyproject', workload: 'the command wordcount' }],
  ['console-script', '.', { python: '3.13', source: 'none', workload: 'the command checksum' }],
  ['flask', '.', { python: '3.13', source: 'requirements', workload: 'the flask server under load' }],
  ['fastapi-bake', '.', { python: '3.13', source: 'pyproject', workload: 'the fastapi server under load' }],
  [
    'monorepo',
    'services/billing',
    { python: '3.13', source: 'requirements', workload: 'the script main.py' },
  ],
  ['monorepo', 'services/orders', { python: '3.13', source: 'none', workload: 'the import of orders' }],
  [
    'workspace',
    'packages/report',
    { python: '3.13', source: 'uv-workspace', workload: 'the import of report' },
  ],
  [
    'pytest-benchmark',
    '.',
    { python: '3.13', source: 'none', workload: 'the pytest-benchmark suite in tests/test_sorting.py' },
  ],
  ['asv', '.', { python: '3.13', source: 'none', workload: 'the asv suite in benchmarks' }],
  [
    'pyperf',
    '.',
    { python: '3.13', source: 'requirements', workload: 'the pyperf benchmarks of bench_json.py' },
  ],
  ['pdm', '.', { python: '3.13', source: 'pdm', workload: 'the import of locked' }],
  ['pylock', '.', { python: '3.13', source: 'pylock', workload: 'the import of locked' }],
  ['pipenv', '.', { python: '3.13', source: 'pipenv', workload: 'the import of locked' }],
];

test.each(PROJECTS)('%s (%s): %j', (project, context, found) => {
  const { python, dependencies, workloads } = factsOf(project, context);
  expect({
    python: python.version,
    source: dependencies.kind,
    workload: workloadWords(workloads[0]!),
  }).toEqual(found);
});

test.each(PROJECTS)(
  'the configuration for %s (%s) is one, with images and with the host',
  (project, context) => {
    for (const host of [false, true]) {
      const { files } = writtenFor(filesOf(project), context, { host });
      const [configuration] = files;
      const plan = resolvePlan({ text: configuration!.text, file: configuration!.path, root: '/project' });
      expect(plan.variants).toHaveLength(1);
      expect(plan.variants[0]!.kind === 'host').toBe(host);
      // The measuring code is written, or exists.
      const known = [...filesOf(project).paths, ...files.map(({ path }) => path)];
      const { context: folder } = plan.workload;
      for (const file of plan.workload.files) {
        const path = folder === '.' ? file : `${folder}/${file}`;
        expect(known.filter((one) => one === path || one.startsWith(`${path}/`))).not.toEqual([]);
      }
    }
  },
);

test.each(PROJECTS)('the Python that is written for %s (%s) compiles', (project, context) => {
  for (const { path, text } of writtenFor(filesOf(project), context).files)
    if (path.endsWith('.py')) {
      const { stderr } = spawnSync('python3', ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'], {
        input: text,
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
    }
});

const variantOf = (project: string, context = '.') => {
  const { of } = writtenFor(filesOf(project), context);
  const plan = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  return { plan, variant: plan.variants[0]!, of };
};

test('a project that the default image can install needs no Dockerfile', () => {
  const own = ['flask', 'fastapi-bake'];
  for (const [project, context] of PROJECTS.filter(([name]) => !own.includes(name))) {
    const { plan, variant } = variantOf(project, context);
    expect([project, plan.workload.dockerfile]).toEqual([project, undefined]);
    expect(variant).toMatchObject({ kind: 'interpreter', name: 'official' });
  }
});

test('the packages of a suite are installed by the group that has them, or by name', () => {
  expect(variantOf('pytest-benchmark').plan.workload.install).toEqual({
    groups: ['bench'],
    extras: [],
    packages: [],
  });
  const suite = { 'bench/test_a.py': 'def test_a(benchmark): benchmark(int)\n' };
  for (const [texts, install] of [
    [{}, { groups: [], extras: [], packages: ['pytest', 'pytest-benchmark'] }],
    [{ 'requirements.txt': 'pytest\n' }, { groups: [], extras: [], packages: ['pytest-benchmark'] }],
    [{ 'requirements.txt': 'pytest\npytest-benchmark\n' }, undefined],
  ] as const) {
    const { of } = writtenFor(madeUp({ ...suite, ...(texts as Record<string, string>) }));
    const plan = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
    expect(plan.workload.install).toEqual(install);
  }
});

/** A project that reads its own version, which only an installed project has. */
const INSTALLED = {
  'pyproject.toml': '[project]\nname = "tool"\nversion = "1"\n',
  'tool/__init__.py': 'from importlib.metadata import version\n__version__ = version("tool")\n',
};

test.each([
  ['pylock.toml', ['uv pip install --no-cache --python /opt/venv/bin/python -r pylock.toml']],
  ['Pipfile.lock', ['COPY . /app', 'pipenv requirements']],
  ['requirements.txt', ['pip install --no-cache-dir --no-compile -r requirements.txt']],
])('a project with %s that has to be installed itself gets a Dockerfile', (file, lines) => {
  const { of } = writtenFor(madeUp({ ...INSTALLED, [file]: '' }));
  const text = of('pacegate.Dockerfile');
  expect(of('.github/pacegate.yml')).toContain('dockerfile: pacegate.Dockerfile');
  expect(text).toContain('\nFROM python\n');
  for (const line of [...lines, 'pip install --no-cache-dir --no-compile --no-deps .'])
    expect(text).toContain(line);
  expect(of('pacegate.Dockerfile.dockerignore')).toContain('**/*.md');
});

test.each(['uv.lock', 'poetry.lock', 'pdm.lock'])('the default image installs the project of %s', (file) => {
  expect(writtenFor(madeUp({ ...INSTALLED, [file]: '' })).of('pacegate.Dockerfile')).toBe('');
});

test('modules in src and those of a workspace are found by PYTHONPATH', () => {
  expect(variantOf('src-layout').plan.workload.env).toEqual({ PYTHONPATH: 'src' });
  expect(variantOf('workspace', 'packages/report').plan.workload.env).toEqual({
    PYTHONPATH: 'packages/report:packages/engine/src',
  });
});

test.each([
  ['FROM python:3.13-slim\n', '3.13'],
  ['ARG V=3.12\nFROM python:${V}-slim AS build\nFROM docker.io/library/python:${V}-slim\n', '3.12'],
  ['FROM python:slim\nCOPY app /app\n', '3.13'],
])('%j takes the interpreters, without a bake file', (dockerfile, version) => {
  const files = madeUp({ Dockerfile: dockerfile, 'tool/__init__.py': '' });
  const { files: written, of } = writtenFor(files);
  const plan = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(plan.workload.dockerfile).toBe('Dockerfile');
  expect(plan.variants[0]).toMatchObject({
    kind: 'interpreter',
    name: 'official',
    args: { PYTHON_VERSION: version },
  });
  expect(written.map(({ path }) => path)).not.toContain('pacegate.docker-bake.hcl');
});

test.each([
  'FROM ubuntu:24.04\nRUN apt-get install python3\n',
  'FROM python:3.13 AS build\nFROM gcr.io/distroless/python3\nCOPY --from=build /a /a\n',
  // BuildKit would leave out the steps of such a stage.
  'FROM python AS python\nRUN x\nFROM python\n',
])('%j does not end on an image called python, and is built as it is, through a bake file', (dockerfile) => {
  const { of, notes } = writtenFor(madeUp({ Dockerfile: dockerfile, 'tool/__init__.py': '' }));
  const plan = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(plan.variants[0]).toMatchObject({ kind: 'bake', target: 'app', file: 'pacegate.docker-bake.hcl' });
  expect(of('pacegate.docker-bake.hcl')).toMatch(
    /target "app" \{\n {2}context {4}= "\."\n {2}dockerfile = "Dockerfile"/,
  );
  expect(notes).toContainEqual(expect.stringContaining('Dockerfile is built as it is'));
});

test('a service with an own Dockerfile is a server with a readiness check and a load', () => {
  const { variant, plan, of } = variantOf('flask');
  expect([variant.kind, plan.workload.dockerfile]).toEqual(['interpreter', 'Dockerfile']);
  expect(plan.workload.env).toEqual({});
  expect(plan.workload.command.join(' ')).toBe(
    'python -m gunicorn --workers 1 --bind 127.0.0.1:8000 orders.web:create_app()',
  );
  expect(plan.workload.server?.ready).toBe('http://127.0.0.1:8000/healthz');
  expect(of('load.py')).toContain('ROUTES = ["/orders"]');
});

test('a suite does not use a production Dockerfile, which lacks pytest, if the default image can install it', () => {
  const suite = {
    Dockerfile: 'FROM python:3.13\n',
    'tests/test_a.py': 'def test_a(benchmark): benchmark(int)\n',
  };
  const plan = (texts: Readonly<Record<string, string>>) =>
    resolvePlan({
      text: writtenFor(madeUp(texts)).of('.github/pacegate.yml'),
      file: 'x.yml',
      root: '/project',
    });
  expect(plan(suite).workload).toMatchObject({
    dockerfile: undefined,
    install: { packages: ['pytest', 'pytest-benchmark'] },
  });
  const compiled = { ...suite, 'setup.py': 'setup(ext_modules=[])\n' };
  expect(plan(compiled).workload.dockerfile).toBe('Dockerfile');
});

test('a suite is measured with the data in its folder, and without comparisons that only an extra installs', () => {
  const { of, notes } = writtenFor(
    madeUp({
      'pyproject.toml':
        '[project]\nname = "parser"\ndependencies = ["mdurl"]\n[project.optional-dependencies]\ntesting = ["pytest"]\ncompare = ["other-parser"]\nbench = ["pytest", "pytest-benchmark", "psutil"]\n',
      'parser/__init__.py': '',
      'benchmarking/bench_core.py': 'import parser\ndef test_a(benchmark): pass\n',
      'benchmarking/bench_others.py': 'def test_b(benchmark):\n    import other_parser\n',
      'benchmarking/samples/spec.md': '',
    }),
  );
  const { workload } = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(workload.files).toEqual(['benchmarking']);
  expect(workload.command.at(-1)).toBe('benchmarking/bench_core.py');
  expect(workload.install).toEqual({ groups: [], extras: ['bench'], packages: [] });
  expect(notes).toContainEqual(expect.stringContaining('benchmarking/bench_others.py is not measured'));
});

test('if every file of a suite needs an extra, the extra is installed', () => {
  const { of } = writtenFor(
    madeUp({
      'pyproject.toml':
        '[project]\nname = "tool"\n[project.optional-dependencies]\nfast = ["numpy"]\nall = ["numpy", "scipy"]\n[dependency-groups]\ntest = ["pytest", "pytest-benchmark"]\n',
      'tool/__init__.py': '',
      'tests/test_a.py': 'import numpy\ndef test_a(benchmark): pass\n',
    }),
  );
  const { workload } = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(workload.install).toEqual({ groups: ['test'], extras: ['fast'], packages: [] });
});

test('a folder with shipped code is not mounted over the other side', () => {
  const files = madeUp({ 'tool/__init__.py': '', 'tool/bench_a.py': 'def bench_a(benchmark): pass\n' });
  const { workload } = resolvePlan({
    text: writtenFor(files).of('.github/pacegate.yml'),
    file: 'x.yml',
    root: '/project',
  });
  expect(workload.files).toEqual(['tool/bench_a.py']);
});

test('an asv suite gets the requirements of its matrix, the last of several versions', () => {
  const { of } = writtenFor(
    madeUp({
      'asv.conf.json':
        '{\n  // with comments\n  "benchmark_dir": "suite",\n  "repo": "https://x.org/a.git",\n  "matrix": { "req": { "rich": [""], "numpy": ["1.26", "2.1"], "old": [null], }, "env": { "A": ["1"] } },\n}\n',
      'suite/bench.py': 'def time_a(): pass\n',
      'tool/__init__.py': '',
    }),
  );
  const { workload } = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(workload.install?.packages).toEqual(['rich', 'numpy==2.1']);
  expect(of('.github/pacegate.yml')).toContain("'track_*': { limit: 5% }");
});

test('the bench.py of an asv suite measures time_ and track_, of functions and classes, with their parameters', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-asv-'));
  const { of } = writtenFor(madeUp({ 'asv.conf.json': '{}', 'benchmarks/a.py': '', 'tool/__init__.py': '' }));
  mkdirSync(join(folder, 'benchmarks'));
  writeFileSync(join(folder, 'bench.py'), of('bench.py'));
  writeFileSync(
    join(folder, 'benchmarks/a.py'),
    [
      'def track_size(n): return n * 2.0',
      'track_size.params = [3, 5]',
      'track_size.unit = "Seconds (lower is better)"',
      'def time_slow():',
      '    import time',
      '    time.sleep(0.6)',
      '    time_slow.calls += 1',
      '    assert time_slow.calls == 1',
      'time_slow.calls = 0',
      'class Parsing:',
      '    def setup(self): self.text = "a"',
      '    def time_parse(self): self.text.split()',
      '',
    ].join('\n'),
  );
  const metrics = join(folder, 'metrics.json');
  const { status, stderr } = spawnSync('python3', ['bench.py'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PACEGATE_METRICS: metrics },
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(JSON.parse(readFileSync(metrics, 'utf8'))).toEqual({
    time_parse: { value: expect.any(Number), unit: 's' },
    time_slow: { value: expect.any(Number), unit: 's' },
    track_size_3: { value: 6, unit: 's', better: 'lower' },
    track_size_5: { value: 10, unit: 's', better: 'lower' },
  });
  rmSync(folder, { recursive: true });
});

const DJANGO = {
  'requirements.txt': 'django\n',
  'manage.py': '',
  'site/settings.py': "ROOT_URLCONF = 'site.urls'\n",
  'site/wsgi.py': '',
  'site/urls.py':
    'from django.urls import include, path\nurlpatterns = [\n  path("admin/", admin.site.urls),\n  path("", index),\n  path("shop/", include("shop.urls")),\n  path(PREFIX, include("blog.urls")),\n]\n',
  'shop/urls.py': 'path("", all), path("sale/", sale), path("<int:id>/", one)\n# path("old/", old)\n',
  'blog/urls.py': 'path("posts/", posts)\n',
};

test.each([
  ['django\n', ['manage.py', 'runserver', '--noreload', '127.0.0.1:8000']],
  [
    'django\ngunicorn\n',
    ['-m', 'gunicorn', '--workers', '1', '--bind', '127.0.0.1:8000', 'site.wsgi:application'],
  ],
])(
  'a Django project with %j is a server whose load requests the paths of its URLs',
  (requirements, words) => {
    const { of } = writtenFor(madeUp({ ...DJANGO, 'requirements.txt': requirements }));
    const { workload } = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
    expect(workload.command).toEqual(['python', ...words]);
    expect(workload.server?.ready).toBeDefined();
    expect(of('load.py')).toContain('ROUTES = ["/", "/shop/", "/shop/sale/", "/posts/"]');
  },
);

test('a load is written again without the routes that the server refused', () => {
  const { load } = writtenFor(madeUp(DJANGO));
  const refused = refusedRoutes(
    'load: exit 1\nGET /shop/ answered 500\nGET /posts/ answered 404\nGET / answered 302',
  );
  expect([...refused]).toEqual(['/shop/', '/posts/']);
  expect(load?.path).toBe('load.py');
  expect(load?.without(refused)).toContain('ROUTES = ["/", "/shop/sale/"]');
  expect(load?.without(new Set())).toBeUndefined();
  expect(load?.without(new Set(['/', '/shop/', '/shop/sale/', '/posts/']))).toBeUndefined();
});

test('a bake file is used with the target that is deployed, and several others are named', () => {
  expect(variantOf('fastapi-bake').variant).toMatchObject({
    kind: 'bake',
    target: 'app',
    file: 'docker-bake.hcl',
  });
  const two = madeUp({
    'docker-bake.hcl': 'target "one" {}\ntarget "two" {}\n',
    'tool/__init__.py': '',
  });
  expect(writtenFor(two).notes).toContainEqual(expect.stringContaining('has the targets one, two'));
});

test('an image that builds the project keeps the files that its metadata names', () => {
  const { of } = writtenFor(madeUp(INSTALLED));
  expect(of('pacegate.Dockerfile.dockerignore')).toContain('\n!**/README*\n');
});

test("the project's own ignore file has the last word", () => {
  const { of } = writtenFor(madeUp({ ...INSTALLED, '.dockerignore': 'secret\n' }));
  expect(of('pacegate.Dockerfile.dockerignore')).toMatch(/\nsecret\n$/);
});

test('a project that reads its own version is installed, and is not shadowed by its source', () => {
  const files = madeUp({
    'pyproject.toml': '[project]\nname = "tool"\nversion = "1"\n',
    'tool/__init__.py': 'from importlib.metadata import version\n__version__ = version("tool")\n',
  });
  const { of, notes } = writtenFor(files);
  expect(of('pacegate.Dockerfile')).toContain('pip install --no-cache-dir --no-compile --no-deps .');
  expect(of('.github/pacegate.yml')).toContain('command: [python, benchmark/bench.py]');
  expect(notes[0]).toContain('reads its own version');
});

test.each([
  [{ '.python-version': '3.15.1\n' }, '3.15'],
  [{ 'runtime.txt': 'python-3.11.9\n' }, '3.11'],
  [{ 'pyproject.toml': '[project]\nname = "a"\nrequires-python = ">=3.15"\n' }, '3.15'],
  [
    { 'pyproject.toml': '[project]\nname = "a"\nrequires-python = ">=3.15"\n', '.python-version': '3.9' },
    '3.9',
  ],
  [{ Dockerfile: 'FROM python:3.8-slim\n' }, '3.13'],
])('%j gives Python %s, which is a version for a variant', (texts, version) => {
  const all = { ...(texts as Record<string, string>), 'tool/__init__.py': '' };
  const { of } = writtenFor(madeUp(all), '.', { facts: { ...factsOfFiles(all), image: { kind: 'none' } } });
  const plan = resolvePlan({ text: of('.github/pacegate.yml'), file: 'x.yml', root: '/project' });
  expect(plan.variants[0]).toMatchObject({ args: { PYTHON_VERSION: version } });
});

test('a monorepo is several projects, without those of its tests; a top folder with code is a single project', () => {
  expect(choicesOf(findProjects(filesOf('monorepo')))).toEqual(['services/billing', 'services/orders']);
  expect(choicesOf(findProjects(filesOf('workspace')))).toEqual(['packages/engine', 'packages/report']);
  expect(choicesOf(findProjects(filesOf('uv')))).toEqual(['.']);
});

test.each([
  [{ 'pyproject.toml': 'a = [', 'a.py': '' }, /pyproject\.toml is not valid TOML/],
  [
    { 'requirements.txt': '-r other.txt\n', 'a.py': '' },
    /requirements\.txt line 1: -r other\.txt names a file/,
  ],
  [
    { 'pyproject.toml': '[project]\nname="a"\nrequires-python="<3.6"', 'a.py': '' },
    /requires-python is <3\.6/,
  ],
  [
    { '.python-version': '3.8\n', 'a.py': '' },
    /\.python-version is 3\.8, and Pacegate measures Python 3\.9 to/,
  ],
  [{ 'README.md': '' }, /no Python module, package or script/],
  [
    { 'pyproject.toml': '[build-system]\nbuild-backend = "maturin"\nrequires=[]', 'a.py': '' },
    /compiles extension modules/,
  ],
])('%j is in the way', (texts, message) => {
  expect(findFacts(madeUp(texts as Record<string, string>), '.')).toEqual({
    obstacle: expect.stringMatching(message),
  });
});

test('requirements are read with the files that they include', () => {
  expect(readRequirements(filesOf('requirements'), 'requirements.txt')).toEqual({
    names: ['packaging'],
    local: [],
    missing: [],
  });
  const local = madeUp({
    'requirements.txt': 'a\n-e .\n./lib # own\n../x-1.whl\n-c c.txt\n',
    'c.txt': 'b==1\n',
  });
  expect(readRequirements(local, 'requirements.txt')).toEqual({
    names: ['a'],
    local: ['requirements.txt line 2: -e .', 'requirements.txt line 3: ./lib'],
    missing: [],
  });
});

test.each([
  ['>=3.10', true, true],
  ['>=3.9,<3.13', true, false],
  ['^3.12', true, true],
  ['~=3.12', true, true],
  ['~=3.12.1', true, false],
  ['==3.13.*', false, true],
  ['>=3.8, !=3.12.*', false, true],
  ['<4', true, true],
  ['>3.12', false, true],
  ['>=3.13 || ==3.11.*', false, true],
  // 3.12.1 is above 3.12.
  ['<=3.12', false, false],
  ['', true, true],
  ['anything', true, true],
])('%j takes 3.12: %s, 3.13: %s', (range, twelve, thirteen) => {
  expect([satisfies(12, range), satisfies(13, range)]).toEqual([twelve, thirteen]);
});

test('another configuration has its own workflows, with its path', () => {
  const files = workflowFiles('services/orders/pacegate.yml', TEMPLATES);
  expect(files.map(({ path }) => path)).toEqual([
    '.github/workflows/pacegate-services-orders.yml',
    '.github/workflows/pacegate-baseline-services-orders.yml',
  ]);
  expect(files[0]!.text).toContain('config: services/orders/pacegate.yml');
  expect(files[1]!.text).toMatch(/mode: baseline\n +config: services\/orders\/pacegate\.yml/);
});

test.each([
  ["x\nModuleNotFoundError: No module named 'numpy'", /does not find the module numpy/],
  ['python: No module named pytest', /does not find the module pytest/],
  [
    "the build stopped\nFileNotFoundError: [Errno 2] No such file or directory: '/app/README.md'\nRun again.",
    /The file \/app\/README\.md is not where/,
  ],
  ['the build stopped\nERROR: no matching version\nRun again.', /did not run: ERROR: no matching version\./],
  [
    'official: the base image a/python:3.12 could not be pulled: no such host',
    /image a\/python:3\.12 cannot be pulled/,
  ],
  ['OSError: [Errno 30] Read-only file system', /below \/tmp/],
  ['socket.gaierror: Temporary failure in name resolution', /network: bridge/],
  ['something\nValueError: odd', /did not run: ValueError: odd\. Correct/],
  [
    'official (head): the command ended with exit status 1\nat work\nNothing was found in a.',
    /did not run: Nothing was found in a\. Correct/,
  ],
])('%j: %s', (message, words) => {
  expect(smokeHint(message)).toMatch(words);
});
