import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PacegateError } from '../errors/errors.ts';
import { readResults } from '../measure/results/read.ts';
import { readProbeAnswer } from '../measure/probe-answer.ts';
import { resolvePlan } from '../plan/resolve.ts';
import { namesIn, parseFormula } from '../session/formula.ts';
import { matchesPattern } from '../session/patterns.ts';
import { parseSessionFile } from '../session/read.ts';
import { parseTimings } from '../session/timings.ts';

/** Every parser on text that no tool wrote, from a fixed seed: an answer or a refusal in words, and nothing else. */

/** Far above what any of these takes, far below what is not linear. */
const LIMIT_MS = 5000;

const parsers: readonly (readonly [string, (text: string) => unknown])[] = [
  ['results file', readResults],
  ['session', (text) => parseSessionFile(text, 'f')],
  ['timings', (text) => parseTimings(text, 'f')],
  ['configuration', (text) => resolvePlan({ text, file: 'f.yml', root: '/' })],
  ['formula', (text) => [parseFormula(text)].map((formula) => formula && namesIn(formula))],
  ['pattern', (text) => matchesPattern(text, 'test_sort_10')],
  ['probe answer', (stdout) => readProbeAnswer({ status: 0, stdout, stderr: '' })],
];

const words = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\n',
    ' ',
    '*',
    '(',
    ')',
    '-',
    '+',
    '/',
    '1',
    '1e308',
    'NaN',
    'null',
  ],
  ...['constructor', '__proto__', 'toString', 'metrics', 'results', 'benchmarks', 'version: 1', 'workload:'],
  ...[
    '"result_columns"',
    '"exit_codes"',
    '"stats"',
    '? ',
    '- ',
    '&a ',
    '*a',
    '<<: ',
    '\uFEFF',
    '\u0000',
    'test_',
  ],
  ...['session,side,variant,block,position,metric,value,outcome', 's,head,a,1,0,x,1,ok', '"format":'],
);
const text = fc.oneof(
  fc.array(words, { maxLength: 60 }).map((some) => some.join('')),
  fc.json({ maxDepth: 5 }),
  fc.string({ maxLength: 200, unit: 'binary' }),
);

test.each(parsers)('the parser of a %s answers or refuses in words', (_, parse) => {
  fc.assert(
    fc.property(text, (given) => {
      const begun = performance.now();
      try {
        parse(given);
      } catch (error) {
        if (!(error instanceof PacegateError)) throw error;
        expect(error.message.length).toBeLessThan(6000);
      }
      expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
    }),
    { seed: 11, numRuns: Number(process.env['FUZZ_RUNS'] ?? 400) },
  );
  expect(Object.keys(Object.prototype)).toEqual([]);
});
