import { expect, test } from '@jest/globals';
import type { Finding } from '../session/machine-reading.ts';
import { renderFindings } from './machine-findings.ts';

const FINDINGS: readonly Finding[] = [
  { name: 'processor', value: 'Intel(R) Core(TM) i7', judgement: 'good' },
  { name: 'cores', value: '8', judgement: 'good' },
  { name: 'kernel', value: 'Linux 6.8.0', judgement: 'good' },
  { name: 'storage driver', value: 'overlay2', judgement: 'good' },
  { name: 'turbo', value: 'on', judgement: 'notice', advice: 'The frequency depends on heat.' },
  {
    name: 'frequency governor',
    value: 'powersave',
    judgement: 'bad',
    advice: 'The frequency follows the load: cpupower frequency-set -g performance',
  },
  { name: 'PSI', value: 'kept', judgement: 'good' },
  { name: 'hyper-threads', value: 'unknown', judgement: 'unknown' },
  { name: 'timer', value: 'unknown', judgement: 'unknown' },
];
const plain = { colour: false, width: 160 };

test('the machine, bad findings, remarks, and the rest in two lines', () => {
  expect(renderFindings(FINDINGS, plain)).toBe(
    [
      'Machine: Intel(R) Core(TM) i7, 8 cores, Linux 6.8.0',
      '  bad       frequency governor: powersave. The frequency follows the load: cpupower frequency-set -g performance',
      '  notice    turbo: on. The frequency depends on heat.',
      '  good      storage driver overlay2; PSI kept',
      '  unknown   hyper-threads; timer',
      '',
    ].join('\n'),
  );
});

test('lines are broken for a narrow terminal, and stay below their head', () => {
  const lines = renderFindings(FINDINGS, { ...plain, width: 60 }).split('\n');
  expect(lines[1]).toBe('  bad       frequency governor: powersave. The frequency');
  expect(lines[2]).toBe('            follows the load: cpupower frequency-set -g');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
});

test('one core is bad, and is then no part of the name', () => {
  const one: Finding = { name: 'cores', value: '1', judgement: 'bad', advice: 'Take two.' };
  const text = renderFindings(
    FINDINGS.map((finding) => (finding.name === 'cores' ? one : finding)),
    plain,
  );
  expect(text).toMatch(
    /^Machine: Intel\(R\) Core\(TM\) i7, Linux 6\.8\.0\n {2}bad {7}cores: 1\. Take two\.\n/m,
  );
});

test('the name of a machine cannot contain escape sequences for the terminal', () => {
  const hostile: Finding = {
    name: 'processor',
    value: `\u001b[2J${'x'.repeat(500)}\nbad`,
    judgement: 'good',
  };
  const text = renderFindings([hostile], plain);
  expect(text).not.toContain('\u001b');
  expect(text.split('\n')[0]?.length).toBeLessThan(100);
});
