import { expect, test } from '@jest/globals';
import { workloadCommand } from './command-line.ts';
import { runRequest } from './run-request.test-support.ts';

test.each([
  [
    ['pytest', '--benchmark-json', '{metrics}'],
    ['pytest', '--benchmark-json', '/m/$&.json'],
  ],
  [
    ['pytest', '--benchmark-json={metrics}'],
    ['pytest', '--benchmark-json=/m/$&.json'],
  ],
  [
    ['sh', '-c', 'x >{metrics} && y {metrics}'],
    ['sh', '-c', 'x >/m/$&.json && y /m/$&.json'],
  ],
  [['{metrics}'], ['/m/$&.json']],
  [
    ['x', '{Metrics}', '${metrics', '{ metrics }'],
    ['x', '{Metrics}', '${metrics', '{ metrics }'],
  ],
])('%j gets the file of its metrics, whatever its path is', (command, expected) => {
  expect(workloadCommand(runRequest(command), '/m/$&.json')).toEqual(expected);
});
