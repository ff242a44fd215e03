import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { freePort } from '../process/engine.test-support.ts';
import { parseSession } from '../session/read.ts';
import { readTimelines } from '../session/timeline.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { namedAsCause } from './causes.test-support.ts';
import { gateLastCommit } from './terminal.test-support.ts';

/** The text service (fixtures/server), gated under load by this machine's own Python. */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const FIXTURE = join(import.meta.dirname, '..', '..', 'fixtures', 'server');

interface Row {
  readonly metric: string;
  readonly verdict: string;
  readonly change: { readonly estimate: number };
}

test('a loss in the work of each request is found in the cost of a request', async () => {
  const port = await freePort();
  const made = repository();
  cpSync(FIXTURE, made.path, { recursive: true });
  made.write(
    'pacegate.yml',
    readFileSync(join(FIXTURE, 'pacegate.yml'), 'utf8')
      .replace('[python, -m, service]', `[python, -m, service, "${port}"]`)
      .replace(':8000/health', `:${port}/health`)
      .replace('[python, load.py]', `[python, load.py, --port, "${port}", --requests, "200"]`)
      .replace(/official: .*/, 'here: { interpreter: host, python: python3 }')
      .replace('{ budget: 10m }', '{ budget: 10m, blocks: 8 }'),
  );
  made.commit('one');
  const work = readFileSync(join(FIXTURE, 'service/summary.py'), 'utf8');
  made.write('service/summary.py', work.replace('ROUNDS = 12', 'ROUNDS = 24'));
  made.commit('slower');
  const { status, out, log } = await gateLastCommit(made.path);
  expect({ status, log: status === 1 ? '' : log }).toEqual({ status: 1, log: '' });
  const { results } = JSON.parse(out) as { results: readonly Row[] };
  const row = (name: string) => results.find(({ metric }) => metric === name);
  expect(row('cpu_per_request')).toMatchObject({ verdict: 'regressed' });
  expect(row('cpu_per_request')?.change.estimate).toBeGreaterThan(0.3);
  expect(row('max_rss_bytes')?.verdict).not.toBe('regressed');
  for (const name of ['ready_time_s', 'stop_time_s', 'load_cpu_time_s', 'requests_per_s', 'wall_time_s'])
    expect(row(name)).toMatchObject({ verdict: 'info' });

  const folder = join(made.path, 'pacegate-out');
  const session = parseSession(readFileSync(join(folder, 'session.json'), 'utf8'), 'session.json');
  expect(namedAsCause(session)).toEqual(['one_pass']);
  expect(session.workload).toMatchObject({
    repetitions: { here: 1 },
    server: { ready: `http://127.0.0.1:${port}/health`, warmUp: 1, stop: 'SIGTERM' },
  });
  expect(session.runs.map(({ metrics }) => metrics['requests'])).toEqual(Array<number>(16).fill(200));
  const timelines = readTimelines(readFileSync(join(folder, 'timeline.jsonl'), 'utf8'), 'timeline.jsonl');
  expect(timelines).toHaveLength(16);
  for (const { source, samples } of timelines)
    expect({ source, seen: samples.length > 0 }).toEqual({ source: 'processes', seen: true });
});
