import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import { cpuFlags } from '../../session/cpu.ts';
import type { Machine } from '../../session/session.ts';

/**
 * The machine a session runs on.
 * @param engine engine and version, or `host`
 */
export async function thisMachine(engine: string): Promise<Machine> {
  const info = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const processors = cpus();
  return {
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    architecture: arch(),
    cores: Math.max(1, processors.length),
    memoryBytes: totalmem(),
    cpuFlagsHash: createHash('sha256').update(cpuFlags(info).join(' ')).digest('hex'),
    kernel: release(),
    engine,
    // GitHub's runners name their image here; other machines have nothing to say.
    runnerImage: [process.env['ImageOS'], process.env['ImageVersion']].filter(Boolean).join(' '),
  };
}
