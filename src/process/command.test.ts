import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { removeTemporaryFolders, temporaryFolder } from '../source/repository.test-support.ts';
import { runCommand } from './command.ts';
import { until } from './patience.test-support.ts';

afterAll(removeTemporaryFolders);

/** A zombie counts as ended, because possibly no parent reads its status. */
function isAlive(pid: string): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A process that runs a command, which starts another one and records the ids of both. */
async function parentOf(group: boolean) {
  const file = join(temporaryFolder(), 'pids');
  const script = `sleep 307 & echo $$ $! > ${file}.part; mv ${file}.part ${file}; wait`;
  const program = `import { runCommand } from ${JSON.stringify(join(import.meta.dirname, 'command.ts'))};
    await runCommand('sh', ['-c', ${JSON.stringify(script)}], { group: ${group} });`;
  const parent = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    { stdio: 'ignore' },
  );
  await until(() => existsSync(file));
  return { parent, children: readFileSync(file, 'utf8').trim().split(' ') };
}

test('after SIGKILL of this process its group ends within seconds, and other processes continue', async () => {
  const group = await parentOf(true);
  const single = await parentOf(false);
  for (const { parent } of [group, single]) parent.kill('SIGKILL');
  await until(() => !group.children.some(isAlive), 60);
  expect(single.children.every(isAlive)).toBe(true);
  for (const pid of single.children) process.kill(Number(pid), 'SIGKILL');
});

test.each([false, true])(
  'with too many files open a program cannot be started, and that is reported (group: %s)',
  (group) => {
    const program = `import { openSync } from 'node:fs';
    import { plainError } from ${JSON.stringify(join(import.meta.dirname, '../errors/plain-error.ts'))};
    import { runCommand } from ${JSON.stringify(join(import.meta.dirname, 'command.ts'))};
    await runCommand('true', []);
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    await runCommand('true', [], { group: ${group} }).catch((error) => console.log(plainError(error)?.message));`;
    const { stdout, stderr } = spawnSync(
      'sh',
      [
        ...['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath],
        ...['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
      ],
      { encoding: 'utf8' },
    );
    expect({ stdout, stderr }).toEqual({
      stdout: expect.stringMatching(/^Too many files are open \(.*EMFILE\)\. Raise the limit of open files/),
      stderr: '',
    });
  },
);

test('a line that comes in thousands of pieces is put together once', async () => {
  const lines: number[] = [];
  const program = `process.stdout.write('first\\n'); for (let n = 0; n < 800; n++) process.stdout.write('x'.repeat(65536)); process.stdout.write('\\n\\nrest\\n');`;
  const begun = process.cpuUsage();
  const { status } = await runCommand(process.execPath, ['--eval', program], {
    onStdoutLine: (line) => lines.push(line.length),
  });
  expect({ status, lines }).toEqual({ status: 0, lines: [5, 800 * 65_536, 0, 4] });
  // A copy of the partial line for each piece would take many times as long.
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(3);
}, 60_000);

test('a group that has ended leaves no watcher behind', async () => {
  const watchers = () => spawnedBy(process.pid).filter((command) => command.includes('kill -s KILL')).length;
  const before = watchers();
  const running = runCommand('sh', ['-c', 'read line; echo "$line"'], { group: true, input: 'a line\n' });
  expect(await running).toMatchObject({ status: 0, stdout: 'a line\n' });
  await until(() => watchers() === before, 60);
});

function spawnedBy(parent: number): string[] {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  return children
    .split(' ')
    .filter((pid) => pid !== '' && isAlive(pid))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
}
