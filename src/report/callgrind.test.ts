import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { withTool } from '../process/engine.test-support.ts';
import type { CallGraph } from '../session/profile.ts';
import { renderCallgrind } from './callgrind.ts';
import { renderSpeedscope } from './speedscope.ts';

/** main calls work (3 of 4 s) and itself; work calls a built-in; a thread is a second root. */
const graph: CallGraph = {
  kind: 'time',
  functions: [
    { file: 'app.py', name: 'work', line: 12, calls: 30, own: 2, total: 3 },
    { file: '', name: '<built-in method builtins.sorted>', line: 0, calls: 90, own: 1, total: 1 },
    { file: 'app.py', name: 'Thread.run', line: 40, calls: 2, own: 0.5, total: 1.5 },
    { file: 'app.py', name: 'main', line: 1, calls: 1, own: 0.25, total: 2.25 },
  ],
  calls: [
    { caller: 3, callee: 0, calls: 20, own: 1.334, total: 2 },
    { caller: 2, callee: 0, calls: 10, own: 0.666, total: 1 },
    { caller: 0, callee: 1, calls: 90, own: 1, total: 1 },
    { caller: 3, callee: 3, calls: 1, own: 0.1, total: 0.1 },
  ],
  stacks: [],
  own: 3.75,
  processes: 1,
  notes: [],
};

const hostile: CallGraph = {
  ...graph,
  functions: graph.functions.map((one) => ({ ...one, name: `${one.name}\nfn=(9) x`, file: 'a\r\nb (1).py' })),
};

describe('callgrind format', () => {
  test('each function with its cost and its calls; names are written once', () => {
    const text = renderCallgrind(graph, 'python bench.py');
    expect(text).toContain(
      [
        'fl=(1) app.py',
        'fn=(1) work',
        '12 2000000000',
        'cfl=(2) <built in>',
        'cfn=(2) <built-in method builtins.sorted>',
        'calls=90 0',
        '12 1000000000',
      ].join('\n'),
    );
    expect(text.match(/Thread\.run/g)).toHaveLength(1);
    expect(text).toContain('summary: 3750000000\n');
  });

  test('a name cannot begin a line', () => {
    expect(renderCallgrind(hostile, 'a\nb')).not.toMatch(/^(fn=\(9\)|b)/m);
  });

  // The tool is from Debian's valgrind, which also counts instructions.
  withTool('/usr/bin/callgrind_annotate')('its own tool reads it, with the sums that it was made of', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pacegate-callgrind-'));
    try {
      const file = join(folder, 'out.callgrind');
      writeFileSync(file, renderCallgrind(graph, 'python bench.py'));
      const { status, stdout, stderr } = spawnSync(
        'callgrind_annotate',
        ['--inclusive=no', '--auto=no', file],
        {
          encoding: 'utf8',
        },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const figures = Object.fromEntries(
        [...stdout.matchAll(/^\s*([\d,]+) .*?(?:app\.py|<built in>):(.+?)(?: \[.*)?$/gm)].map(
          ([, ns = '', name = '']) => [name, Number(ns.replaceAll(',', ''))],
        ),
      );
      expect(figures).toEqual({
        work: 2e9,
        '<built-in method builtins.sorted>': 1e9,
        'Thread.run': 0.5e9,
        main: 0.25e9,
      });
      expect(stdout).toMatch(/3,750,000,000 .*PROGRAM TOTALS/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('speedscope', () => {
  interface Scope {
    shared: { frames: { name: string }[] };
    profiles: [{ samples: number[][]; weights: number[]; endValue: number; name: string; unit: string }];
  }
  const scopeOf = (of: CallGraph) => JSON.parse(renderSpeedscope(of, 'official-head-time')) as Scope;
  const stacksOf = (of: CallGraph) => {
    const { shared, profiles } = scopeOf(of);
    const [{ samples, weights }] = profiles;
    return Object.fromEntries(
      samples.map((frames, index) => [
        frames.map((frame) => shared.frames[frame]?.name).join(' > '),
        Number(weights[index]?.toFixed(3)),
      ]),
    );
  };

  test('matches its schema', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('speedscope/package.json'));
    const schema = JSON.parse(
      readFileSync(join(folder, 'dist/release/file-format-schema.json'), 'utf8'),
    ) as Record<string, unknown>;
    // The schema is of draft 4, which ajv reads only without `$schema`.
    delete schema['$schema'];
    const validate = new Ajv({ strict: false }).compile(schema);
    for (const one of [graph, hostile, { ...graph, kind: 'memory' as const }]) {
      validate(scopeOf(one));
      expect(validate.errors).toBeNull();
    }
    validate({ ...scopeOf(graph), profiles: [{ type: 'sampled' }] });
    expect(validate.errors).not.toBeNull();
  });

  test('the profiler’s stacks are drawn unchanged', () => {
    const seen = { ...graph, stacks: [{ frames: [3, 0], own: 1.5 }] };
    expect(stacksOf(seen)).toEqual({ 'main > work': 1.5 });
    expect(scopeOf(seen).profiles[0]).toMatchObject({
      name: 'official-head-time',
      endValue: 1.5,
      unit: 'seconds',
    });
  });

  test('else a function’s time is divided among its callers, and all of it stays', () => {
    expect(stacksOf(graph)).toEqual({
      main: 0.25,
      'main > work': 1.333,
      'main > work > <built-in method builtins.sorted>': 0.667,
      'Thread.run': 0.5,
      'Thread.run > work': 0.667,
      'Thread.run > work > <built-in method builtins.sorted>': 0.333,
    });
    expect(scopeOf(graph).profiles[0].endValue).toBeCloseTo(3.75);
    expect(scopeOf(graph).profiles[0].name).toMatch(/estimated/);
  });

  test('a graph with more paths than can be walked ends, though nothing in it takes any time', () => {
    const n = 40;
    const functions = Array.from({ length: n }, (_, index) => ({
      ...{ file: 'a.py', name: `f${index}`, line: 1, calls: 1, own: 0 },
      total: index === 0 ? 1000 : 1,
    }));
    const calls = functions.flatMap((_, caller) =>
      functions.map((__, callee) => ({ caller, callee, calls: 1, own: 0, total: 1 })),
    );
    expect(stacksOf({ ...graph, functions, calls, own: 0 })).toEqual({});
  });

  test('functions that call each other recursively end', () => {
    const ring = {
      ...graph,
      calls: [...graph.calls, { caller: 1, callee: 3, calls: 5, own: 0.1, total: 2 }],
    };
    expect(Object.keys(stacksOf(ring)).length).toBeLessThan(20);
  });
});
