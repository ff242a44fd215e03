import { afterAll, expect, jest, test } from '@jest/globals';
import { fencesOf, readPage } from '../docs/markdown.test-support.ts';
import { withTool } from '../process/engine.test-support.ts';
import { removeTemporaryFolders } from '../source/repository.test-support.ts';
import { example, EXAMPLES_PYTHON, expectLoss, LOSSES, onTheHost } from './examples.test-support.ts';

/** Each configuration of docs/migrating.md, on a project of examples/ with a planted loss. */

jest.setTimeout(1_800_000);
afterAll(removeTemporaryFolders);

const PAGE = readPage('docs/migrating.md');

/** The contents of the page below a heading: the fenced example before, and the configuration after. */
function section(title: string) {
  const lines = PAGE.text.split('\n');
  const start = lines.indexOf(`## ${title}`) + 1;
  const next = lines.findIndex((line, index) => index > start && line.startsWith('## '));
  const end = next === -1 ? lines.length : next;
  const fences = fencesOf(PAGE).filter(({ line }) => line > start && line <= end);
  return { before: fences[0]?.value ?? '', after: fences[1]?.value ?? '', fences: fences.length };
}

/** Heading, the command of the old file, the project, and the row that finds the loss. */
const SECTIONS: readonly (readonly [string, string, string, string])[] = [
  [
    'From github-action-benchmark',
    'benchmark-action/github-action-benchmark@',
    'pytest-benchmark',
    'test_far_apart',
  ],
  ['From CodSpeed', '--codspeed', 'pytest-benchmark', 'test_far_apart'],
  ['From asv', 'asv continuous', 'asv', 'time_parse_10000'],
  ['From pytest-benchmark --benchmark-compare', '--benchmark-compare=', 'pytest-benchmark', 'test_far_apart'],
  ['From hyperfine in a script', 'hyperfine --export-json', 'command-line', 'wall_time_s'],
];

test('each section has a before and an after', () => {
  const titles = PAGE.text.split('\n').filter((line) => line.startsWith('## '));
  expect(titles).toEqual(SECTIONS.map(([title]) => `## ${title}`));
  for (const [title, tool] of SECTIONS) {
    const { before, after, fences } = section(title);
    expect([title, before, after, fences]).toEqual([
      title,
      expect.stringContaining(tool),
      expect.stringMatching(/^version: 1\nworkload:/),
      2,
    ]);
  }
});

withTool(EXAMPLES_PYTHON).each(SECTIONS)(
  '%s: the configuration finds a planted loss',
  async (title, _, name, metric) => {
    const project = example(name, metric, section(title).after);
    project.write('text.txt', 'the quick brown fox jumps over it\n'.repeat(200_000));
    await onTheHost(project);
    project.commit('base');
    await expectLoss(project, { ...LOSSES[name]!, metric });
  },
);
