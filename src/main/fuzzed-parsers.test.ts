import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readResults } from '../measure/results/read.ts';
import { PARSERS, readAs } from './parsers.test-support.ts';

/** Every parser with random text: it must answer or reject the text with a message. */

/**
 * The limit of CPU time for one text. It is far above the usual time, and far below that of a superlinear algorithm.
 */
const LIMIT_MS = 4000;
const LONG = 100_000;
/**
 * Shorter texts for parsers in libraries, which do more work for each character. A quadratic time shows earlier there.
 */
const SHORTER: Readonly<Record<string, number>> = { configuration: 30_000, timings: 30_000 };

const CORPUS = join(import.meta.dirname, '..', '..', 'fixtures', 'fuzz');
const parsers = Object.keys(PARSERS);

/** CPU time for reading a text, in milliseconds, which excludes other programs. */
function costOf(parser: string, text: string): number {
  const before = process.cpuUsage();
  try {
    readAs(parser, text);
  } catch (error) {
    throw new Error(`${parser}: ${JSON.stringify(text.slice(0, 300))}`, { cause: error });
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

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

test.each(parsers)('the parser of %s returns a value or an error message', (parser) => {
  fc.assert(
    fc.property(text, (given) => {
      expect(costOf(parser, given)).toBeLessThan(LIMIT_MS);
    }),
    { seed: 11, numRuns: Number(process.env['FUZZ_RUNS'] ?? 400) },
  );
});

// Inputs that a coverage-guided fuzzer found: see fixtures/fuzz/README.md.
test.each(parsers)(
  'the parser of %s returns a value or an error message for every stored input',
  (parser) => {
    const names = readdirSync(join(CORPUS, parser));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const text = readFileSync(join(CORPUS, parser, name), 'utf8');
      expect([name, costOf(parser, text) < LIMIT_MS]).toEqual([name, true]);
    }
  },
);

test('every folder of stored inputs belongs to a parser', () => {
  const folders = readdirSync(CORPUS, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...parsers].sort());
});

/** Characters that begin something without an end, and characters at which a search may start again and again. */
const REPEATED = [
  ...[' #', '# ', ' (', '\r', '\n', '\u2028', ' ', '"', '\\', '`', '@', ';', ':', '::', '##['],
  ...[
    '\u001b;#',
    '\u001b[',
    '\u001b]',
    '{',
    '[',
    '{"a":',
    '[],',
    'a,',
    '- ',
    '? ',
    '&a ',
    'a: ',
    '*',
    'a*',
    '-',
    '1+',
  ],
  ...['a 1\n', '{}\n', '{\n', 'FROM a AS a\n', 'ARG A=$A$A\n'],
];
/** Text around the repeated part, so that the parser reaches it. */
const AROUND: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  results: [['a 1', '\u2028x']],
  timings: [['session,side,variant,block,position,metric,value,outcome\n', '\n']],
  session: [['{"format":"pacegate-runs","version":1,"session":{}}\n', '\n']],
  'profile-stacks': [['f (', ' 5']],
  'build-progress': [['ERROR \u001b', '!']],
  dockerfile: [['ARG A=xx\nARG BASE_IMAGE=', '\nFROM x\n']],
  pattern: [['', '\n' + 'a'.repeat(1000)]],
};

test.each(parsers)(
  'what the parser of %s takes grows with the length of the text and not with its square',
  (parser) => {
    for (const [before, after] of [['', ''] as const, ...(AROUND[parser] ?? [])])
      for (const sign of REPEATED) {
        const given = before + sign.repeat((SHORTER[parser] ?? LONG) / sign.length) + after;
        expect([sign, costOf(parser, given) < LIMIT_MS]).toEqual([sign, true]);
      }
  },
  60_000,
);

test.each([
  ['none', '{"result_columns": [], "results": {}}'],
  [
    'lists in lists',
    `{"result_columns": [], "version": ${'['.repeat(9000)}${']'.repeat(9000)}, "results": {}}`,
  ],
])('a version of asv’s file that is %s is a sentence', (_, text) => {
  expect(readResults(text)).toMatch(/version\): found no version; must be 2/);
});
