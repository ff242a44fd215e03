import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSession } from '../session/read.ts';
import { repository } from '../source/repository.test-support.ts';
import { namedAsCause } from './causes.test-support.ts';
import { gateLastCommit, type Ended } from './terminal.test-support.ts';

/** The losses that fixtures/losses can plant, with the judged metrics that show each of them. */
export const PLANTED: Readonly<Record<string, readonly string[]>> = {
  cpu: ['cpu_time_s'],
  // Memory that a process keeps counts in both metrics.
  memory: ['max_rss_bytes', 'anonymous_memory_bytes'],
  startup: ['startup_time_s'],
  tasks: ['tasks'],
  none: [],
};

/** The judged metrics of fixtures/losses/pacegate.yml, in the order of the report. */
export const JUDGED = [
  'wall_time_s',
  'cpu_time_s',
  'max_rss_bytes',
  'anonymous_memory_bytes',
  'startup_time_s',
  'image_size_bytes',
  'tasks',
  'latency_s',
];

export interface JudgedRow {
  readonly metric: string;
  readonly verdict: string;
  readonly gated: boolean;
  readonly change: { readonly estimate: number | null };
}

/** `out` is the answer as JSON. */
export interface Gated extends Ended {
  /** The causes that the profiles name. */
  readonly named: readonly string[];
}

const LOSSES = join(import.meta.dirname, '..', '..', 'fixtures', 'losses');

/** Gates the service with a loss against the service without one, as two commits of a new repository. */
export async function gateWithLoss(loss: string): Promise<Gated> {
  const made = repository();
  cpSync(LOSSES, made.path, { recursive: true, filter: (path) => !path.includes('__pycache__') });
  made.commit('as it should be');
  const settings = readFileSync(join(LOSSES, 'service', 'settings.py'), 'utf8');
  // Without a loss the commit still changes the file, because identical images are not measured.
  made.write('service/settings.py', `${settings.replace('LOSS = "none"', `LOSS = "${loss}"`)}\n# Changed.\n`);
  made.commit(loss);
  const ended = await gateLastCommit(made.path);
  const file = join(made.path, 'pacegate-out/session.json');
  return {
    ...ended,
    named: existsSync(file) ? namedAsCause(parseSession(readFileSync(file, 'utf8'), file)) : [],
  };
}

/** The judged rows of a JSON report. */
export const judgedRows = (answer: string): readonly JudgedRow[] =>
  (JSON.parse(answer) as { readonly results: readonly JudgedRow[] }).results.filter(({ gated }) => gated);

export const regressedIn = (rows: readonly JudgedRow[]): readonly string[] =>
  rows.filter(({ verdict }) => verdict === 'regressed').map(({ metric }) => metric);
