import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { freePort, withEngine } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { compareSession } from '../verdict/compare.ts';
import { application } from './project.test-support.ts';
import { gateLastCommit } from './terminal.test-support.ts';

/** A change whose measuring code does more work on the baseline than on the head, in containers and under load. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

/**
 * Gates the last commit.
 * @returns the beginning of its report, and the images on which both versions were tried
 */
async function gated(directory: string) {
  const { status, log } = await gateLastCommit(directory);
  const file = join(directory, 'pacegate-out/session.json');
  const session = parseSession(readFileSync(file, 'utf8'), file);
  const { measuring } = compareSession(session);
  const tried = (session.measuring?.trials ?? []).map(({ image, pairs, failures }) => ({
    image,
    tried: pairs > 0,
    failures,
  }));
  return { status, log, tried, news: (measuring?.news ?? []).map(({ sentence }) => sentence) };
}

const BOTH_TRIED = [
  { image: 'baseline', tried: true, failures: {} },
  { image: 'head', tried: true, failures: {} },
];

withEngine('a bench.py that slows only the baseline is detected in containers', async () => {
  const { path, write, commit } = repository();
  write(
    'pacegate.yml',
    `version: 1
workload: { files: [bench.py], command: [python, bench.py], repetitions: 1, profiler: none }
variants: { official: { interpreter: official, python: "3.13" } }
metrics: { wall_time_s: { gate: false }, max_rss_bytes: { gate: false }, cpu_time_s: { limit: 20% } }
rules: { budget: 5m, blocks: 8 }
`,
  );
  write('bench.py', 'import app\napp.work()\n');
  write('app.py', application(2_000_000));
  commit('one');
  write('app.py', `NEW = True\n${application(2_000_000)}`);
  // The base's application does not have this name.
  write('bench.py', 'import app\nfor _ in range(1 if hasattr(app, "NEW") else 8):\n    app.work()\n');
  commit('two');
  const { tried, news, status, log } = await gated(path);
  expect({ status, tried, log: status === 0 ? '' : log }).toEqual({ status: 0, tried: BOTH_TRIED, log: '' });
  expect(news[0]).toBe('This change edits the measuring code (workload.files): bench.py changed.');
  expect(news[1]).toMatch(
    /^The two versions of the measuring code disagree in official: with the head's, on the baseline CPU time is \d+(\.\d)? % higher/,
  );
  expect(news[1]).toContain('The edit changes the sides by different amounts');
});

test('a load.py that sends more requests to the baseline is detected', async () => {
  const port = await freePort();
  const fixture = join(import.meta.dirname, '..', '..', 'fixtures', 'server');
  const { path, write, commit } = repository();
  cpSync(fixture, path, { recursive: true });
  const edit = (name: string, ...changes: readonly (readonly [string | RegExp, string])[]) => {
    const text = readFileSync(join(path, name), 'utf8');
    write(
      name,
      changes.reduce((before, [from, to]) => {
        const after = before.replace(from, to);
        expect(after).not.toBe(before);
        return after;
      }, text),
    );
  };
  edit(
    'pacegate.yml',
    ['[python, -m, service]', `[python, -m, service, "${port}"]`],
    [':8000/health', `:${port}/health`],
    ['[python, load.py]', `[python, load.py, --port, "${port}", --requests, "100"]`],
    [/official: .*/, 'here: { interpreter: host, python: python3 }'],
    ['max_rss_bytes: { limit: 5% }', 'max_rss_bytes: { gate: false }'],
    ['{ budget: 10m }', '{ budget: 10m, blocks: 8 }'],
  );
  commit('one');
  // The head's service has a page that the baseline's lacks. The head's load reads from it how much to send.
  edit('service/__main__.py', ['self.path == "/health"', 'self.path in ("/health", "/new")']);
  edit(
    'load.py',
    [
      '        for index in range(count):\n',
      `        connection.request("GET", "/new")
        page = connection.getresponse()
        page.read()
        times = 1 if page.status == 200 else 5
        for index in range(count * times):
`,
    ],
    ['            yield time.perf_counter() - began', '            seconds = time.perf_counter() - began'],
    [/(expected \{answer\}"\)\n)/, '$1            if index % times == 0:\n                yield seconds\n'],
  );
  commit('two');
  const { tried, news, log } = await gated(path);
  expect({ tried, log: news.length > 0 ? '' : log }).toEqual({ tried: BOTH_TRIED, log: '' });
  expect(news[0]).toBe('This change edits the measuring code (workload.files): load.py changed.');
  expect(news[1]).toMatch(
    /^The two versions of the measuring code disagree in here: with the head's, on the baseline /,
  );
  expect(news[1]).toMatch(/cpu_per_request.* is \d+(\.\d)? % higher/);
  expect(news[1]).toContain('The edit changes the sides by different amounts');
});
