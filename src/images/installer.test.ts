import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

/** What the default Dockerfile's installer finds and keeps of a project, without an image and a network. */

const FOLDER = join(import.meta.dirname, '..', '..', 'variants', 'application');
const top = mkdtempSync(join(tmpdir(), 'pacegate-installer-'));
afterAll(() => rmSync(top, { recursive: true }));

/** Runs Python beside the installer, with the files of a project where the image has them. */
function python(files: Readonly<Record<string, string>>, code: string, install: object = {}) {
  const folder = mkdtempSync(join(top, 'project-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, 'files', path)), { recursive: true });
    writeFileSync(join(folder, 'files', path), text);
  }
  mkdirSync(join(folder, 'files'), { recursive: true });
  const { status, stdout, stderr } = spawnSync(
    'python3',
    [...['-B', '-c', `import json, sys; sys.path.insert(0, ${JSON.stringify(FOLDER)}); import install`]].map(
      (word, index) =>
        index === 2
          ? `${word}\ninstall.FILES, install.LOCKS = ${JSON.stringify(join(folder, 'files'))}, ${JSON.stringify(join(folder, 'locks'))}\n${code}`
          : word,
    ),
    {
      cwd: join(folder, 'files'),
      encoding: 'utf8',
      env: { ...process.env, INSTALL: JSON.stringify(install) },
    },
  );
  return { status, stdout, stderr, folder };
}

/** What the step `locks` copies, and what it says of it. */
function locks(files: Readonly<Record<string, string>>, install: object = {}) {
  const { status, stderr, folder } = python(files, "install.main('locks')", install);
  if (status !== 0) return { error: stderr.trim() };
  const at = join(folder, 'locks');
  const note = '.pacegate-install.json';
  return {
    ...(JSON.parse(readFileSync(join(at, note), 'utf8')) as { kind: string; file: string | null }),
    kept: readdirSync(at, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== note)
      .map((entry) => join(entry.parentPath, entry.name).slice(at.length + 1))
      .sort(),
  };
}

const PYPROJECT = '[project]\nname = "a"\n';
const DEPENDS = `${PYPROJECT}dependencies = [\n  "b>=1",\n]\n`;

test.each([
  [{}, { kind: 'none', file: null, kept: [] }],
  [{ 'pyproject.toml': '[tool.black]\n' }, { kind: 'none', file: null, kept: [] }],
  [{ 'pyproject.toml': `${PYPROJECT}dependencies = []\n` }, { kind: 'none', file: null, kept: [] }],
  [{ 'pyproject.toml': DEPENDS }, { kind: 'pyproject', file: 'pyproject.toml', kept: ['pyproject.toml'] }],
  [
    { 'pyproject.toml': `${PYPROJECT}dynamic = ["version", "dependencies"]\n` },
    { kind: 'pyproject', file: 'pyproject.toml', kept: ['pyproject.toml'] },
  ],
  [
    { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.9"\nb = "*"\n' },
    { kind: 'pyproject', file: 'pyproject.toml', kept: ['pyproject.toml'] },
  ],
  [
    { 'pyproject.toml': '[tool.poetry.dependencies]\npython = "^3.9"\n' },
    { kind: 'none', file: null, kept: [] },
  ],
  [
    { 'uv.lock': '', 'pyproject.toml': '', 'packages/b/pyproject.toml': '', '.venv/c/pyproject.toml': '' },
    { kind: 'uv', file: 'uv.lock', kept: ['packages/b/pyproject.toml', 'pyproject.toml', 'uv.lock'] },
  ],
  [
    { 'poetry.lock': '', 'pyproject.toml': '', 'requirements.txt': '-r missing.txt\n' },
    { kind: 'poetry', file: 'poetry.lock', kept: ['poetry.lock', 'pyproject.toml'] },
  ],
  [
    { 'pdm.lock': '', 'pyproject.toml': DEPENDS },
    { kind: 'pdm', file: 'pdm.lock', kept: ['pdm.lock', 'pyproject.toml'] },
  ],
  [
    { 'pylock.toml': '', 'pyproject.toml': '' },
    { kind: 'pylock', file: 'pylock.toml', kept: ['pylock.toml'] },
  ],
  [
    { 'Pipfile.lock': '', Pipfile: '' },
    { kind: 'pipenv', file: 'Pipfile.lock', kept: ['Pipfile', 'Pipfile.lock'] },
  ],
  [
    { 'requirements/prod.txt': '-r base.txt\n', 'requirements/base.txt': 'b\n' },
    {
      kind: 'requirements',
      file: 'requirements/prod.txt',
      kept: ['requirements/base.txt', 'requirements/prod.txt'],
    },
  ],
  // A library's own metadata is what it needs; these files are then its developers'.
  [
    { 'requirements/prod.txt': 'b\n', 'pyproject.toml': DEPENDS },
    { kind: 'pyproject', file: 'pyproject.toml', kept: ['pyproject.toml'] },
  ],
  [{ 'setup.py': 'setup(install_requires=["b"])\n' }, { kind: 'setup.py', file: 'setup.py', kept: [] }],
  [{ 'setup.py': 'setup()\n' }, { kind: 'none', file: null, kept: [] }],
  // Conda's lock files stand back where PyPI's packages are locked beside them.
  [
    { 'pixi.lock': '', 'uv.lock': '', 'pyproject.toml': '' },
    { kind: 'uv', file: 'uv.lock', kept: ['pyproject.toml', 'uv.lock'] },
  ],
])('%j is installed from %j', (files, found) =>
  expect(locks(files as Record<string, string>)).toEqual(found),
);

test.each(['pixi.lock', 'conda-lock.yml'])('%s is refused with what to do', (name) => {
  expect(locks({ [name]: '', 'pyproject.toml': DEPENDS }).error).toBe(
    `pacegate: ${name}: its packages are conda's and bring a Python of their own, which no variant's interpreter can replace. Lock the packages of PyPI for the image (\`uv lock\`, or a requirements.txt), or name a Dockerfile with workload.dockerfile.`,
  );
});

test('requirements are kept with all files that they name, and a project next to them is not a lock file', () => {
  const files = {
    'requirements.txt':
      '-r requirements/base.txt\n--constraint=limits.txt # why\n./wheels/a-1.whl\n--find-links wheels\n-e .\n./libs/b[x]\n' +
      'c==1 \\\n    --hash=sha256:00\nd @ https://example.org/d.whl\n-e git+https://example.org/e.git\n--index-url https://example.org\n',
    'requirements/base.txt': '-c more.txt\n',
    'requirements/more.txt': '',
    'limits.txt': '',
    'wheels/a-1.whl': '',
    'wheels/f-2.tar.gz': '',
    'wheels/notes.txt': '',
    'libs/b/setup.py': '',
    'unrelated.txt': '',
  };
  expect(locks(files)).toEqual({
    kind: 'requirements',
    file: 'requirements.txt',
    kept: [
      'limits.txt',
      'requirements.txt',
      'requirements/base.txt',
      'requirements/more.txt',
      'wheels/a-1.whl',
      'wheels/f-2.tar.gz',
    ],
  });
  const code =
    "print(json.dumps(install.without_sources('requirements.txt')))\nprint(open('requirements.txt').read())";
  const { stdout, stderr } = python(files, code);
  expect(stderr).toBe('');
  const [folders, ...text] = stdout.split('\n');
  expect(JSON.parse(folders ?? '')).toEqual(['.', './libs/b[x]']);
  expect(text.slice(2, 8)).toEqual([
    './wheels/a-1.whl',
    '--find-links wheels',
    '# -e .',
    '# ./libs/b[x]',
    'c==1 \\',
    '    --hash=sha256:00',
  ]);
});

test.each([
  [
    { 'requirements.txt': 'a\n-r other.txt\n' },
    {},
    'requirements.txt line 2: it names other.txt, and workload.context has no such file.',
  ],
  [
    { 'requirements.txt': '-r ../up.txt\n' },
    {},
    'requirements.txt line 1: it names ../up.txt, and workload.context has no such file.',
  ],
  [
    { 'requirements.txt': '-e ../lib\n' },
    {},
    'requirements.txt line 1: it installs ../lib, and workload.context has no such folder.',
  ],
  [
    { 'requirements.txt': './libs/none\n' },
    {},
    'requirements.txt line 1: it installs ./libs/none, and workload.context has no such folder.',
  ],
  [
    { 'requirements.txt': 'a\n' },
    { groups: ['bench'] },
    'workload.install.groups: workload.context has no pyproject.toml that defines them.',
  ],
  [
    {},
    { extras: ['fast'] },
    'workload.install.extras: workload.context has no pyproject.toml that defines them.',
  ],
  [{ 'Pipfile.lock': '' }, {}, 'Pipfile.lock: workload.context has no Pipfile beside it.'],
])('%j with %j is refused: %s', (files, install, message) => {
  expect(locks(files as Record<string, string>, install)).toEqual({ error: `pacegate: ${message}` });
});

test('groups and extras are read from pyproject.toml if the lock file has none', () => {
  const files = { 'requirements.txt': 'b\n', 'pyproject.toml': PYPROJECT };
  expect(locks(files)).toMatchObject({ kept: ['requirements.txt'] });
  expect(locks(files, { groups: ['bench'] })).toMatchObject({ kept: ['pyproject.toml', 'requirements.txt'] });
});

/** What a function of the installer answers for a project of one kind. */
function answer(kind: string, files: Readonly<Record<string, string>>, call: string) {
  const parsed = `
import re
def toml(path):
    try:
        import tomllib
    except ImportError:
        from pip._vendor import tomli as tomllib
    return tomllib.loads(install.read('.', path))
install.toml, install.kind = toml, ${JSON.stringify(kind)}
print(json.dumps(install.${call}))`;
  const { status, stdout, stderr } = python(files, parsed);
  return status === 0 ? (JSON.parse(stdout) as unknown) : stderr.trim();
}

const EXTRAS = {
  'pyproject.toml':
    '[project]\nname = "My.App"\n[project.optional-dependencies]\nfast = ["b>=2"]\nall = ["my-app[Fast,more]", "c"]\nmore = ["d; python_version<\'3.12\'"]\n',
};

test('an extra brings those of its own project that it names', () => {
  expect(answer('pyproject', EXTRAS, "extra_requirements(['all'])")).toEqual([
    'c',
    'b>=2',
    "d; python_version<'3.12'",
  ]);
});

test.each([
  [
    EXTRAS,
    'pyproject',
    "extra_requirements(['slow'])",
    'workload.install.extras: found slow; expected: an extra of pyproject.toml (all, fast, more).',
  ],
  [
    { 'pyproject.toml': PYPROJECT },
    'requirements',
    "extra_requirements(['slow'])",
    'workload.install.extras: found slow; expected: an extra of pyproject.toml (it has none).',
  ],
  [
    { 'pyproject.toml': '[dependency-groups]\nBench = []\n[tool.poetry.group.dev.dependencies]\n' },
    'poetry',
    "check_groups(['bench', 'tests'])",
    'workload.install.groups: found tests; expected: a dependency group of pyproject.toml (Bench, dev).',
  ],
  [
    { 'Pipfile.lock': '{"_meta": {}, "default": {}, "develop": {}}' },
    'pipenv',
    "check_groups(['develop', 'bench'])",
    'workload.install.groups: found bench; expected: a dependency group of Pipfile.lock (develop).',
  ],
])('%j (%s): %s', (files, kind, call, message) => {
  expect(answer(kind, files as Record<string, string>, call)).toBe(`pacegate: ${message}`);
});

test('packages that a pylock.toml builds from folders are taken out of it', () => {
  const lock =
    'lock-version = "1.0"\n\n[[packages]]\nname = "a"\ndirectory = { path = "libs/a", editable = true }\n\n' +
    '[[packages]]\nname = "b"\nversion = "1"\n[[packages.wheels]]\nurl = "https://example.org/b.whl"\n\n' +
    '[[packages]]\nname = "c"\n[packages.directory]\npath = "."\n';
  const [text, folders] = answer('pylock', {}, `without_folders(${JSON.stringify(lock)})`) as [
    string,
    string[],
  ];
  expect(folders).toEqual(['libs/a', '.']);
  expect(text.match(/^name = .*/gm)).toEqual(['name = "b"']);
  expect(text).toContain('https://example.org/b.whl');
});

test('a build has the files that describe its package, which the image leaves out', () => {
  const files = {
    'pyproject.toml': '[project]\nname = "a"\nreadme = "README.md"\nlicense = { file = "LICENSE" }\n',
    'setup.py': "setup(long_description=open('docs/README.rst').read() + open('../HISTORY.md').read())\n",
    LICENSE: 'kept',
    'libs/b/pyproject.toml': '[tool.poetry]\nreadme = "README.md"\n',
  };
  const { stdout, stderr } = python(
    files,
    `import os, pathlib
pathlib.Path('../work').mkdir()
os.chdir('../work')
install.copy_source()
print(json.dumps(sorted(str(p) for p in pathlib.Path('.').rglob('*') if p.is_file())), open('LICENSE').read())`,
  );
  expect(stderr).toBe('');
  expect(stdout.trim()).toBe(
    '["LICENSE", "README.md", "docs/README.rst", "libs/b/README.md", "libs/b/pyproject.toml", "pyproject.toml", "setup.py"] kept',
  );
});

test.each([
  ['[project]\nname = "my-app"\n', { 'src/my_app/__init__.py': '' }, true],
  ['[tool.poetry]\nname = "my-app"\n', { 'my_app.py': '' }, true],
  ['[tool.poetry]\nname = "my-app"\n', { 'main.py': '' }, false],
  ['[tool.poetry]\nname = "my-app"\npackage-mode = false\n', { 'my_app.py': '' }, false],
  ['[tool.poetry]\nname = "my-app"\npackages = [{ include = "lib" }]\n', {}, true],
])('Poetry installs the project of %j with %j: %s', (text, files, installed) => {
  const call =
    "poetry_root(toml('pyproject.toml').get('tool', {}).get('poetry', {}), toml('pyproject.toml').get('project', {}))";
  expect(answer('poetry', { 'pyproject.toml': text, ...files }, call)).toBe(installed);
});

test('the installer is Python 3.9 in its grammar', () => {
  const { status, stderr } = spawnSync(
    'python3',
    ['-c', 'import ast, sys; ast.parse(sys.stdin.read(), feature_version=(3, 9))'],
    { input: readFileSync(join(FOLDER, 'install.py'), 'utf8'), encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
