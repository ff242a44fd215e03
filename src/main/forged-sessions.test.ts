import { expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { compareParts } from '../verdict/merge.ts';
import { assembleParts } from '../verdict/parts.ts';
import { drawn, simulated } from '../session/session.test-support.ts';
import { PacegateError } from '../errors/errors.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { renderTerminal } from '../report/terminal.ts';
import { partsOf } from '../session/merged.ts';
import { parseSessionFile } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { renderTimings } from '../session/timings.ts';
import { drawFrom, forgedJson } from './forged.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

/**
 * Forged or damaged sessions are rejected or judged, and never crash the program. A file of this size takes
 * milliseconds. The limit is far above that, and far below the time of a superlinear algorithm.
 */
const LIMIT_SECONDS = 10;

/** Processor time, which excludes other processes. */
const spentSince = (begun: NodeJS.CpuUsage) => process.cpuUsage(begun).user / 1e6;

/**
 * Runs all steps for a session from outside.
 * @returns the message of a rejection
 */
function whole(text: string): string | undefined {
  try {
    const file = parseSessionFile(text, 'forged.json');
    for (const session of partsOf(file)) {
      const comparison = compareSession(session);
      renderMarkdown(comparison, session, {});
      renderTerminal(comparison, session, { colour: false });
      renderTimings(session);
      renderOpenMetrics({ sessions: [session], comparison, timelines: [] });
    }
    compareParts(assembleParts(partsOf(file).map((session) => ({ session, file: 'forged.json' }))));
    return undefined;
  } catch (error) {
    if (error instanceof PacegateError) return error.message;
    throw error;
  }
}

const honest = drawn(
  {
    a: { wall_time_s: { level: 1, change: 0.05, spread: 0.01 } },
    b: { wall_time_s: { level: 2, change: 0, spread: 0.01 } },
  },
  { blocks: 12 },
);

const forged = (seed: number) => forgedJson(honest, drawFrom(seed));

test('200 forged sessions are refused with a message or judged, each without delay', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const begun = process.cpuUsage();
    let message: string | undefined;
    try {
      message = whole(forged(seed));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    expect((message ?? '').length).toBeLessThan(5000);
    expect([seed, spentSince(begun) < LIMIT_SECONDS]).toEqual([seed, true]);
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

const changed = (change: Partial<Record<keyof Session, unknown>>) => JSON.stringify({ ...honest, ...change });
const many = <Thing>(count: number, thing: (index: number) => Thing) =>
  Array.from({ length: count }, (_, index) => thing(index));

test.each<[string, () => string, RegExp]>([
  [
    '60,000 blocks',
    () => changed({ runs: many(60_000, () => 0) }),
    /runs: found 60000; must be at most 20000/,
  ],
  [
    'shards without number',
    () => changed({ shard: { index: 1, of: 1e9, tests: 2, variants: ['a', 'b'] } }),
    /shard\.of: /,
  ],
  ['an alpha below all', () => changed({ rules: { ...honest.rules, alpha: 1e-308 } }), /rules\.alpha: /],
  ['brackets in brackets', () => '['.repeat(1e6), /found 51 nested lists and objects/],
  ['objects in objects', () => '{"a":'.repeat(1e6), /found 51 nested lists and objects/],
  ['lists without number', () => `[${'[],'.repeat(6e5)}0]`, /found 600001 lists and objects/],
  ['values without number', () => `[${'0,'.repeat(4_000_001)}0]`, /found 4000001 values/],
  ['backslashes', () => `"${'\\'.repeat(4e6)}`, /not JSON/],
  [
    'more variants than there are',
    () => changed({ variants: many(3000, (index) => `v${index}`) }),
    /variants: found 3000; must be at most 2000/,
  ],
  [
    'rules without number',
    () =>
      changed({
        rules: {
          ...honest.rules,
          metrics: many(7000, (n) => ({ ...honest.rules.metrics[0], name: `m${n}` })),
        },
      }),
    /found 7000 metrics with a rule; must be at most 6000/,
  ],
  ['a variant twice', () => changed({ variants: ['a', 'b', 'a'] }), /variants: found "a" twice/],
])('%s: refused before anything is made of it', (_, text, message) => {
  const begun = process.cpuUsage();
  expect(whole(text())).toMatch(message);
  expect(spentSince(begun)).toBeLessThan(LIMIT_SECONDS);
});

test('the longest session that is read is judged in seconds', () => {
  const long = simulated({ noise: 0.02, blocks: 10_000, seed: 1 });
  const begun = process.cpuUsage();
  expect(whole(JSON.stringify(long))).toBeUndefined();
  expect(spentSince(begun)).toBeLessThan(3 * LIMIT_SECONDS);
});

test.each(['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'prototype'])(
  'a variant and a metric called %s go the whole way',
  (name) => {
    const rename = <Thing extends { readonly variant: string }>(thing: Thing) => ({
      ...thing,
      variant: name,
    });
    const session = drawn(
      { [name]: { [name === '__proto__' ? 'proto' : name]: { level: 1, change: 0.2, spread: 0.001 } } },
      {
        blocks: 12,
        metrics: [metricRule(name === '__proto__' ? 'proto' : name, { unit: '' })],
      },
    );
    const own = {
      ...session,
      variants: [name],
      images: session.images.map(rename),
      runs: session.runs.map(rename),
      warmup: session.warmup.map(rename),
    };
    expect(whole(JSON.stringify(own))).toBeUndefined();
    const read = parseSessionFile(JSON.stringify(own), 'f') as Session;
    expect(compareSession(read).verdict).toBe('regressed');
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
);
