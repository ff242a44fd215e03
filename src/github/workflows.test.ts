import { globSync, readFileSync } from 'node:fs';
import { dirname, matchesGlob } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { markdownTable } from 'markdown-table';
import { parse } from 'yaml';
import { DEFAULT_MOST_SHARDS } from '../planning/shards.ts';
import { expectGenerated } from './generated.test-support.ts';
import { INPUT_NAMES } from './inputs.ts';
import { filesIn, projectWorkflows, readWorkflow, stepsOf } from './workflows.test-support.ts';

/** The project's own workflows, and the examples that users copy. The linters are in workflows.itg.test.ts. */

const EXAMPLES = [...filesIn('examples'), ...projectWorkflows()];
const WORKFLOWS = [...EXAMPLES, ...filesIn('.github/workflows')];
/** The workflows that do not only call another one. */
const STEPPED = WORKFLOWS.filter((path) => stepsOf(readWorkflow(path)).length > 0);
/** The workflow that users call. */
const GATE = '.github/workflows/gate.yml';

test.each(WORKFLOWS)('%s gives each job its own permissions and a time-out', (path) => {
  const { permissions, jobs } = readWorkflow(path);
  expect(permissions).toEqual({});
  for (const job of Object.values(jobs)) {
    expect(Object.keys(job.permissions ?? {})).toContain('contents');
    // The workflow that a job calls has the time-outs.
    if (job.uses === undefined) expect(minutesOf(path, job['timeout-minutes'])).toBeGreaterThan(0);
  }
});

/** A time-out, or the default of the input that sets it. */
function minutesOf(path: string, minutes: number | string | undefined): number {
  const [, input] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(String(minutes)) ?? [];
  const { on } = readWorkflow(path);
  return Number(input === undefined ? minutes : on?.workflow_call?.inputs[input]?.default);
}

test.each(STEPPED)('%s leaves no token in the checkout', (path) => {
  const checkouts = stepsOf(readWorkflow(path)).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
  expect(checkouts.length).toBeGreaterThan(0);
  for (const { with: inputs } of checkouts) expect(inputs).toMatchObject({ 'persist-credentials': false });
});

test.each([...STEPPED.filter((path) => EXAMPLES.includes(path)), GATE])(
  '%s gives inputs that the action has',
  (path) => {
    const own = stepsOf(readWorkflow(path)).filter(({ uses }) => uses?.startsWith('pacegate/'));
    expect(own.length).toBeGreaterThan(0);
    for (const { with: inputs = {} } of own)
      expect([...INPUT_NAMES]).toEqual(expect.arrayContaining(Object.keys(inputs)));
  },
);

describe('the workflow that users call', () => {
  const workflow = readWorkflow(GATE);
  const inputs = workflow.on?.workflow_call?.inputs ?? {};
  const text = readFileSync(GATE, 'utf8');

  test('reads each of its inputs, and no other', () => {
    const read = new Set([...text.matchAll(/\binputs\.([\w-]+)/g)].map(([, name]) => name));
    expect([...read].sort()).toEqual(Object.keys(inputs).sort());
  });

  test('has the defaults of the action', () => {
    const action = parse(readFileSync('action.yml', 'utf8')) as {
      readonly inputs: Readonly<Record<string, { readonly default: string }>>;
    };
    for (const [name, input] of Object.entries(inputs)) {
      const own = action.inputs[name];
      // The default of max-shards is empty there: it belongs to one mode.
      if (own !== undefined && name !== 'confirm' && name !== 'max-shards')
        expect([name, String(input.default)]).toEqual([name, own.default]);
    }
    expect(inputs['max-shards']?.default).toBe(DEFAULT_MOST_SHARDS);
  });

  test('gives each judging job what its verdict depends on, and each job the same plan', () => {
    const withs = new Map<string, readonly string[]>(
      stepsOf(workflow)
        .filter(({ uses }) => uses?.startsWith('pacegate/'))
        .map((step) => [(step.with?.['mode'] as string | undefined) ?? 'gate', Object.keys(step.with ?? {})]),
    );
    expect([...withs.keys()]).toEqual(['plan', 'measure', 'report', 'gate']);
    for (const names of withs.values())
      expect(names).toEqual(
        expect.arrayContaining(['config', 'name', 'variants', 'baseline-branch', 'budget']),
      );
    for (const mode of ['report', 'gate'])
      expect(withs.get(mode)).toEqual(expect.arrayContaining(['fail-on', 'require-decision', 'comment']));
  });

  test('asks for no more than the caller in examples/reusable.yml grants', () => {
    const granted = readWorkflow('examples/reusable.yml').jobs['gate']?.permissions;
    for (const { permissions = {} } of Object.values(workflow.jobs))
      expect(granted).toMatchObject(permissions);
    expect(granted).toEqual(workflow.jobs['report']?.permissions);
  });

  test('docs/github.md has its inputs', () => {
    const rows = Object.entries(inputs).map(([name, { description, default: value }]) => [
      `\`${name}\``,
      value === '' ? '' : `\`${String(value)}\``,
      description,
    ]);
    expectGenerated(
      'docs/github.md',
      'gate-inputs',
      markdownTable([['input', 'default', 'meaning'], ...rows]),
    );
  });
});

