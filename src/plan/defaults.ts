import type { Verdict } from '../session/rules.ts';

/** The defaults of the configuration's keys, in one place for the code, the schema and docs/configuration.md. */
export const DEFAULTS = {
  configurationFile: '.github/pacegate.yml',
  baselineBranch: 'pacegate-baseline',
  context: '.',
  debian: 'trixie',
  alpine: '3.24',
  distribution: 'debian13',
  bakeFile: 'docker-bake.hcl',
  timeout: '10m',
  network: 'none',
  pids: 1024,
  repetitions: 'auto',
  instructions: 'none',
  warmUp: 1,
  startTimeout: '30s',
  stop: 'SIGTERM',
  stopTimeout: '10s',
  profiler: 'cprofile',
  alpha: 0.05,
  profile: 'balanced',
  budget: '20m',
  evidence: 'auto',
  cold: 'quick',
  failOn: ['regressed', 'over_limit'] satisfies Verdict[],
} as const;
