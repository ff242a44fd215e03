import { join } from 'node:path';
import type { JobPorts, RunContext } from '../pipeline/ports.ts';
import { jobPorts } from './compose.ts';
import { openOutFolder } from '../out-folder/out-folder.ts';
import type { Places } from './places.ts';

/** The parts that a use case of a repository needs in tests: the real ports, a silent log, and separate folders. */

const nothing = () => undefined;
const NOWHERE: Places = { probe: '', facts: '', profiler: '', variants: '', fixtures: '', examples: '' };

export const realPorts = (places: Places = NOWHERE): JobPorts =>
  jobPorts(places, { info: nothing, warn: nothing, step: nothing, transient: nothing });

/** @param folder an empty one, for this test only */
export const runIn = async (folder: string): Promise<RunContext> => ({
  sessionId: 'test',
  workFolder: join(folder, 'work'),
  out: await openOutFolder(join(folder, 'out')),
  toolVersion: '0.0.0',
});
