import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

export interface Workflow {
  /** Of a workflow that others call. */
  readonly on?: {
    readonly workflow_call?: {
      readonly inputs: Readonly<
        Record<string, { readonly type: string; readonly default: unknown; readonly description: string }>
      >;
    };
  };
  readonly permissions: object;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions?: Readonly<Record<string, string>>;
        readonly 'timeout-minutes'?: number | string;
        /** Absent if the job calls a workflow. */
        readonly steps?: readonly Step[];
        readonly uses?: string;
      }
    >
  >;
}

/** The workflows of a folder of the repository. */
export const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => join(folder, name));

/** The workflows of the projects in examples/, each a copy of examples/gate.yml. */
export const projectWorkflows = (): readonly string[] =>
  globSync('examples/*/.github/workflows/*.yml').sort();

export const readWorkflow = (path: string): Workflow => parse(readFileSync(path, 'utf8')) as Workflow;

export const stepsOf = ({ jobs }: Workflow): readonly Step[] =>
  Object.values(jobs).flatMap(({ steps = [] }) => steps);
