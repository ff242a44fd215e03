import { describe, expect, test } from '@jest/globals';
import { ConfigurationError } from '../errors/errors.ts';
import { acceptedFileOf, readAcceptedFile } from './accepted-file.ts';

const FILE = '.github/pacegate-accepted.yml';

test.each([
  ['.github/pacegate.yml', '.github/pacegate-accepted.yml'],
  ['services/orders/pacegate.yml', 'services/orders/pacegate-accepted.yml'],
  ['pacegate.yml', 'pacegate-accepted.yml'],
])('the file of %s is %s', (configuration, file) => expect(acceptedFileOf(configuration)).toBe(file));

test('an entry names variant, metric, change, reason, author and its last day', () => {
  const text = `version: 1
accepted:
  - variant: official
    metric: cpu_time_s
    up-to: 8%
    reason: Every request is validated now.
    author: octocat
    expires: 2027-03-31
  - { variant: '*', metric: 'test_*', up-to: 0.5, reason: b, author: c, expires: '2027-01-01' }
`;
  expect(readAcceptedFile(text, FILE)).toEqual({
    file: FILE,
    entries: [
      {
        variant: 'official',
        metric: 'cpu_time_s',
        upTo: 0.08,
        reason: 'Every request is validated now.',
        author: 'octocat',
        expires: '2027-03-31',
      },
      { variant: '*', metric: 'test_*', upTo: 0.5, reason: 'b', author: 'c', expires: '2027-01-01' },
    ],
  });
});

const entry = (changes: string) =>
  `version: 1\naccepted:\n  - { variant: a, metric: m, up-to: 5%, reason: r, author: o, expires: 2027-01-01 }\n  - ${changes}\n`;

describe('each fault is an error with its line', () => {
  test.each([
    ['version: 2\naccepted: []\n', /pacegate-accepted\.yml:1: version: found 2 \(a number\)/],
    ['version: 1\n', /accepted: found nothing/],
    ['version: 1\naccepted: [\n', /YAML/],
    [entry('{ variant: a }'), /:4: accepted\.1\.metric: found nothing/],
    [
      entry('{ variant: a, metric: m, up-to: 8, reason: r, author: o, expires: 2027-01-01 }'),
      /:4: accepted\.1\.up-to: found 8 \(a number\); .*8%/,
    ],
    [
      entry('{ variant: a, metric: m, up-to: 8%, reason: " ", author: o, expires: 2027-01-01 }'),
      /accepted\.1\.reason: found " "/,
    ],
    [
      entry('{ variant: a, metric: m, up-to: 8%, reason: r, author: o, expires: never }'),
      /accepted\.1\.expires: found "never"; .*2027-03-31/,
    ],
    [
      entry('{ variant: a, metric: m, up-to: 8%, reason: r, author: o, expires: 2027-02-30 }'),
      /accepted\.1\.expires/,
    ],
    [
      entry('{ variant: a, metric: m, up-to: 8%, reason: r, author: o, expires: 2027-01-01, until: x }'),
      /accepted\.1\.until: found a key that is not known/,
    ],
  ])('%j', (text, message) => {
    expect(() => readAcceptedFile(text, FILE)).toThrow(ConfigurationError);
    expect(() => readAcceptedFile(text, FILE)).toThrow(message);
  });
});
