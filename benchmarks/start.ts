import { markdownTable } from 'markdown-table';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from '../src/process/command.ts';
import { distSize } from './dist-size.ts';
import { atMost, difference, interval, measurePairs, spread, type Section, type Setting } from './paired.ts';

const AIM_SECONDS = 0.15;
const TOP = join(import.meta.dirname, '..');

/** How long the action takes to its first line, and what memory, beyond a program of that line alone. */
export async function start(setting: Setting): Promise<Section> {
  const folder = await mkdtemp(join(tmpdir(), 'pacegate-benchmark-'));
  try {
    // A copy, for a build may replace dist/ meanwhile. package.json says that it is ESM, as in the action.
    for (const name of ['package.json', 'dist'])
      await cp(join(TOP, name), join(folder, name), { recursive: true });
    await mkdir(join(folder, 'workspace'));
    for (const name of ['state', 'output']) await writeFile(join(folder, name), '');
    // It stays until its memory has been read.
    await writeFile(join(folder, 'line.js'), `console.log('Pacegate');\nsetTimeout(() => undefined, 200);\n`);

    const runtimes = await findRuntimes();
    const contrasts = runtimes.map(([name, node]) => {
      const upTo = (script: string) => async () => await firstLine(node, script, folder);
      return [name, { head: upTo('dist/index.js'), baseline: upTo('line.js') }] as const;
    });
    const pairsOf = await measurePairs(Object.fromEntries(contrasts), setting);
    const rows = runtimes.map(([name]) => {
      const pairs = pairsOf(name);
      const row = (quantity: 'seconds' | 'bytes', words: (value: number) => string) => [
        spread(pairs, 'head', quantity, words),
        spread(pairs, 'baseline', quantity, words),
        interval(difference(pairs, quantity), words),
      ];
      return {
        time: [name, ...row('seconds', milliseconds), atMost(AIM_SECONDS, difference(pairs, 'seconds'))],
        memory: [name, ...row('bytes', megabytes)],
      };
    });
    return {
      title: 'The start',
      body: [
        'From the spawn of `node dist/index.js` to its first line, with the environment of a job and an empty workspace, compared with a script that only prints a line. Memory is the peak of the resident set until that line.',
        `Aim: at most ${AIM_SECONDS * 1000} ms beyond node’s own start.`,
        markdownTable([
          ['time', 'dist/index.js', 'one line', 'difference', 'aim'],
          ...rows.map(({ time }) => time),
        ]),
        markdownTable([
          ['memory', 'dist/index.js', 'one line', 'difference'],
          ...rows.map(({ memory }) => memory),
        ]),
        ...(await distSize(join(folder, 'dist'))),
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const milliseconds = (value: number) => `${(value * 1000).toFixed(0)} ms`;
const megabytes = (value: number) => `${(value / 1e6).toFixed(1)} MB`;

/** The runtime of the action, and this machine's own where that is another version. */
async function findRuntimes(): Promise<readonly (readonly [name: string, path: string])[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const own = folders.filter((path) => !path.includes('node_modules')).map((path) => join(path, 'node'));
  const paths = [
    join(TOP, 'node_modules/node/bin/node'),
    ...own.filter((path) => existsSync(path)).slice(0, 1),
  ];
  const named = new Map<string, string>();
  for (const path of paths) {
    const name = `node ${(await runCommand(path, ['--version'])).stdout.trim()}`;
    if (!named.has(name)) named.set(name, path);
  }
  return [...named];
}

/** Seconds to the first line on stdout, and the peak of the resident set until then. Waits for the end. */
async function firstLine(node: string, script: string, folder: string) {
  const started = performance.now();
  const child = spawn(node, [join(folder, script)], {
    // Not this process's: NODE_OPTIONS and the like would be measured too.
    env: {
      PATH: process.env['PATH'],
      INPUT_MODE: 'gate',
      GITHUB_ACTIONS: 'true',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_REPOSITORY: 'example/example',
      GITHUB_STATE: join(folder, 'state'),
      GITHUB_WORKSPACE: join(folder, 'workspace'),
      RUNNER_TEMP: folder,
      TMPDIR: folder,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'close');
  let first: { readonly seconds: number; readonly bytes: number } | undefined;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (first !== undefined) continue;
    first = { seconds: (performance.now() - started) / 1000, bytes: peakBytes(child.pid) };
    if (!chunk.toString().startsWith('Pacegate'))
      throw new Error(`${script} began with ${JSON.stringify(chunk.toString())}`);
  }
  await ended;
  if (first === undefined) throw new Error(`${script} printed nothing`);
  return first;
}

function peakBytes(pid: number | undefined): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8'))?.[1];
  if (found === undefined) throw new Error('the process ended before its memory could be read');
  return Number(found) * 1024;
}
