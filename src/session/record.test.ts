import { expect, test } from '@jest/globals';
import { definedOnly } from './record.ts';

test('what is undefined is no key of a record, and what is false, empty or zero stays', () => {
  expect(Object.entries(definedOnly({ a: undefined, b: '', c: 0, d: false }))).toEqual([
    ['b', ''],
    ['c', 0],
    ['d', false],
  ]);
});
