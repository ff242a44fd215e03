/** The versions of Python that an interpreter can be asked for: those that the checks of the images run on. */
export const OLDEST_PYTHON = '3.9';
export const NEWEST_PYTHON = '3.15';

/** `3.13`, `3.13.5`, `3.15.0rc1`, `3.13t`. */
export const PYTHON_VERSION = /^\d+\.\d+(\.\d+)?((a|b|rc)\d+)?t?$/;

/** The same, from the oldest version to the newest. */
export const SUPPORTED_PYTHON = /^3\.(9|1[0-5])(\.\d+)?((a|b|rc)\d+)?t?$/;
