import { expect, test } from '@jest/globals';
import { parseJson } from './json.ts';

test.each([
  ['{"a": [1, null]}', { a: [1, null] }],
  ['null', null],
  ['', undefined],
  ['{"a":', undefined],
  ['NaN', undefined],
])('%j', (text, value) => expect(parseJson(text)).toEqual(value));
