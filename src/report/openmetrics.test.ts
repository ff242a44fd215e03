import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareSession } from '../verdict/compare.ts';
import { drawn, twoSided } from '../session/session.test-support.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { withTimelines } from './openmetrics.test-support.ts';
import { renderOpenMetrics } from './openmetrics.ts';

const SESSION = drawn(
  {
    official: {
      wall_time_s: { level: 0.4, change: 0.1, spread: 0.01 },
      max_rss_bytes: { level: 21_000_000, change: 0, spread: 0.001 },
      tasks: { level: 7, change: 0, spread: 0.001 },
    },
  },
  { blocks: 8, metrics: BUILT_IN_METRICS },
);
const exported = (session: Session = SESSION) =>
  renderOpenMetrics({
    sessions: [session],
    comparison: compareSession(session),
    timelines: withTimelines(session),
  });

/** The lines with a sample's name. */
const samples = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`));

test('a whole session is as it was looked through', () => {
  const path = 'fixtures/reports/openmetrics.txt';
  const text = exported(twoSided({ wall_time_s: [0.4, 0.44], tasks: [7, 7] }));
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync('fixtures/reports', { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
});

describe('the rules of the format', () => {
  const text = exported();

  test('ends in its mark, and nothing behind it', () => {
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text.match(/# EOF/g)).toHaveLength(1);
  });

  test('every family is declared once, before its samples, which are together and have the suffix of their type', () => {
    const seen = new Set<string>();
    let family: { name: string; type: string } | undefined;
    for (const line of text.split('\n').slice(0, -2)) {
      const type = /^# TYPE (\S+) (gauge|counter|info)$/.exec(line);
      if (type !== null) {
        const [, name = '', kind = ''] = type;
        expect(seen).not.toContain(name);
        seen.add(name);
        family = { name, type: kind };
        continue;
      }
      const unit = /^# UNIT (\S+) (\S+)$/.exec(line);
      if (unit !== null) {
        expect(unit[1]).toBe(family?.name);
        expect(family?.name.endsWith(`_${unit[2]}`)).toBe(true);
      } else if (line.startsWith('#')) expect(line).toMatch(new RegExp(`^# HELP ${family?.name} \\S`));
      else {
        const suffix = { gauge: '', counter: '_total', info: '_info' }[family?.type ?? ''];
        expect(line.slice(0, line.indexOf('{'))).toBe(`${family?.name}${suffix}`);
        expect(line).toMatch(/\} -?\d+(\.\d+)?(e[+-]?\d+)? \d+(\.\d+)?$/);
      }
    }
    expect(seen.size).toBeGreaterThan(10);
  });

  test('names that hold quotes, backslashes and line breaks stay inside their label', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        const session = twoSided({ wall_time_s: [1, 1] });
        const hostile = { ...session, configuration: name };
        const [line = ''] = samples(renderOpenMetrics({ sessions: [hostile] }), 'pacegate_session_info');
        const value = /configuration="((?:[^"\\\n]|\\["\\n])*)",purpose=/.exec(line)?.[1];
        expect(value?.replace(/\\(.)/g, (_, sign) => (sign === 'n' ? '\n' : String(sign)))).toBe(name);
      }),
    );
    const half = { ...twoSided({ wall_time_s: [1, 1] }), configuration: 'a\ud800b' };
    expect(renderOpenMetrics({ sessions: [half] })).toContain('configuration="a\ufffdb"');
  });
});

