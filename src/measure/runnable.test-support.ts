import type { Side } from '../session/run.ts';
import type { Runnable } from './engine.ts';

/** A runnable image for tests; what a test is about is in `change`. */
export const runnableOf = (variant: string, side: Side, change: Partial<Runnable> = {}): Runnable => ({
  image: {
    variant,
    side,
    engine: 'container',
    identity: 'i',
    id: 'i',
    definitionHash: 'd',
    layers: [],
    origin: 'built',
  },
  python: 'python',
  flags: [],
  env: {},
  workingDirectory: '/app',
  filesFrom: '/tree',
  ...change,
});
