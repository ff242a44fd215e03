import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest } from '@jest/globals';
import { withValgrind } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { gateLastCommit } from './terminal.test-support.ts';

/** A gate that counts instructions, with the real engine and this machine's valgrind. */

jest.setTimeout(900_000);
afterAll(removeTemporaryFolders);

/** A repository whose head does a tenth more in the loop that is most of the program. */
function tenthMore(instructions: string): string {
  const made = repository();
  const application = (steps: number) =>
    `def work():\n    total = 0\n    for i in range(${steps}):\n        total += i * i % 7\n    return total\n`;
  made.write(
    'pacegate.yml',
    `version: 1
workload: { files: [bench.py], command: [python, -S, bench.py], timeout: 60s, instructions: ${instructions} }
variants: { official: { interpreter: official, python: "3.13" } }
metrics: { wall_time_s: { gate: false }, cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
rules: { blocks: 8 }
`,
  );
  made.write('bench.py', 'from app import work\n\nwork()\n');
  made.write('app.py', application(400_000));
  made.commit('one');
  made.write('app.py', application(440_000));
  made.commit('a tenth more');
  return made.path;
}

interface Row {
  readonly metric: string;
  readonly verdict: string;
  readonly evidence: string;
  readonly change: { readonly estimate: number };
}

withValgrind(
  'a tenth more steps regress in what valgrind counts, and in nothing else that is judged',
  async () => {
    const directory = tenthMore('callgrind');
    const { status, out, log } = await gateLastCommit(directory);
    expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
    const { results } = JSON.parse(out) as { results: readonly Row[] };
    const regressed = results.filter(({ verdict }) => verdict === 'regressed');
    expect(regressed).toMatchObject([{ metric: 'valgrind_instructions', evidence: 'counted' }]);
    // The start of the interpreter reduces the tenth; the loop is most of the rest.
    expect(regressed[0]?.change.estimate).toBeGreaterThan(0.05);
    expect(regressed[0]?.change.estimate).toBeLessThan(0.1);

    const file = join(directory, 'pacegate-out/session.json');
    const session = parseSession(readFileSync(file, 'utf8'), file);
    for (const { counted } of session.images) {
      expect(counted).toMatchObject({
        tool: 'callgrind',
        version: expect.stringMatching(/^valgrind-3/),
        processes: 1,
      });
      // Counts that differ are repeated, and the same program gives the same count.
      expect(counted?.counts).toHaveLength(2);
      expect(Math.max(...(counted?.counts ?? [])) / Math.min(...(counted?.counts ?? []))).toBeLessThan(
        1.0001,
      );
    }
    expect(
      readdirSync(join(directory, 'pacegate-out/profiles')).map((name) => name.replace(/\d+$/, 'N')),
    ).toEqual(['callgrind.out.official-baseline-N', 'callgrind.out.official-head-N']);
    expect(
      execFileSync(
        'docker',
        ['ps', '--all', '--quiet', '--filter', `label=org.pacegate.session=${session.id}`],
        {
          encoding: 'utf8',
        },
      ),
    ).toBe('');
  },
);
