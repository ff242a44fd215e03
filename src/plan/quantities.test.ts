import { expect, test } from '@jest/globals';
import { parseBytes, parseDuration, parseFraction } from './quantities.ts';

test.each([
  ['90s', 90],
  ['1h30m', 5400],
  ['500ms', 0.5],
  ['1.5m', 90],
  ['10', undefined],
  ['168h', 604_800],
  // A timer of 25 days overflows and fires at once.
  ['169h', undefined],
  ['0s', undefined],
  ['-1s', undefined],
  ['ten minutes', undefined],
])('duration %s is %s seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each([
  ['3%', 0.03],
  ['0.03', 0.03],
  ['2.5 %', 0.025],
  ['.5', 0.5],
  ['250%', 2.5],
  // The % is forgotten: it must not be 500 %.
  ['5', undefined],
  ['1', undefined],
  ['1.5', undefined],
  ['30', undefined],
  ['1000%', undefined],
  ['-3%', undefined],
  ['0%', undefined],
])('fraction %s is %s', (text, fraction) => expect(parseFraction(text)).toBe(fraction));

test.each([
  ['512m', 536_870_912],
  ['2G', 2_147_483_648],
  ['2GiB', 2_147_483_648],
  ['1024b', 1024],
  ['512', undefined],
  ['1024', undefined],
  ['lots', undefined],
])('size %s is %s bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
