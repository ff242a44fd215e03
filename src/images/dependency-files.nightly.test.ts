import { jest } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { DEPENDENCY_FILES, isInstalled } from './dependency-files.test-support.ts';
import { debian, official } from './images.test-support.ts';

/** The table of docs/interpreters.md: each dependency file in each interpreter that is built without a compiler. */

jest.setTimeout(600_000);

withEngine.each(
  [official, debian].flatMap((variant) =>
    Object.keys(DEPENDENCY_FILES).map((name) => [name, variant.name, variant] as const),
  ),
)('%s on %s', async (name, _, variant) => {
  await isInstalled(name, variant);
});
