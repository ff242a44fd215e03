import { afterAll, expect, test } from '@jest/globals';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';

afterAll(removeTemporaryFolders);

const CONFIGURATION = `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: official, python: '3.13' } }
`;

async function opened(config: string, others: Readonly<Record<string, string>> = {}) {
  const repo = repository();
  for (const [path, text] of Object.entries({ [config]: CONFIGURATION, ...others })) repo.write(path, text);
  repo.commit('files');
  const { plan, formerly } = await openProject(
    { directory: repo.path, config, overrides: {} },
    realPorts().source,
  );
  return { name: plan.configuration, formerly };
}

test('the default configuration has its old name', async () => {
  expect(await opened('.github/pacegate.yml')).toEqual({ name: 'pacegate', formerly: undefined });
});

test('the only configuration with a base name uses the nights under that name', async () => {
  const found = await opened('services/orders/pacegate.yml', {
    // Neither is a configuration of Pacegate.
    '.github/workflows/pacegate.yml': 'on: push\njobs: {}\n',
    'services/orders/other.yml': CONFIGURATION,
  });
  expect(found.name).toMatch(/^services-orders-pacegate-/);
  expect(found.formerly).toBe('pacegate');
});

test.each(['.github/pacegate.yml', 'services/billing/pacegate.yml', 'b/Pacegate.yaml'])(
  'beside %s nothing is adopted: whose the old name was cannot be told',
  async (other) => {
    const found = await opened('services/orders/pacegate.yml', { [other]: CONFIGURATION });
    expect(found.formerly).toBeUndefined();
  },
);
