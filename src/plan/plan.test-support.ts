import type { Plan } from './plan.ts';
import { resolvePlan, type Overrides } from './resolve.ts';

/** Plans for tests, made as a user's are: from the text of a configuration. */

export interface PlannedFile {
  /** Keys of the configuration, as YAML on one line. */
  readonly workload?: string;
  readonly variants?: string;
  readonly metrics?: string;
  readonly rules?: string;
  readonly build?: string;
  /** The repository's top. */
  readonly root?: string;
  readonly overrides?: Overrides;
}

/** The plan of a configuration; a key that a test is not about has a short default, or is left out. */
export const planOf = ({
  workload = '{ command: [python, bench.py] }',
  variants = '{ a: { interpreter: debian } }',
  root = '/project',
  overrides = {},
  ...keys
}: PlannedFile = {}): Plan =>
  resolvePlan({
    text: [['version', '1'], ['workload', workload], ['variants', variants], ...Object.entries(keys)]
      .map(([key, text]) => `${key}: ${text}\n`)
      .join(''),
    file: 'pacegate.yml',
    root,
    overrides,
  });

/** Metrics of which wall time alone is judged. */
export const WALL_ALONE = 'cpu_time_s: { gate: false }, max_rss_bytes: { gate: false }';
