import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { parseDocument } from 'yaml';
import { freePort, toolPath } from '../process/engine.test-support.ts';
import { repository, type TestRepository } from '../source/repository.test-support.ts';
import { verdictsOf } from './project.test-support.ts';
import { pacegate, type Ended } from './terminal.test-support.ts';

/** The projects of examples/, each with a planted loss. */

export const EXAMPLES = join(import.meta.dirname, '..', '..', 'examples');
/** The Python of the environment that `.ci/tools` makes, with the packages of the examples. */
export const EXAMPLES_PYTHON = toolPath('../examples/bin/python');
export const CONFIGURATION = '.github/pacegate.yml';
const VARIANTS = /^variants:\n {2}official: .*\n/;

/** Multiplies the work at one place, so that noise does not hide it. */
export interface Loss {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly metric: string;
}

export const LOSSES: Readonly<Record<string, Loss>> = {
  'command-line': {
    file: 'src/wordcount.py',
    from: '    for word in text.split():',
    to: '    for word in [word for word in text.split() for _ in range(4)]:',
    metric: 'cpu_time_s',
  },
  'pytest-benchmark': {
    file: 'intervals.py',
    from: 'in sorted(intervals):',
    to: 'in sorted(sorted(sorted(intervals, key=lambda one: -one[1]), key=str)):',
    metric: 'test_far_apart',
  },
  pyperf: {
    file: 'slugs.py',
    from: '    return OTHER',
    to: '    for _ in range(3):\n        OTHER.sub("-", title.lower())\n    return OTHER',
    metric: 'slug',
  },
  asv: {
    file: 'lines.py',
    from: '    return dict(',
    to: '    for _ in range(3):\n        [line.split(" = ", 1) for line in text.splitlines()]\n    return dict(',
    metric: 'time_parse_10000',
  },
  flask: { file: 'shop.py', from: 'ROWS = 2000', to: 'ROWS = 20000', metric: 'cpu_per_request' },
  fastapi: { file: 'search.py', from: 'ROWS = 2000', to: 'ROWS = 20000', metric: 'cpu_per_request' },
  pandas: {
    file: 'report.py',
    from: '    return sales',
    to: '    for _ in range(4):\n        sales.groupby("shop", as_index=False)["total"].median()\n    return sales',
    metric: 'cpu_time_s',
  },
  'uv-src': {
    file: 'src/textdiff/__init__.py',
    from: '            before = above\n',
    to: '            before = max(min(above, above), min(above, above), min(above, above))\n',
    metric: 'cpu_time_s',
  },
  poetry: {
    file: 'primes/__init__.py',
    from: '                sieve[multiple] = False',
    to: '                sieve[multiple] = min(False, abs(0) > 1, max(0, 0) > 1)',
    metric: 'cpu_time_s',
  },
  worker: { file: 'worker.py', from: 'ROUNDS = 100', to: 'ROUNDS = 400', metric: 'cpu_per_task' },
  dockerfile: {
    file: 'lookup.py',
    from: '    return [',
    to: '    [INDEX[word] for word in words * 4]\n    return [',
    metric: 'cpu_time_s',
  },
};

/** Those whose image installs nothing from an index; the nightly tier builds the others. */
export const QUICK: readonly string[] = ['command-line', 'worker', 'dockerfile'];

export function replaced(
  { path, write }: TestRepository,
  file: string,
  from: string | RegExp,
  to: string,
): void {
  const before = readFileSync(join(path, file), 'utf8');
  const after = before.replaceAll(from instanceof RegExp ? new RegExp(from, 'gm') : from, to);
  if (after === before) throw new Error(`${file} has nothing to replace`);
  write(file, after);
}

/** A repository with a project of examples/ and its configuration, made faster. Nothing is committed yet. */
export function example(
  name: string,
  metric: string,
  configuration = readFileSync(join(EXAMPLES, name, CONFIGURATION), 'utf8'),
): TestRepository {
  const project = repository();
  cpSync(join(EXAMPLES, name), project.path, { recursive: true });
  project.write(CONFIGURATION, quicker(configuration, metric));
  return project;
}

/**
 * The same configuration with less time: one row is judged, the first look finds the loss, and no profile explains it.
 */
function quicker(configuration: string, metric: string): string {
  const document = parseDocument(configuration);
  const { metrics = {} } = document.toJS() as { readonly metrics?: Readonly<Record<string, object>> };
  const others = Object.entries(metrics).filter(([key]) => key !== metric);
  const shown = { gate: false };
  document.set('metrics', {
    ...Object.fromEntries(BUILT_IN.map((key) => [key, shown])),
    ...Object.fromEntries(others.map(([key, settings]) => [key, { ...settings, ...shown }])),
    [metric]: { ...metrics[metric], gate: true },
  });
  document.set('rules', { blocks: 8 });
  document.setIn(['workload', 'profiler'], 'none');
  document.setIn(['workload', 'repetitions'], 1);
  return document.toString({ lineWidth: 0 });
}

const BUILT_IN = ['wall_time_s', 'cpu_time_s', 'max_rss_bytes', 'image_size_bytes'];

/** Measures on the host, with the interpreter that has the packages of the examples. */
export async function onTheHost(project: TestRepository): Promise<void> {
  replaced(
    project,
    CONFIGURATION,
    VARIANTS,
    `variants:\n  here: { interpreter: host, python: ${EXAMPLES_PYTHON} }\n`,
  );
  if (!readdirSync(project.path).includes('load.py')) return;
  const port = String(await freePort());
  for (const file of [CONFIGURATION, 'load.py']) replaced(project, file, '8000', port);
}

export async function gate(project: TestRepository): Promise<Ended> {
  const args = ['gate', '--baseline', 'HEAD~1', '--budget', '12m', '--format', 'json'];
  // If a command starts a shell, its `python` is the interpreter of the variant, as in an image.
  const path = `${dirname(EXAMPLES_PYTHON)}:${process.env['PATH'] ?? ''}`;
  return await pacegate(project.path, args, undefined, { PATH: path });
}

/** The authorities that this machine trusts: behind a proxy that signs connections anew, a build needs them. */
const TRUSTED = '/etc/ssl/certs/ca-certificates.crt';

/** Gates a change of documentation in containers: it is built, and not measured. */
export async function expectNothingMeasured(project: TestRepository): Promise<void> {
  const configuration = parseDocument(readFileSync(join(project.path, CONFIGURATION), 'utf8'));
  configuration.setIn(['build', 'ca'], TRUSTED);
  project.write(CONFIGURATION, configuration.toString({ lineWidth: 0 }));
  project.write('README.md', '# Project\n');
  project.write('docs/use.md', 'Use it.\n');
  project.commit('base');
  project.write('README.md', '# Project\n\nBetter words.\n');
  project.write('docs/use.md', 'Use it well.\n');
  project.commit('docs');
  const { status, out, log } = await gate(project);
  expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
  const session: unknown = JSON.parse(out);
  expect(session).toMatchObject({ verdict: 'unchanged' });
  expect(log).toMatch(/identical|same image|same content/i);
}

export async function expectLoss(project: TestRepository, { file, from, to, metric }: Loss): Promise<void> {
  replaced(project, file, from, to);
  project.commit('slower');
  const { status, out, log } = await gate(project);
  expect({ status, log: status === 1 ? '' : `${log}\n${out}` }).toEqual({ status: 1, log: '' });
  expect(verdictsOf(out, metric)).toEqual(['regressed']);
}
