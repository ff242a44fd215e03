import { describe, expect, test } from '@jest/globals';
import { compareSession } from '../verdict/compare.ts';
import { image, session, twoSided } from '../session/session.test-support.ts';
import { facts } from '../session/facts.test-support.ts';
import type { InterpreterFacts, Knowledge } from '../session/facts.ts';
import type { Image, Session } from '../session/session.ts';
import { evidenceDetails } from './evidence.ts';
import { factsDetail, factsDifferences, knowledgeWords, mixedWarnings, onlyCodeChanged } from './facts.ts';

const pgo = (observed: Knowledge, declared: Knowledge = 'unknown') => ({ pgo: { declared, observed } });
const looked = (change: Partial<InterpreterFacts> = {}) => facts({ properties: pgo('yes'), ...change });
const sides = (baseline: Partial<Image>, head: Partial<Image>): Session => ({
  ...session(),
  images: [
    { ...image('a', 'baseline', 'b'), ...baseline },
    { ...image('a', 'head', 'h'), ...head },
  ],
});
const between = (before: Partial<InterpreterFacts>, after: Partial<InterpreterFacts>) =>
  factsDifferences(sides({ facts: looked(before) }, { facts: looked(after) }), 'a');

describe('differences between the sides', () => {
  test.each([
    ['nothing', {}, {}, []],
    ['Python', { python: '3.13.5' }, { python: '3.13.6' }, ['Python 3.13.5 → 3.13.6']],
    ['libc', { libc: 'glibc 2.36' }, { libc: 'glibc 2.41' }, ['glibc 2.36 → 2.41']],
    ['another libc', { libc: 'glibc 2.36' }, { libc: 'musl 1.2.5' }, ['glibc 2.36 → musl 1.2.5']],
    ['implementation', {}, { implementation: 'PyPy', python: '3.11.1' }, ['Python 3.13.5 → PyPy 3.11.1']],
    [
      'system',
      { system: 'Debian GNU/Linux 12.11 (bookworm)' },
      { system: 'Debian GNU/Linux 13.1 (trixie)' },
      ['system Debian GNU/Linux 12.11 (bookworm) → Debian GNU/Linux 13.1 (trixie)'],
    ],
    ['march', {}, { march: 'native' }, ['-march none → native']],
    ['a property', { properties: pgo('yes') }, { properties: pgo('no') }, ['PGO yes → no']],
    [
      'a declared property',
      { properties: pgo('unknown', 'no') },
      { properties: pgo('yes') },
      ['PGO no → yes'],
    ],
    ['what is not known', { properties: pgo('yes') }, { properties: pgo('unknown') }, []],
    [
      'a library',
      { libraries: { openssl: '3.0.17', zlib: '1' } },
      { libraries: { openssl: '3.5.1' } },
      ['openssl 3.0.17 → 3.5.1'],
    ],
    [
      'packages',
      { packages: { numpy: '2.1', six: '1', old: '1' } },
      { packages: { numpy: '2.2', six: '1', new: '3' } },
      ['new 3 added', 'numpy 2.1 → 2.2', 'old 1 removed'],
    ],
    [
      'what an older version did not ask',
      {},
      { system: 'Debian', packages: { a: '1' }, systemPackages: 3 },
      [],
    ],
    ['system packages', { systemPackages: 105 }, { systemPackages: 98 }, ['105 → 98 system packages']],
  ] as const)('%s', (_, before, after, differences) => {
    expect(between(before as Partial<InterpreterFacts>, after as Partial<InterpreterFacts>)).toEqual(
      differences,
    );
  });

  test('of many packages some are named and the rest is counted', () => {
    const packages = (version: string) =>
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`p${i}`, version]));
    expect(between({ packages: packages('1') }, { packages: packages('2') })).toEqual([
      ...[0, 1, 2, 3, 4].map((i) => `p${i} 1 → 2`),
      '4 more packages',
    ]);
  });

  test('a base that moved under its name, another base, and an interpreter that was built again', () => {
    const base = (letter: string, reference = 'python:3.13-slim') => ({
      base: { reference, digest: `sha256:${letter.repeat(64)}` },
      facts: looked(),
    });
    expect(factsDifferences(sides(base('a'), base('b')), 'a')).toEqual([
      'base image python:3.13-slim moved (aaaaaaaaaaaa → bbbbbbbbbbbb)',
    ]);
    expect(factsDifferences(sides(base('a'), base('a', 'python:3.13')), 'a')).toEqual([
      'base image python:3.13-slim → python:3.13',
    ]);
    const built = (reference: string) => ({
      interpreter: { key: 'k', reference, origin: 'built' as const },
      facts: looked(),
    });
    expect(factsDifferences(sides(built('x'), built('y')), 'a')).toEqual(['the interpreter was rebuilt']);
  });

  test('nothing where a side is missing or was not looked at', () => {
    expect(factsDifferences(sides({ facts: looked() }, {}), 'a')).toEqual([]);
    expect(factsDifferences(sides({ facts: looked() }, { facts: looked({ python: '4' }) }), 'b')).toEqual([]);
  });
});

