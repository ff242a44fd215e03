import { expect, test } from '@jest/globals';
import { storeOf } from './engine-check.ts';

test.each([
  ['[["Backing Filesystem","extfs"],["Supports d_type","true"]]', 'classic'],
  ['[["driver-type","io.containerd.snapshotter.v1"]]', 'containerd'],
  ['[]', 'classic'],
  ['null', undefined],
  ['', undefined],
  ['[["one"]]', undefined],
])('of the driver %s: %s', (status, store) => {
  expect(storeOf(status)).toBe(store);
});
