import { expect, test } from '@jest/globals';
import { readYaml } from './document.ts';

test('anchors and merge keys are resolved, and a key next to a merge key takes precedence', () => {
  const document = readYaml(
    `one: &x\n  interpreter: official\n  python: "3.13"\ntwo:\n  <<: *x\n  flags: [-O]\nthree: { <<: *x, python: "3.12" }\nfour: *x\n`,
  );
  expect(document.problems).toEqual([]);
  expect(document.value).toEqual({
    one: { interpreter: 'official', python: '3.13' },
    two: { interpreter: 'official', python: '3.13', flags: ['-O'] },
    three: { interpreter: 'official', python: '3.12' },
    four: { interpreter: 'official', python: '3.13' },
  });
  expect(document.lineOf(['two', 'flags'])).toBe(6);
  // It comes from the anchor: the table that merges it is the nearest place.
  expect(document.lineOf(['two', 'python'])).toBe(4);
});

test('a merge key whose value is not a table is refused, not ignored', () => {
  expect(readYaml('a: { <<: 5, b: 1 }').problems[0]).toMatchObject({ place: 'YAML' });
});

test.each([
  ['nested explicit keys', '? '.repeat(320) + 'a', 'an explicit key (`? …`)'],
  ['one explicit key', 'version: 1\n? [a]\n: b', 'an explicit key (`? …`)'],
  ['open brackets', '['.repeat(20_000), 'more than 32 nested lists or tables'],
  ['closed brackets', '['.repeat(2000) + ']'.repeat(2000), 'more than 32 nested lists or tables'],
  ['dashes', `${'- '.repeat(20_000)}a`, 'more than 32 nested lists or tables'],
  ['keys', Array.from({ length: 20_000 }, (_, n) => `k${n}: 1`).join('\n'), 'more than 4000 keys'],
  ['text', `a: ${'x'.repeat(300_000)}`, 'a file of 300003 characters'],
  ['a table as a key', 'a: 1\n{ b: 1 }: 2', 'a list or a table as a key'],
  ['lists as keys', `${'['.repeat(30)}x${']: 1'.repeat(30)}`, 'a list or a table as a key'],
])('%s cost no time and are a problem with words', (_, text, found) => {
  const begun = process.cpuUsage();
  const { problems } = readYaml(text);
  expect(process.cpuUsage(begun).user / 1e6).toBeLessThan(1);
  expect(problems[0]).toMatchObject({ place: 'YAML', found });
});

test('a bound inside a text is text', () => {
  const { value, problems } = readYaml(
    `a: "? ? ?"\nb: why?\nc: '[[['\nd: |\n  ? [ [ [\n  - - -\n# ? [[[\ne: ?x\n`,
  );
  expect(problems).toEqual([]);
  expect(value).toEqual({ a: '? ? ?', b: 'why?', c: '[[[', d: '? [ [ [\n- - -\n', e: '?x' });
});

test('many uses of an anchor stay bounded', () => {
  const bomb = `a: &a [x, x]\n${'bcdefghijklmnop'
    .split('')
    .map((name, index) => `${name}: &${name} [*${'abcdefghijklmnop'[index]}, *${'abcdefghijklmnop'[index]}]`)
    .join('\n')}`;
  expect(readYaml(bomb).problems[0]).toMatchObject({ legal: 'at most 100 uses of an anchor' });
});
