import { expect, test } from '@jest/globals';
import { definedOnly } from './record.ts';

test('an undefined value is left out of a record, and false, empty or zero is kept', () => {
  expect(Object.entries(definedOnly({ a: undefined, b: '', c: 0, d: false }))).toEqual([
    ['b', ''],
    ['c', 0],
    ['d', false],
  ]);
});
