import { readdirSync } from 'node:fs';
import { afterAll, expect, jest, test } from '@jest/globals';
import { withEngine, withTool } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import {
  example,
  EXAMPLES,
  EXAMPLES_PYTHON,
  expectLoss,
  gate,
  LOSSES,
  onTheHost,
} from './examples.test-support.ts';

/**
 * The projects of examples/: a gate reports a regression for several times the work, and passes a change of
 * documentation.
 */

jest.setTimeout(1_800_000);
afterAll(removeTemporaryFolders);

test('each project of examples/ is gated here', () => {
  const projects = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(projects.map(({ name }) => name).sort()).toEqual(Object.keys(LOSSES).sort());
});

withTool(EXAMPLES_PYTHON).each(Object.entries(LOSSES).filter(([name]) => name !== 'dockerfile'))(
  '%s: several times the work is regressed',
  async (name, loss) => {
    const project = example(name, loss.metric);
    await onTheHost(project);
    project.commit('base');
    await expectLoss(project, loss);
  },
);

withEngine.each(['command-line', 'worker', 'dockerfile'])(
  '%s in containers: a change of documentation gives identical images, which are not measured',
  async (name) => {
    const loss = LOSSES[name];
    const project = example(name, loss?.metric ?? '');
    project.write('README.md', '# Project\n');
    project.commit('base');
    project.write('README.md', '# Project\n\nBetter words.\n');
    project.commit('docs');
    const same = await gate(project);
    expect({ status: same.status, log: same.status === 0 ? '' : same.log }).toEqual({ status: 0, log: '' });
    expect(JSON.parse(same.out)).toMatchObject({ verdict: 'unchanged' });
    expect(same.log).toMatch(/identical|same image/i);
    // The others run on the host.
    if (name === 'dockerfile' && loss !== undefined) await expectLoss(project, loss);
  },
);
