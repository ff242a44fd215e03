import { parseDocument } from 'yaml';

/** Adapts a workflow of `examples/` to the user's repository. */
export interface WorkflowRequest {
  /** The example's text. */
  readonly example: string;
  /** The configuration's path from the repository's top, if it is not the default one. */
  readonly config: string | undefined;
  /** Tells the workflows of several configurations apart. */
  readonly suffix: string | undefined;
}

/** The example without the lines about where to copy it, and with the configuration's path as an input. */
export function workflowText({ example, config, suffix }: WorkflowRequest): string {
  const body = example.replace(/^(#.*\n)+/, '');
  const introduction =
    '# Written by `pacegate init`. docs/github.md of https://github.com/pacegate/pacegate explains each line.\n';
  if (config === undefined) return introduction + body;
  const document = parseDocument(body);
  const named = document.get('name');
  document.set('name', `${typeof named === 'string' ? named : 'Pacegate'} (${suffix ?? config})`);
  const group = document.getIn(['concurrency', 'group']);
  if (typeof group === 'string') document.setIn(['concurrency', 'group'], `${group}-${suffix ?? 'other'}`);
  const jobs = document.toJS() as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly uses?: string }[] }>>;
  };
  for (const [job, { steps }] of Object.entries(jobs.jobs))
    for (const [index, { uses }] of steps.entries())
      if (uses?.startsWith('pacegate/pacegate@') === true) {
        const path = ['jobs', job, 'steps', index, 'with'];
        const given = document.getIn(path) === undefined ? {} : undefined;
        if (given === undefined) document.setIn([...path, 'config'], config);
        else document.setIn(path, document.createNode({ config }));
      }
  return introduction + document.toString({ lineWidth: 0 });
}
