import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const NOT_OURS = new Set(['node_modules', 'dist', '.git', 'coverage', 'pacegate-out', '.cache', 'reports']);

/** Every file of the repository below a folder whose name ends so, sorted. */
export function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : join(folder, entry.name);
      if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : filesBelow(path, ending);
      return path.endsWith(ending) ? [path] : [];
    })
    .sort();
}

/** What a user or a contributor reads as documentation. */
export const PAGES: readonly string[] = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...filesBelow('docs', '.md'),
  ...filesBelow('.github', '.md'),
  ...filesBelow('variants', '.md'),
];
