import { expect, test } from '@jest/globals';
import { twoSided } from './session.test-support.ts';
import { merged } from './merged.ts';
import { METRIC_KINDS } from './metric.ts';
import { parseSession, parseSessionFile } from './read.ts';
import { sessionFileText, sessionText } from './write.ts';

const session = twoSided({ wall_time_s: [1, 1.2] });
const messageOf = (value: unknown): string => {
  try {
    parseSession(typeof value === 'string' ? value : JSON.stringify(value), 'session.json');
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
};

test('a session is read back as it was written', () => {
  expect(parseSession(sessionText(session), 'session.json')).toEqual(session);
});

test('a session of every kind of metric is read back as it was written, by flags that older versions know', () => {
  const kinds = session.rules.metrics.flatMap((rule) =>
    METRIC_KINDS.map((kind) => ({ ...rule, name: kind, kind })),
  );
  const whole = { ...session, rules: { ...session.rules, metrics: kinds } };
  expect(parseSession(sessionText(whole), 'session.json')).toEqual(whole);
  const { rules } = JSON.parse(sessionText(whole)) as { rules: { metrics: Record<string, unknown>[] } };
  expect(
    rules.metrics.map(({ deterministic, once, counted, kind }) => [deterministic, once, counted, kind]),
  ).toEqual([
    [undefined, undefined, undefined, undefined],
    [true, undefined, undefined, undefined],
    [true, true, undefined, undefined],
    [true, undefined, true, undefined],
  ]);
});

const [first, second, ...rest] = session.runs;
test.each([
  [
    '{"format":',
    /session\.json cannot be read as a session; nothing was compared\.\n {2}found text that is not JSON/,
  ],
  [{ benchmarks: [] }, /expected: "format": "pacegate-session"/],
  [{ ...session, version: 2 }, /found version 2; this Pacegate reads up to 1/],
  [{ ...session, rules: { ...session.rules, alpha: 'small' } }, /rules\.alpha: .*expected number/],
  [{ ...session, runs: [{ ...first, metrics: { wall_time_s: null } }] }, /runs\.0\.metrics\.wall_time_s/],
  [{ ...session, runs: [{ ...first, metrics: { wall_time_s: -1 } }] }, /found -1 for wall_time_s/],
  [{ ...session, runs: [{ ...first, variant: 'other' }, second, ...rest] }, /found the variant "other"/],
  [{ ...session, runs: [first, first] }, /a second run of .* block 1 attempt 0/],
])('a file that is not a session is refused with the place in it (%#)', (value, message) => {
  expect(messageOf(value)).toMatch(message);
});

test('sessions that were merged are read back as they were written, and refused with the part and its place', () => {
  const whole = merged([session, { ...session, id: 'other' }]);
  expect(parseSessionFile(sessionFileText(whole), 'session.json')).toEqual(whole);
  expect(parseSessionFile(sessionFileText(session), 'session.json')).toEqual(session);
  const read = (value: unknown) => () => parseSessionFile(JSON.stringify(value), 'session.json');
  expect(read({ ...whole, version: 2 })).toThrow('found version 2; this Pacegate reads up to 1');
  expect(read({ ...whole, parts: [] })).toThrow('parts: ');
  expect(read({ ...whole, parts: [session, { ...session, seed: 'x' }] })).toThrow('parts.1.seed: ');
  expect(read({ ...whole, parts: [session, { ...session, runs: [first, first] }] })).toThrow(
    /parts\.1: runs\.1: found a second run/,
  );
  expect(read({ ...whole, format: 'pacegate-summaries' })).toThrow(
    'expected: "format": "pacegate-session" or "pacegate-merged" and a "version"',
  );
  expect(() => parseSession(JSON.stringify(whole), 'session.json')).toThrow('found JSON of another kind');
});