describe('its content', () => {
  test('every run’s metrics at the time when it started, and no warm-up', () => {
    const text = exported();
    const runs = samples(text, 'pacegate_run_wall_time_seconds');
    expect(runs).toHaveLength(16);
    const run = SESSION.runs[5]!;
    expect(runs).toContain(
      `pacegate_run_wall_time_seconds{session="this",variant="official",side="${run.side}",block="${run.block}",position="${run.position}"} ${run.metrics['wall_time_s']} ${Date.parse(run.started) / 1000}`,
    );
    expect(text).not.toContain('block="0"');
  });

  test('a workload’s own metric under one name, with its unit', () => {
    const session = {
      ...twoSided({ wall_time_s: [1, 1], 'x.y/z-total': [3, 3] }),
      declaredMetrics: { 'x.y/z-total': { unit: 'req/s' } },
    };
    expect(samples(exported(session), 'pacegate_run_metric')[0]).toContain(
      'metric="x.y/z-total",unit="req/s"} 3 ',
    );
  });

  test('the verdict and the change with its interval; nothing of them where nothing was judged', () => {
    const comparison = compareSession(SESSION);
    const row = comparison.rows.find(({ metric }) => metric === 'wall_time_s')!;
    const text = exported();
    expect(row.verdict).toBe('regressed');
    expect(samples(text, 'pacegate_verdict_info').join('\n')).toContain(
      'variant="official",metric="wall_time_s",unit="s",verdict="regressed",evidence="paired",gated="true"} 1 ',
    );
    const labels = '{session="this",variant="official",metric="wall_time_s"}';
    for (const figure of ['estimate', 'low', 'high'] as const)
      expect(text).toContain(`pacegate_change_${figure}_ratio${labels} ${row.change[figure]} `);
    expect(renderOpenMetrics({ sessions: [SESSION] })).not.toMatch(/pacegate_(change|verdict|gate)/);
  });

  test('a run that failed has its outcome and no metric; a try that was repeated is not there', () => {
    const session = twoSided({ wall_time_s: [1, 1] });
    const [first, ...rest] = session.runs;
    const dead = { ...first!, outcome: 'oom' as const, metrics: {} };
    const text = exported({ ...session, runs: [dead, ...rest] });
    expect(samples(text, 'pacegate_run_info').filter((line) => line.includes('outcome="oom"'))).toHaveLength(
      1,
    );
    expect(samples(text, 'pacegate_run_wall_time_seconds')).toHaveLength(23);
    const again = {
      ...session,
      runs: [
        { ...dead, outcome: 'engine' as const },
        ...session.runs.map((run) => (run.block === 1 ? { ...run, attempt: 1 } : run)),
      ],
    };
    expect(samples(exported(again), 'pacegate_run_info')).toHaveLength(24);
    // The timeline of the discarded try is left out too.
    const [stale] = withTimelines({ ...session, runs: [first!] });
    const both = renderOpenMetrics({ sessions: [again], timelines: [stale!] });
    expect(both).not.toContain('pacegate_timeline');
  });

  test('the timeline at its samples’ times, only of this session, and once for a run that is there twice', () => {
    const [line] = withTimelines(SESSION);
    const start = Date.parse(line!.started) / 1000;
    const text = renderOpenMetrics({
      sessions: [SESSION],
      timelines: [
        { ...line!, session: 'other' },
        { ...line!, samples: [[0, 0, 0, 0]] },
        { ...line!, samples: [...line!.samples, [0.1, 9, 9, 9]] },
      ],
    });
    expect(samples(text, 'pacegate_timeline_cpu_seconds_total').map((one) => one.split('} ')[1])).toEqual(
      line!.samples.map(([t, cpu]) => `${cpu} ${Math.round((start + t) * 1000) / 1000}`),
    );
    expect(samples(text, 'pacegate_timeline_memory_bytes')).toHaveLength(line!.samples.length);
    expect(samples(text, 'pacegate_timeline_anonymous_memory_bytes')).toHaveLength(line!.samples.length - 1);
  });
});

describe('the dashboard', () => {
  const dashboard = JSON.parse(readFileSync('examples/grafana-dashboard.json', 'utf8')) as {
    [field: string]: unknown;
    panels: {
      id: number;
      type: string;
      title: string;
      gridPos: Record<'x' | 'y' | 'w' | 'h', number>;
      datasource: unknown;
      targets: { refId: string; expr: string; datasource: unknown }[];
    }[];
    templating: { list: { name: string; type: string; query: string | { query: string } }[] };
  };
  const queries = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.map(({ query }) => (typeof query === 'string' ? query : query.query)),
  ];

  test('asks for nothing that the export does not have, by label or by name', () => {
    const session = twoSided(
      { wall_time_s: [1, 2], cpu_time_s: [1, 2], max_rss_bytes: [1e7, 1e7] },
      BUILT_IN_METRICS,
    );
    const text = exported(session);
    const names = new Set(queries.flatMap((query) => query.match(/pacegate_\w+/g) ?? []));
    expect(names.size).toBeGreaterThanOrEqual(9);
    for (const name of names) expect(samples(text, name).length).toBeGreaterThan(0);
    for (const query of queries) {
      const name = /pacegate_\w+/.exec(query)?.[0];
      if (name === undefined) continue;
      const [line = ''] = samples(text, name);
      const asked = [...query.matchAll(/(\w+)=~?"/g), ...query.matchAll(/label_values\(\w+, (\w+)\)/g)].map(
        ([, label]) => label,
      );
      const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
      for (const label of [...asked, ...grouped]) expect(line).toContain(`${label}="`);
    }
  });

  test('has what Grafana needs of it, and variables that are all there', () => {
    expect(dashboard).toMatchObject({
      title: 'Pacegate',
      uid: 'pacegate',
      schemaVersion: expect.any(Number),
      time: { from: expect.any(String), to: expect.any(String) },
    });
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const panel of dashboard.panels) {
      expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
      expect(panel.targets.length).toBeGreaterThan(0);
      expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(panel).toMatchObject({
        type: expect.any(String),
        title: expect.any(String),
        fieldConfig: expect.anything(),
      });
    }
    const known = new Set([...dashboard.templating.list.map(({ name }) => name), '__range']);
    for (const query of queries)
      for (const [, name = ''] of query.matchAll(/\$\{?(\w+)\}?/g)) expect(known).toContain(name);
    const titles = dashboard.panels.map(({ title }) => title);
    expect(titles).toEqual(expect.arrayContaining(['CPU in use', 'Memory in use', 'Median wall time']));
  });
});
