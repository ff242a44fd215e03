import manifest from '../../package.json' with { type: 'json' };

/** The version that sessions are stamped with. */
export const VERSION = manifest.version;