/** `uses: owner/name@commit # v1.2.3`: action -> commits with their versions. */
function pins(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const path of WORKFLOWS)
    for (const [, action = '', pin = ''] of readFileSync(path, 'utf8').matchAll(/uses: ([^@\s]+)@(.+)/g))
      found.set(action, (found.get(action) ?? new Set()).add(pin));
  return found;
}

test('each action is pinned to the same commit everywhere, with its version in a comment', () => {
  const {
    'pacegate/pacegate': own,
    [`pacegate/pacegate/${GATE}`]: gate,
    ...others
  } = Object.fromEntries(pins());
  expect([own, gate]).toEqual([new Set(['v1']), new Set(['v1'])]);
  for (const [action, found] of Object.entries(others))
    expect({ action, pins: [...found] }).toEqual({
      action,
      pins: [expect.stringMatching(/^[0-9a-f]{40} # v\d+\.\d+\.\d+$/)],
    });
});

/**
 * The major versions that GitHub's runners of late 2026 need: Node 24, and a checkout that refuses a fork's code if the
 * token may write.
 */
test.each([
  ['actions/checkout', 7],
  ['docker/setup-buildx-action', 4],
  ['docker/login-action', 4],
  ['actions/download-artifact', 8],
])('%s is at least of major version %d', (action, major) => {
  const found = [...(pins().get(action) ?? [])].map((pin) => Number(/# v(\d+)\./.exec(pin)?.[1]));
  expect(found).toHaveLength(1);
  expect(found[0]).toBeGreaterThanOrEqual(major);
});

test('the workflow of each project in examples/ is examples/gate.yml', () => {
  const [, gate = ''] = /^(?:#.*\n)+([^]*)$/.exec(readFileSync('examples/gate.yml', 'utf8')) ?? [];
  expect(projectWorkflows().length).toBeGreaterThanOrEqual(10);
  for (const path of projectWorkflows())
    expect({ path, text: readFileSync(path, 'utf8') }).toEqual({ path, text: gate });
});

interface Dependabot {
  readonly updates: readonly {
    readonly 'package-ecosystem': string;
    readonly directories?: readonly string[];
    readonly groups: Readonly<Record<string, { readonly patterns: readonly string[] }>>;
  }[];
}

test('Dependabot proposes updates of the packages that dist/ bundles apart from the tools', () => {
  const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as Dependabot;
  const npm = updates.find((update) => update['package-ecosystem'] === 'npm');
  const { dependencies = {}, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly dependencies?: object;
    readonly devDependencies: object;
  };
  // The npm package has no dependencies.
  expect(dependencies).toEqual({});
  const imported = globSync('src/**/*.ts')
    .filter((path) => !/\.(test|test-support)\.ts$/.test(path))
    .flatMap((path) => [
      ...readFileSync(path, 'utf8').matchAll(/(?:from |import\()'((?:@[^/']+\/)?[^./'][^/':]*)['/]/g),
    ])
    .map(([, name = '']) => name);
  const bundled = Object.keys(devDependencies).filter((name) =>
    npm?.groups['bundled']?.patterns.some((pattern) => matchesGlob(name, pattern)),
  );
  expect([...new Set(imported)].sort()).toEqual(bundled.sort());
});

test('Dependabot keeps the actions of the examples at the majors of our own workflows', () => {
  const { updates } = parse(readFileSync('.github/dependabot.yml', 'utf8')) as Dependabot;
  const actions = updates.find((update) => update['package-ecosystem'] === 'github-actions');
  const folders = actions?.directories ?? [];
  for (const path of WORKFLOWS) {
    const folder = `/${dirname(path)}`;
    expect([
      folder,
      folders.some((one) => matchesGlob(folder, one === '/' ? '/.github/workflows' : one)),
    ]).toEqual([folder, true]);
  }
});
