import { expect, test } from '@jest/globals';
import { parseInfo } from './engine-reading.ts';

test.each([
  [
    '{"Driver":"overlay2","CgroupDriver":"systemd","CgroupVersion":"2","Name":"runner"}',
    { storageDriver: 'overlay2', cgroup: 2, cgroupDriver: 'systemd' },
  ],
  [
    '{"Driver":"vfs","CgroupDriver":"cgroupfs","CgroupVersion":"1"}',
    { storageDriver: 'vfs', cgroup: 1, cgroupDriver: 'cgroupfs' },
  ],
  // An engine on Windows, or one that is told to say less.
  ['{"Driver":""}', { storageDriver: undefined, cgroup: undefined, cgroupDriver: undefined }],
])('the answer %s of docker info', (text, expected) => {
  expect(parseInfo(text)).toEqual(expected);
});

test.each(['', 'null', '[', '{"Driver": 7}'])('the answer %j gives no reading', (text) => {
  expect(Object.values(parseInfo(text))).toEqual([undefined, undefined, undefined]);
});

test('words for a terminal are one line', () => {
  expect(parseInfo('{"Driver":"over\\u001b[31mlay\\n2"}').storageDriver).toBe('overlay 2');
});
