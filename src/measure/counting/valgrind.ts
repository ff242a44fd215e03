import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from '../../process/command.ts';
import type { CountingTool } from '../../session/session.ts';
import type { Counting } from '../engine.ts';
import { own } from '../../session/record.ts';

/** A valgrind tool on this machine. */
export interface Valgrind extends Counting {
  /** As valgrind prints it: `valgrind-3.19.0`. */
  readonly version: string;
}

/** Node's names of processors -> valgrind's. Others that valgrind knows are not tried. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Where packages put valgrind's tools. */
const FOLDERS = [
  ...['/usr/libexec/valgrind', '/usr/lib/valgrind'],
  ...['/usr/local/libexec/valgrind', '/usr/local/lib/valgrind'],
];

/** The parts of this machine that the search reads. */
export interface Place {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node's name of the processor. */
  readonly architecture: string;
}

/**
 * Finds a tool: in the folder that VALGRIND_LIB names, in those that packages use, and next to the `valgrind` of the
 * PATH. @returns the tool, or a sentence with the reason and what to do
 */
export async function findValgrind(
  tool: CountingTool,
  { env, architecture }: Place = { env: process.env, architecture: process.arch },
): Promise<Valgrind | string> {
  const suffix = own(ARCHITECTURES, architecture);
  if (suffix === undefined)
    return `instructions: ${tool} cannot be used on a ${architecture} processor; Pacegate supports valgrind on ${Object.keys(ARCHITECTURES).join(' and ')} only`;
  const file = `${tool}-${suffix}-linux`;
  const folders = [
    ...(env['VALGRIND_LIB'] ? [env['VALGRIND_LIB']] : []),
    ...FOLDERS,
    ...(await besideCommand(env)),
  ];
  for (const folder of folders) {
    const version = await versionOf(join(folder, file), folder);
    if (version !== undefined) return { tool, folder, file, version };
  }
  return `instructions: ${tool} needs valgrind on this machine, and ${file} is in none of ${[...new Set(folders)].join(', ')}. Install it before (\`sudo apt-get install --yes valgrind\`), or name its folder in VALGRIND_LIB`;
}

/** `/opt/x/bin/valgrind` -> the two folders in which its own prefix has the tools. */
async function besideCommand(env: Place['env']): Promise<readonly string[]> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter((path) => path.startsWith('/'))) {
    const command = await realpath(join(folder, 'valgrind')).catch(() => undefined);
    if (command === undefined) continue;
    const prefix = dirname(dirname(command));
    return [join(prefix, 'libexec', 'valgrind'), join(prefix, 'lib', 'valgrind')];
  }
  return [];
}

/** Starts the tool once, so that a tool that does not work is found before a workload runs. */
async function versionOf(path: string, folder: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { status, stdout } = await runCommand(path, ['--version'], {
      // A tool does not start without its launcher's name.
      env: { VALGRIND_LAUNCHER: path, VALGRIND_LIB: folder },
      timeoutSeconds: 20,
      maxStdoutBytes: 1000,
    });
    const version = stdout.trim();
    return status === 0 && /^valgrind-[\w.+-]{1,40}$/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
