import { expect, test } from '@jest/globals';
import { parseBytes, parseDuration, parseFraction } from './quantities.ts';

test.each([
  ['90s', 90],
  ['1h30m', 5400],
  ['500ms', 0.5],
  ['1.5m', 90],
  ['10', undefined],
  ['0s', undefined],
  ['-1s', undefined],
  ['ten minutes', undefined],
])('duration %s is %s seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each([
  ['3%', 0.03],
  ['0.03', 0.03],
  ['2.5 %', 0.025],
  ['30', undefined],
  ['-3%', undefined],
  ['0%', undefined],
])('fraction %s is %s', (text, fraction) => expect(parseFraction(text)).toBe(fraction));

test.each([
  ['512m', 536_870_912],
  ['2G', 2_147_483_648],
  ['2GiB', 2_147_483_648],
  ['1024', 1024],
  ['lots', undefined],
])('size %s is %s bytes', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
