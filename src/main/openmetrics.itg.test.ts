import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import { stringify } from 'yaml';
import { compareSession } from '../verdict/compare.ts';
import { drawn } from '../session/session.test-support.ts';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import { withTimelines } from '../report/openmetrics.test-support.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { BUILT_IN_METRICS, DESCRIBED_METRICS } from '../session/metric.ts';
import { readTimelines } from '../session/timeline.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';

/** Checks an export with Prometheus' own tool. */

jest.setTimeout(600_000);
const PROMTOOL = toolPath('promtool');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pacegate-openmetrics-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  removeTemporaryFolders();
});

interface Said {
  readonly status: number | null;
  readonly out: string;
  readonly complaints: string;
}
function promtool(args: readonly string[], input = ''): Said {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { input, encoding: 'utf8' });
  return { status, out: stdout, complaints: stderr.trim() };
}

let made = 0;
/** Parses a text with Prometheus' OpenMetrics parser and stores it as a server's block. */
function stored(text: string): Said & { readonly samples: number; readonly blocks: string } {
  const file = join(folder, `export-${++made}.txt`);
  writeFileSync(file, text);
  const blocks = join(folder, `blocks-${made}`);
  const said = promtool(['tsdb', 'create-blocks-from', 'openmetrics', file, blocks]);
  // ULID, first and last time, duration, samples, chunks, series, size.
  const samples = said.out
    .split('\n')
    .slice(1)
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[4] ?? 0), 0);
  return { ...said, samples, blocks };
}

/**
 * The text in Prometheus' older format, because the linter reads only that one: no `info`, a counter's own name, and
 * times in whole milliseconds.
 */
