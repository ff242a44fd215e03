import { expect, test } from '@jest/globals';
import { withTail } from './run-failure.ts';

test('a message has the last lines of the output, and what to do if that is known', () => {
  expect(withTail('the command failed', '')).toBe('the command failed');
  expect(withTail('the command failed', 'ValueError: odd\n')).toBe('the command failed\nValueError: odd');
  expect(
    withTail('the command failed', "ModuleNotFoundError: No module named 'numpy'\n").split('\n'),
  ).toEqual([
    'the command failed',
    "ModuleNotFoundError: No module named 'numpy'",
    expect.stringMatching(/^Python does not find the module numpy: .*workload\.install\.packages/),
  ]);
});
