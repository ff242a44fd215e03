import { randomBytes, randomInt } from 'node:crypto';

/** Time for people, chance for uniqueness; legal in a container's name, an image's tag and a path. */
export const newSessionId = (now: Date): string =>
  `${now
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '')
    .toLowerCase()}-${randomBytes(3).toString('hex')}`;

/** A seed for the order of a session where nobody gave one. */
export const newSeed = (): number => randomInt(2 ** 31);