const olderFormat = (text: string) =>
  text
    .replaceAll(/^# (TYPE|HELP) (\S+_cpu_seconds)( counter| CPU)/gm, '# $1 $2_total$3')
    .replaceAll(/^# TYPE (\S+) info$/gm, '# TYPE $1_info gauge')
    .replaceAll(/^# HELP (pacegate_(?:session|run|gate|verdict)) /gm, '# HELP $1_info ')
    .replaceAll(/ (\d+\.?\d*)$/gm, (_, seconds: string) => ` ${Math.round(Number(seconds) * 1000)}`);

const samplesIn = (text: string) => text.split('\n').filter((line) => line.startsWith('pacegate_')).length;

/** All metrics, names that need escaping, and a timeline. */
function everything(): string {
  const level = { level: 10, change: 0.1, spread: 0.01 };
  const names = DESCRIBED_METRICS.filter((metric) => metric.of === 'run').map(({ name }) => name);
  const metrics = Object.fromEntries([...names, 'latency_ms', 'Requests.total'].map((name) => [name, level]));
  const session = drawn(
    { 'a "b" \\ c': metrics, official: metrics },
    { blocks: 8, metrics: BUILT_IN_METRICS },
  );
  const odd = { ...session, configuration: 'two\nlines é 🐍 \u2028 \\' };
  return renderOpenMetrics({
    sessions: [odd],
    comparison: compareSession(odd),
    timelines: withTimelines(odd),
  });
}

describe('promtool', () => {
  withTool(PROMTOOL)('stores a session with its timeline, every sample of it', () => {
    const text = everything();
    const { status, complaints, samples } = stored(text);
    expect({ status, complaints }).toEqual({ status: 0, complaints: '' });
    expect(samplesIn(text)).toBeGreaterThan(500);
    expect(samples).toBe(samplesIn(text));
  });

  withTool(PROMTOOL)('has nothing against its names, types and help', () => {
    expect(promtool(['check', 'metrics'], olderFormat(everything()))).toEqual({
      status: 0,
      out: '',
      complaints: '',
    });
  });

  withTool(PROMTOOL)('and it would report a wrong name, a family in two places and a truncated text', () => {
    const text = everything();
    const named = promtool(
      ['check', 'metrics'],
      olderFormat(text).replaceAll('_cpu_seconds_total', '_cpu_seconds'),
    );
    expect(named.status).not.toBe(0);
    expect(named.complaints).toContain('"_total" suffix');
    expect(
      stored(
        text.replace(
          '# UNIT pacegate_timeline_memory_bytes bytes',
          '# UNIT pacegate_timeline_memory_bytes s',
        ),
      ).status,
    ).not.toBe(0);
    expect(stored(text.replace('# EOF\n', '')).status).not.toBe(0);
  });

  withTool(PROMTOOL)('reads every query of the dashboard', () => {
    const { panels } = JSON.parse(readFileSync('examples/grafana-dashboard.json', 'utf8')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const rules = panels
      .flatMap(({ targets }) => targets)
      .map(({ expr }, index) => ({
        record: `panel:query:${index}`,
        expr: expr.replaceAll('$__range', '1h').replaceAll('$window', '2s').replaceAll(/\$\w+/g, '.*'),
      }));
    const file = join(folder, 'rules.yml');
    writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, out, complaints } = promtool(['check', 'rules', file]);
    expect({ status, complaints }).toEqual({ status: 0, complaints: '' });
    expect(out).toContain(`${rules.length} rules found`);
  });

  withTool(PROMTOOL)(
    'stores what a run on this machine left, and the same text is printed from its files',
    () => {
      const { path, write, commit } = repository();
      write(
        '.github/pacegate.yml',
        'version: 1\nworkload: { files: [bench.py], command: [python, bench.py], timeout: 60s }\nvariants:\n  here: { interpreter: host, python: python3 }\nrules: { blocks: 6 }\n',
      );
      write(
        'bench.py',
        'import time\ns = time.process_time()\nwhile time.process_time() - s < 0.6: pass\ntime.sleep(0.5)\n',
      );
      commit('one');
      const cli = (...args: string[]) =>
        spawnSync(
          process.execPath,
          ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, '..', 'cli.ts'), ...args],
          { cwd: path, encoding: 'utf8' },
        );
      const run = cli('run', '--format', 'openmetrics');
      expect(run.status).toBe(0);
      const written = readFileSync(join(path, 'pacegate-out/openmetrics.txt'), 'utf8');
      expect(run.stdout.trim()).toBe(written.trim());
      expect(cli('report', 'pacegate-out/session.json', '--format', 'openmetrics').stdout.trim()).toBe(
        written.trim(),
      );

      const timelines = readTimelines(
        readFileSync(join(path, 'pacegate-out/timeline.jsonl'), 'utf8'),
        'timeline.jsonl',
      );
      expect(timelines.length).toBeGreaterThanOrEqual(6);
      for (const { samples, block } of timelines) {
        expect(block).toBeGreaterThanOrEqual(1);
        expect(samples.length).toBeGreaterThanOrEqual(3);
        expect(samples.at(-1)![1]).toBeGreaterThan(0.5);
        expect(samples.at(-1)![1]).toBeLessThan(2);
      }

      const { status, complaints, samples, blocks } = stored(written);
      expect({ status, complaints }).toEqual({ status: 0, complaints: '' });
      expect(samples).toBe(samplesIn(written));
      // The tool requires a server's write-ahead log.
      mkdirSync(join(blocks, 'wal'));
      expect(
        promtool(['tsdb', 'dump', '--match={__name__="pacegate_timeline_cpu_seconds_total"}', blocks]).out,
      ).toContain('variant="here"');
    },
  );

  withTool(PROMTOOL)('and timings without times are refused, with what to do', () => {
    const file = join(folder, 'timings.csv');
    writeFileSync(
      file,
      'session,side,variant,block,position,metric,value,outcome\ns,head,a,1,0,wall_time_s,1,ok\n',
    );
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'compare', file, '--format', 'openmetrics'],
      { encoding: 'utf8' },
    );
    expect(status).toBe(2);
    expect(stderr).toContain('session.json');
  });
});
