import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareSession } from '../compare/compare.ts';
import { withNights } from '../compare/nights.ts';
import { image, night, session, twoSided } from '../compare/session.test-support.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import type { Session } from '../session/session.ts';
import { COMMENT_LIMIT, renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';
import { percent, quantity } from './words.ts';

/** The golden file of a report; UPDATE_GOLDEN=1 writes it anew. */
function golden(name: string, text: string) {
  const path = `fixtures/reports/${name}`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync('fixtures/reports', { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}

/** Two variants: a as given, b with a factor of its own. */
function twoVariants(a: readonly [number, number], b: readonly [number, number]): Session {
  const values = ([baseline, head]: readonly [number, number]) => ({
    wall_time_s: [0.412 * baseline, 0.412 * head] as const,
    cpu_time_s: [0.401 * baseline, 0.401 * head] as const,
    max_rss_bytes: [21_000_000, 21_000_000] as const,
    memory_peak_bytes: [30_000_000, 30_100_000] as const,
  });
  const first = twoSided(values(a), BUILT_IN_METRICS);
  const second = twoSided(values(b), BUILT_IN_METRICS);
  const rename = <Thing extends { variant: string }>(things: readonly Thing[], variant: string) =>
    things.map((thing) => ({ ...thing, variant }));
  const facts = {
    python: '3.13.5',
    implementation: 'CPython',
    executable: '/usr/local/bin/python3.13',
    compiler: 'GCC 14.2.0',
    libc: 'glibc 2.41',
  };
  return {
    ...first,
    variants: ['official', 'debian'],
    runs: [...rename(first.runs, 'official'), ...rename(second.runs, 'debian')],
    images: [...rename(first.images, 'official'), ...rename(second.images, 'debian')].map((one) => ({
      ...one,
      facts,
    })),
    source: {
      ...first.source,
      baseline: { commit: 'a'.repeat(40), dirty: false },
      head: { commit: 'b'.repeat(40), dirty: false },
    },
  };
}

const noHistory = [
  'There is no baseline history yet: run Pacegate on a schedule with mode: baseline to begin one.',
];
const budget = { seconds: 1200, spentSeconds: 1190, blocksLeftOut: 8, secondsLeftOut: 540 };
const without = (observed: Session, change: Partial<Session>): Session => ({ ...observed, ...change });
const nights = Array.from({ length: 16 }, (_, i) => night(i, 0.41 * (1 + (i % 5) / 300)));
const slower = twoVariants([1, 1.213], [1, 1.004]);

const cases: readonly (readonly [string, Session, readonly Session[], readonly string[]])[] = [
  ['regressed', slower, [], []],
  ['improved', twoVariants([1, 0.8], [1, 1]), [], []],
  ['unchanged', twoVariants([1, 1.002], [1, 1]), [], noHistory],
  [
    'inconclusive',
    without(twoVariants([1, 1.06], [1, 1]), {
      runs: twoVariants([1, 1.06], [1, 1]).runs.filter(({ block }) => block <= 4),
      budget,
    }),
    [],
    [],
  ],
  [
    'failed',
    without(slower, {
      runs: slower.runs.filter(({ variant }) => variant === 'official'),
      failures: [
        {
          variant: 'debian',
          side: 'head',
          stage: 'build',
          message:
            'debian (head): step [dependencies 3/4] RUN pip install failed with exit code 1\n  ERROR: No matching distribution found for nosuchpackage==1.0',
        },
      ],
    }),
    [],
    [],
  ],
  [
    'no-baseline',
    without(twoVariants([1, 1], [1, 1]), {
      runs: [],
      images: [],
      notes: ['There is no baseline to compare with: this is the first commit of the repository'],
    }),
    [],
    noHistory,
  ],
  [
    'identical',
    without(twoVariants([1, 1], [1, 1]), {
      runs: [],
      images: ['official', 'debian'].flatMap((variant) => [
        image(variant, 'baseline', variant),
        image(variant, 'head', variant),
      ]),
    }),
    [],
    [],
  ],
  ['nights', { ...twoSided({ wall_time_s: [0.42, 0.425] }), seed: 7 }, nights, []],
  [
    'stored-incomparable',
    without(twoSided({ wall_time_s: [0.42, 0.425] }), {
      sides: ['head'],
      rules: { ...session().rules, evidence: 'stored' },
      machine: { ...session().machine, cpuModel: 'another processor' },
    }),
    nights,
    [],
  ],
];

test.each(cases)(
  '%s reads as its golden report, in the comment and on a terminal',
  (name, observed, history, remarks) => {
    const comparison = compareSession(withNights(observed, history));
    golden(
      `${name}.md`,
      renderMarkdown(comparison, observed, { marker: '<!-- pacegate:pacegate -->', remarks }),
    );
    golden(`${name}.txt`, renderTerminal(comparison, observed, { colour: false, remarks }));
  },
);

describe('a comment of any size', () => {
  const many = (variants: number, message: string): Session => {
    const names = Array.from({ length: variants }, (_, i) => `variant-${i}`);
    const base = twoSided(
      { wall_time_s: [1, 1.2], cpu_time_s: [1, 1.2], max_rss_bytes: [1, 1.2] },
      BUILT_IN_METRICS,
    );
    return {
      ...base,
      variants: names,
      runs: names.flatMap((variant) => base.runs.map((run) => ({ ...run, variant }))),
      images: names.flatMap((variant) => base.images.map((one) => ({ ...one, variant }))),
      failures: names.slice(0, 20).map((variant) => ({ variant, side: 'head', stage: 'build', message })),
    };
  };
  test.each([
    [7, 'short'],
    [200, 'x'.repeat(1_000_000)],
    [1500, 'many\nlines\n'.repeat(1000)],
  ])('%d variants stay under the limit, whole, with a pointer to the rest', (variants, message) => {
    const observed = many(variants, message);
    const text = renderMarkdown(compareSession(observed), observed, {
      artifactUrl: 'https://example.org/artifact',
    });
    expect(text.length).toBeLessThan(COMMENT_LIMIT);
    expect(text.match(/<details/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    expect((text.match(/^`{3,}/gm)?.length ?? 0) % 2).toBe(0);
    expect(text).toContain(
      '[artifact](https://example.org/artifact)'.replace(
        '[artifact]',
        variants > 7 ? '[the artifact]' : '[artifact]',
      ),
    );
  });
});

test('nothing from outside becomes HTML, a mention, a link, a table cell or a fence', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      '<b>',
      '</details>',
      '@admin',
      '|',
      '`',
      '```',
      '\n',
      '[x](http://a)',
      '![i](u)',
      '#1',
      '\\',
      'www.a.b',
      '\u202e',
      '-->',
      'a',
    ),
    maxLength: 12,
  });
  fc.assert(
    fc.property(nasty, nasty, nasty, (variant, message, unit) => {
      const base = twoSided({ wall_time_s: [1, 1.2] });
      const observed: Session = {
        ...base,
        variants: [variant],
        runs: base.runs.map((run) => ({ ...run, variant, metrics: { ...run.metrics, tasks: 3 } })),
        images: base.images.map((one) => ({ ...one, variant, id: message })),
        machine: { ...base.machine, cpuModel: message, kernel: unit },
        notes: [message],
        failures: [{ variant, side: 'head', stage: 'workload', message: `${message}\n${unit}` }],
        declaredMetrics: { tasks: { unit } },
        workload: { ...base.workload, command: [message, unit] },
      };
      const text = renderMarkdown(compareSession(observed), observed);
      const outside = text
        .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
        .replace(/`[^`\n]*`/g, '')
        .replace(/<\/?details( open)?>|<\/?summary>/g, '');
      expect(outside).not.toMatch(/[<>]/);
      expect(outside).not.toMatch(/@[a-z]/);
      expect(outside).not.toMatch(/:\/\//);
      expect(outside).not.toMatch(/(?<!\\)\]\(/);
      for (const block of text.split('\n\n').filter((part) => part.startsWith('| ')))
        for (const row of block.trim().split('\n'))
          expect(row.replace(/\\\|/g, '').match(/\|/g)?.length).toBe(
            block.split('\n')[0]?.replace(/\\\|/g, '').match(/\|/g)?.length,
          );
      expect(renderTerminal(compareSession(observed), observed, { colour: false })).not.toContain('\u202e');
    }),
    { numRuns: 200 },
  );
});

test('colours only where they are asked for', () => {
  const comparison = compareSession(slower);
  expect(renderTerminal(comparison, slower, { colour: false })).not.toContain('\u001b');
  expect(renderTerminal(comparison, slower, { colour: true })).toContain('\u001b');
});

test.each([
  [0.213, '+21.3 %'],
  [-0.004, '−0.4 %'],
  [0.0002, '±0.0 %'],
  [2.4, '+240 %'],
  [null, '–'],
])('the fraction %s is %s', (fraction, text) => expect(percent(fraction)).toBe(text));

test.each([
  [0.41234, 's', '412.3 ms'],
  [12.3456, 's', '12.35 s'],
  [0.0000421, 's', '42.10 µs'],
  [21_000_000, 'bytes', '20.03 MiB'],
  [512, 'bytes', '512.0 B'],
  [0, 'bytes', '0 B'],
  [12_345, 'tasks', '12345 tasks'],
  [null, 's', '–'],
])('%s in %s is %s', (value, unit, text) => expect(quantity(value, unit)).toBe(text));
