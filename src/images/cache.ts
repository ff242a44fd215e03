import { isGitHubCache } from '../plan/github-cache.ts';
import { CACHE_PLACEHOLDER } from '../plan/warnings.ts';
import { repositoryComponent } from './names.ts';

/**
 * One variant's entry for `cache-from` or `cache-to`.
 *
 * `{variant}` in it is the variant's name, in whatever type. GitHub's cache (`type=gha`) is one store with scopes, and
 * a second writer of a scope replaces the first: each variant gets its own, under the user's scope or `pacegate`. Other
 * values are passed on unchanged.
 */
export function cacheEntry(entry: string, variant: string): string {
  const name = repositoryComponent(variant);
  if (entry.includes(CACHE_PLACEHOLDER)) return entry.replaceAll(CACHE_PLACEHOLDER, name);
  const fields = entry.split(',');
  if (!isGitHubCache(entry)) return entry;
  if (!fields.some((field) => field.startsWith('scope='))) return `${entry},scope=pacegate-${name}`;
  return fields.map((field) => (field.startsWith('scope=') ? `${field}-${name}` : field)).join(',');
}
