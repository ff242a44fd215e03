import { createHash } from 'node:crypto';

/**
 * The name of a configuration: of its comment's marker, its artifact, its folder on the baseline branch and its pushed
 * images. Two files of one repository never share a name.
 */

/** The form of a name, given as `name:` or made from the path. */
export const IDENTITY = /^[a-z0-9][a-z0-9._-]{0,59}$/;

/** Characters of the path to keep. The end of the path tells the most. */
const READABLE = 40;

/**
 * `.github/pacegate.yml` -> `pacegate`; `services/orders/pacegate.yml` -> `services-orders-pacegate-` and eight digits
 * of the path's hash, so that `services-orders/pacegate.yml` has another name.
 * @param file the configuration's path from the repository's top, with `/`
 */
export function identityOf(file: string): string {
  const [, short] = /^\.github\/([^/]+)\.yml$/.exec(file) ?? [];
  if (short !== undefined && IDENTITY.test(short)) return short;
  const digits = createHash('sha256').update(file).digest('hex').slice(0, 8);
  const readable = slug(withoutEnding(file)).slice(-READABLE).replace(/^-+/, '');
  return `${readable || 'pacegate'}-${digits}`;
}

/** The name in earlier versions: the file's base name, which two folders may share. */
export function formerIdentityOf(file: string): string {
  const stem = withoutEnding(file.split('/').at(-1) ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return stem.slice(0, 60) || 'pacegate';
}

/** Files that hold configurations, by their names. */
export const isConfigurationFile = (file: string): boolean => /\.(ya?ml|json)$/i.test(file);

const withoutEnding = (file: string) => file.replace(/\.(ya?ml|json)$/i, '');

const slug = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
