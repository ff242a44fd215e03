import { expect, test } from '@jest/globals';
import { hintFor } from './hints.ts';

/** What the programs print, word for word, and the line that helps. */
test.each([
  [
    'runc run failed: unable to start container process: exec: "/bin/sh": stat /bin/sh: no such file or directory',
    /no shell: write the step as a list of words/,
  ],
  [
    "ModuleNotFoundError: No module named 'numpy.linalg'",
    /the module numpy\.linalg: .*workload\.install\.packages; .*PYTHONPATH in workload\.env/,
  ],
  ['/usr/bin/python: No module named pytest', /the module pytest: add its package/],
  ['/bin/sh: 1: pip: not found', /no pip of its own: .*python -m venv/],
  ['bash: pip3: command not found', /no pip of its own/],
  ['/usr/bin/python3: No module named pip', /no pip of its own/],
  ['error: externally-managed-environment', /virtual environment/],
  ['python: error: unrecognized arguments: --benchmark-json /out/m.json', /packages: \[pytest-benchmark\]/],
  ["E       fixture 'benchmark' not found", /packages: \[pytest-benchmark\]/],
  [
    'error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided. To update the lockfile, run `uv lock`.',
    /run `uv lock` and commit uv\.lock/,
  ],
  [
    'pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.',
    /run `poetry lock` and commit/,
  ],
  [
    'pacegate: pdm.lock is out of date with pyproject.toml: run `pdm lock` and commit pdm.lock.',
    /run `pdm lock`/,
  ],
  ['Pipfile.lock is out-of-date. Run $ pipenv lock to update.', /run `pipenv lock` and commit/],
  [
    "ERROR: Package 'wordcount' requires a different Python: 3.13.5 not in '<3.13,>=3.10'",
    /does not accept Python 3\.13\.5: set variants\.\*\.python/,
  ],
  [
    "ERROR: Cannot find command 'git' - do you have 'git' installed and in your PATH?",
    /no git: name a release/,
  ],
  [
    "error: command 'gcc' failed: No such file or directory",
    /no wheel for this interpreter, and the image has no compiler/,
  ],
  ['Error: pg_config executable not found.', /no compiler and no libraries to build it/],
  ["error: command '/usr/bin/x86_64-linux-gnu-gcc' failed with exit code 1", /no compiler/],
  [
    "error: Distribution `a==1` can't be installed because it doesn't have a source distribution or wheel for the current platform",
    /Alpine and free-threaded builds/,
  ],
  [
    'docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /tmp/x.',
    /engine does not see this path, .*\(DOCKER_HOST\).*\(TMPDIR\) at the same paths/,
  ],
  ["../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc']]", /no compiler/],
])('%j', (text, hint) => expect(hintFor(`something before\n${text}\nand after`)).toMatch(hint));

test.each(['', 'ValueError: odd', "KeyError: 'pip'", 'the lock file of the door'])('%j has no hint', (text) =>
  expect(hintFor(text)).toBeUndefined(),
);

test('a name that the workload makes up is cut', () =>
  expect(hintFor(`No module named '${'a'.repeat(5000)}'`)?.length).toBeLessThan(400));
