import { join } from 'node:path';

/** One Python for all, so that a difference is of the way it was put into the image and of nothing else. */
export const PYTHON = '3.13.5';
export const REFERENCE = 'official';
/** Where `.ci/base-images` puts the sources that a machine without internet cannot fetch. */
const CACHE = process.env['PACEGATE_CACHE'] ?? '/var/cache/pacegate';
export const PYTHON_SOURCE = join(CACHE, 'python-source');
/** Where `.ci/tools` puts uv. */
export const UV = join(process.env['PACEGATE_TOOLS'] ?? '/opt/pacegate-tools', 'bin', 'uv');
export const PYENV_SOURCE = join(CACHE, 'pyenv-source');

/** The ways of the talk that are compiled from source. */
export const COMPILED = ['pyenv', 'pyenv-optimized', 'pyenv-native', 'pyenv-bolt'] as const;

/**
 * The configuration of the talk's seven images, on one base and with one Python.
 * @param standalone folder with an archive in the layout of python-build-standalone and its list of downloads
 */
export const configuration = (standalone: string): string => `version: 1
workload:
  context: fixtures/timeseries
  files: [bench.py]
  command: [python, bench.py, --tasks, '160']
  timeout: 5m
variants:
  official: { interpreter: official, python: '${PYTHON}', debian: trixie }
  debian: { interpreter: debian, python: '${PYTHON}', debian: trixie }
${COMPILED.map(
  (name) =>
    `  ${name}:
    interpreter: ${name}
    python: '${PYTHON}'
    debian: trixie
    contexts: { pyenv-source: ${PYENV_SOURCE}, python-source: ${PYTHON_SOURCE} }
`,
).join('')}  uv:
    interpreter: uv
    python: '${PYTHON}'
    debian: trixie
    downloads: file:///opt/python-mirror/downloads.json
    contexts: { uv: ${join(standalone, 'uv')}, python-mirror: ${join(standalone, 'mirror')} }
metrics:
  tasks: { unit: tasks, better: higher, gate: false }
  tasks_per_min: { unit: tasks/min, better: higher, gate: false }
rules: { profile: strict, blocks: 30, budget: 2h }
`;
