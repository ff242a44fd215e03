import { isMap, parseDocument, stringify } from 'yaml';
import { readAcceptedFile } from '../plan/accepted-file.ts';
import { configurationSchema } from '../plan/configuration.ts';
import { resolvePlan } from '../plan/resolve.ts';
import { INPUT_NAMES } from '../github/inputs.ts';
import { stepsOf, type Workflow } from '../github/workflows.test-support.ts';

/** What an example in YAML is: a file of Pacegate's or a workflow of GitHub's, whole or a part. */
export type YamlExample =
  | { readonly kind: 'configuration'; readonly text: string }
  | { readonly kind: 'accepted'; readonly text: string }
  | { readonly kind: 'workflow'; readonly text: string; readonly workflow: Workflow }
  | { readonly kind: 'neither'; readonly why: string };

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const SECTIONS = new Set(Object.keys(configurationSchema.shape));
const WORKFLOW = new Set(['on', 'permissions', 'concurrency', 'env', 'defaults', 'name', 'jobs']);
const JOB = new Set([
  ...[
    'name',
    'needs',
    'if',
    'strategy',
    'runs-on',
    'timeout-minutes',
    'permissions',
    'steps',
    'env',
    'container',
  ],
  ...['services', 'concurrency', 'outputs', 'uses', 'with'],
]);

/** What a part of a configuration is put into. */
const REST = {
  version: 1,
  workload: { command: ['python', 'bench.py'] },
  variants: { official: { interpreter: 'official', python: '3.13' } },
};

const CHECKOUT = {
  uses: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1',
  with: { 'persist-credentials': false },
};

const within = (keys: ReadonlySet<string>, value: Mapping) =>
  Object.keys(value).every((key) => keys.has(key));

export function readYamlExample(text: string): YamlExample {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) return { kind: 'neither', why: error.message.split('\n')[0] ?? '' };
  const value: unknown = document.toJS();
  if (Array.isArray(value)) return workflow(undefined, { steps: [CHECKOUT, ...(value as unknown[])] });
  if (!isMapping(value) || !isMap(document.contents)) return { kind: 'neither', why: 'it has no keys' };
  if ('accepted' in value) return { kind: 'accepted', text };
  if ('jobs' in value) return { kind: 'workflow', text, workflow: value as unknown as Workflow };
  if (within(SECTIONS, value))
    return {
      kind: 'configuration',
      text: Object.keys(REST).every((key) => key in value) ? text : stringify(withRest(value)),
    };
  if (within(WORKFLOW, value)) return workflow(value, { steps: [CHECKOUT] });
  if (within(JOB, value)) {
    const job = Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'needs'));
    return workflow(undefined, { steps: [CHECKOUT], ...job });
  }
  return {
    kind: 'neither',
    why: `${Object.keys(value).join(', ')} are the keys of no configuration, workflow or job`,
  };
}

const withRest = (part: Mapping): Mapping => ({
  ...REST,
  ...part,
  ...(isMapping(part['workload']) ? { workload: { ...REST.workload, ...part['workload'] } } : {}),
});

function workflow(given: Mapping | undefined, job: Mapping): YamlExample {
  const value = {
    on: 'pull_request',
    permissions: {},
    ...given,
    jobs: {
      job: { 'runs-on': 'ubuntu-latest', 'timeout-minutes': 40, permissions: { contents: 'read' }, ...job },
    },
  };
  return { kind: 'workflow', text: stringify(value), workflow: value as unknown as Workflow };
}

function errorOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @returns what is wrong with an example, as far as no other program is needed to say it */
export function yamlFault(text: string): string | undefined {
  const example = readYamlExample(text);
  switch (example.kind) {
    case 'neither':
      return example.why;
    case 'configuration':
      return errorOf(() => resolvePlan({ text: example.text, file: 'pacegate.yml', root: '/repository' }));
    case 'accepted':
      return errorOf(() => readAcceptedFile(example.text, 'pacegate-accepted.yml'));
    case 'workflow': {
      const unknown = stepsOf(example.workflow)
        .filter(({ uses }) => uses?.startsWith('pacegate/pacegate@'))
        .flatMap(({ with: inputs = {} }) => Object.keys(inputs))
        .filter((name) => !INPUT_NAMES.some((known) => known === name));
      return unknown.length === 0 ? undefined : `the action has no input ${unknown.join(', ')}`;
    }
  }
}
