import { join } from 'node:path';

/**
 * Paths of the parts that are not JavaScript. The entry is `dist/index.js` or `dist/cli.js` in a bundle, and
 * `src/cli.ts` if Node runs the sources directly. Both are one folder below the top.
 */
export interface Places {
  readonly probe: string;
  readonly facts: string;
  /** Folder of the scripts that profile a run. */
  readonly profiler: string;
  readonly variants: string;
  readonly fixtures: string;
  /** Folder of the workflows that users copy. */
  readonly examples: string;
}

/** @param entryFolder absolute folder of the entry module */
export function placesFrom(entryFolder: string): Places {
  const top = join(entryFolder, '..');
  const script = (name: string) =>
    join(entryFolder, entryFolder.endsWith('src') ? 'measure/probe' : '', name);
  return {
    probe: script('probe.py'),
    facts: script('facts.py'),
    profiler: script('profiler'),
    variants: join(top, 'variants'),
    fixtures: join(top, 'fixtures'),
    examples: join(top, 'examples'),
  };
}