test('if only the code changed, the evidence states it', () => {
  const comparison = (observed: Session) => ({
    ...compareSession(observed),
    rows: compareSession(observed).rows.map((row) => ({ ...row, verdict: 'regressed' as const })),
  });
  const measured = (head: Partial<InterpreterFacts>) => ({
    ...twoSided({ wall_time_s: [1, 1.1] }),
    images: sides({ facts: looked() }, { facts: looked(head) }).images,
  });
  const alone = measured({});
  expect(onlyCodeChanged(comparison(alone), alone)).toEqual(['a']);
  expect(evidenceDetails(comparison(alone), alone)[0]?.body).toContain(
    'Interpreter, system and packages are the same on both sides of a: only the code changed.',
  );
  const moved = measured({ libc: 'glibc 2.42' });
  expect(onlyCodeChanged(comparison(moved), moved)).toEqual([]);
  const unlooked = { ...alone, images: sides({ facts: facts() }, { facts: facts() }).images };
  expect(onlyCodeChanged(comparison(unlooked), unlooked)).toEqual([]);
});

test('the text of a property', () => {
  expect(knowledgeWords({ declared: 'yes', observed: 'yes' })).toBe('yes');
  expect(knowledgeWords({ declared: 'unknown', observed: 'no' })).toBe('no');
  expect(knowledgeWords({ declared: 'yes', observed: 'no' })).toBe('no (declared: yes)');
  expect(knowledgeWords({ declared: 'yes', observed: 'unknown' })).toBe('unknown (declared: yes)');
});

describe('variants next to each other', () => {
  const three = (change: Readonly<Record<string, Partial<InterpreterFacts>>>): Session => ({
    ...session(),
    variants: Object.keys(change),
    images: Object.entries(change).map(([name, one]) => ({
      ...image(name, 'head', name),
      facts: looked(one),
    })),
  });

  test('that differ in Python or in the system have a note', () => {
    expect(
      mixedWarnings(
        three({
          debian: { python: '3.11.2', system: 'Debian 12' },
          official: { system: 'Debian 12' },
          uv: { system: 'Debian 12' },
        }),
      ),
    ).toEqual([
      'The variants differ in Python: 3.11.2 (debian), 3.13.5 (official, uv). So a difference between them does not come from the interpreter only.',
    ]);
    expect(mixedWarnings(three({ a: { system: 'Debian 12' }, b: { system: 'Debian 13' } }))).toEqual([
      'The variants differ in the system below: Debian 12 (a), Debian 13 (b). So a difference between them does not come from the interpreter only.',
    ]);
    expect(mixedWarnings(three({ a: {}, b: {} }))).toEqual([]);
  });

  test('have a table, which hostile text does not leave', () => {
    const [detail] = factsDetail(
      three({ a: { system: '<b>|@user', brokenModules: { '_x`y': 'ImportError: <script>' } }, b: {} }),
    );
    expect(detail?.body).not.toMatch(/<b>|[^​]@user|<script>/);
    expect(
      detail?.body
        .split('\n')
        .slice(0, 4)
        .map((line) => line.match(/(?<!\\)\|/g)?.length),
    ).toEqual([8, 8, 8, 8]);
    expect(detail?.body).toContain('PGO yes');
  });

  test('have none where an older version did not look', () => {
    expect(
      factsDetail({ ...three({ a: {} }), images: [{ ...image('a', 'head', 'a'), facts: facts() }] }),
    ).toEqual([]);
  });
});
