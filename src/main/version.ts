import manifest from '../../package.json' with { type: 'json' };

/** The version that each session records. */
export const VERSION = manifest.version;
