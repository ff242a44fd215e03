import { expect, test } from '@jest/globals';
import { refuseForeignLevels } from './interpreters.ts';
import { resolvePlan } from './resolve.ts';

const planWith = (...variants: readonly string[]) =>
  resolvePlan({
    text: `version: 1\nworkload: { command: [python, app.py] }\nvariants:\n${variants.map((line, index) => `  v${index}: { ${line} }\n`).join('')}`,
    file: '.github/pacegate.yml',
    root: '/srv',
  });
const level = (march: string) => `interpreter: pyenv-optimized, python: "3.13", march: ${march}`;

test.each(['armv8-a', 'armv8.1-a', 'armv8.2-a', 'armv8.6-a', 'armv9-a'])(
  '%s is compiled for on arm64, and refused elsewhere with what this machine can run',
  (march) => {
    const plan = planWith(level(march));
    expect(plan.variants[0]).toMatchObject({ march });
    expect(() => {
      refuseForeignLevels(plan, 'arm64');
    }).not.toThrow();
    expect(() => {
      refuseForeignLevels(plan, 'x64');
    }).toThrow(
      `.github/pacegate.yml: variants.v0.march: found ${march}, which this machine (amd64) cannot run; expected: x86-64-v2, x86-64-v3, x86-64-v4, no march. Nothing was built or run.`,
    );
  },
);

test('a level of x86-64 is refused on arm64 and on any other processor', () => {
  const plan = planWith(level('x86-64-v3'), 'interpreter: debian', level('x86-64-v4'));
  expect(() => {
    refuseForeignLevels(plan, 'x64');
  }).not.toThrow();
  expect(() => {
    refuseForeignLevels(plan, 'arm64');
  }).toThrow(/v0\.march: found x86-64-v3, .*\(arm64\).*armv8-a, .*armv9-a, no march\. variants\.v2\.march/);
  expect(() => {
    refuseForeignLevels(plan, 'riscv64');
  }).toThrow(/this machine \(riscv64\) cannot run; expected: no march\./);
});

test('native depends on the machine that builds it', () => {
  for (const architecture of ['x64', 'arm64', 'riscv64'])
    expect(() => {
      refuseForeignLevels(planWith('interpreter: pyenv-native, python: "3.13"'), architecture);
    }).not.toThrow();
});

test('an unknown level is refused when the configuration is read', () => {
  for (const march of ['armv8.7-a', 'armv7', 'native', 'x86-64-v1'])
    expect(() => planWith(level(march))).toThrow(
      `variants.v0.march: found "${march}"; expected: x86-64-v2, x86-64-v3, x86-64-v4, armv8-a,`,
    );
});
