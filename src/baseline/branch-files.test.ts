import { afterAll, expect, test } from '@jest/globals';
import { renderBranchList, renderBranchProblems, renderPruned } from '../report/branch-contents.ts';
import { night } from '../session/session.test-support.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import { openBaselineBranch, type BaselineBranch } from './branch.ts';
import { BRANCH } from './forge.test-support.ts';

/** What is on the branch, and its pruning, with git in a repository without a remote. */

afterAll(removeTemporaryFolders);

const at = (day: number) => ({ started: new Date(Date.UTC(2026, 0, day, 3)).toISOString() });

/** A repository with the given number of nights on its branch. */
async function stored(nights: number) {
  const project = repository();
  project.write('app.py', 'app');
  project.commit('app');
  const branch = openBaselineBranch({ directory: project.path, branch: BRANCH });
  for (let day = 1; day <= nights; day++) await branch.append(night(day, 1, at(day)));
  return { project, branch };
}

/** Changes the branch as a person would, in a work tree. */
function change(project: ReturnType<typeof repository>, edit: (tree: ReturnType<typeof repository>) => void) {
  const tree = repository(`${project.path}/tree`);
  project.git('worktree', 'add', '-q', 'tree', BRANCH);
  edit(tree);
  tree.commit('by hand');
  project.git('worktree', 'remove', '--force', 'tree');
}

const contentsOf = async (branch: BaselineBranch) => {
  const contents = await branch.contents();
  if (contents === undefined) throw new Error('no branch');
  return contents;
};

/** The files that are neither sessions, summaries nor computed. */
const exceptions = async (branch: BaselineBranch) =>
  (await contentsOf(branch)).files.flatMap((file) =>
    file.kind === 'damaged' ? [`${file.path} ${file.reason}`] : file.kind === 'foreign' ? [file.path] : [],
  );

test('a repository without the branch has no contents, and nothing to prune', async () => {
  const { branch } = await stored(0);
  expect(await branch.contents()).toBeUndefined();
  expect(await branch.prune({ nightsKept: 1, push: true })).toBeUndefined();
});

test('every file that is written is recognised, and listed with its session', async () => {
  const { branch } = await stored(2);
  expect(await exceptions(branch)).toEqual([]);
  const text = renderBranchList(await contentsOf(branch));
  expect(text).toMatch(
    /^pacegate +night +2026-01-01 03:00 +\S+ +1 +12 +[\d.]+ KiB +20260101T030000-[0-9a-f]{12}$/m,
  );
  expect(text).toContain('2 nights, 0 sessions of the anchor, 0 older nights as summaries');
  expect(renderBranchProblems(await contentsOf(branch))).toContain(
    'Every file that Pacegate wrote can be read.',
  );
});

test('damaged, changed, repeated and foreign files are named; the others are read', async () => {
  const { project, branch } = await stored(2);
  const [first = '', second = ''] = (await contentsOf(branch)).files
    .filter(({ kind }) => kind === 'session')
    .map(({ path }) => path);
  change(project, ({ path, git, write }) => {
    const session = git('show', `HEAD:${first}`);
    write(first, session.replace('"night-1"', '"night-9"'));
    git('mv', second, 'pacegate/sessions/20260102T030000-copied.json');
    write('pacegate/sessions/20260103T030000-again.json', git('show', `HEAD:${second}`));
    write('pacegate/sessions/20260104T030000-half.json', session.slice(0, 100));
    write('pacegate/noise.json', '{"version": 2}');
    write('pacegate/summaries.json', '{"format":');
    write('index.json', 'x');
    write('pacegate/sessions/notes.txt', 'x');
    write('other folder/a.json', '{}');
    expect(path).toContain('tree');
  });
  const found = await exceptions(branch);
  expect(found).toEqual([
    'index.json is not JSON. The next night writes it again',
    'other folder/a.json',
    'pacegate/noise.json was written by a newer Pacegate, which this one cannot read. Update Pacegate',
    expect.stringMatching(
      /^pacegate\/sessions\/20260101T030000-\w+\.json was changed after it was written: its name has the digest [0-9a-f]{12} of other content$/,
    ),
    'pacegate/sessions/20260103T030000-again.json is the session of pacegate/sessions/20260102T030000-copied.json again',
    expect.stringMatching(/^pacegate\/sessions\/20260104T030000-half\.json cannot be read \(/),
    'pacegate/sessions/notes.txt',
    'pacegate/summaries.json cannot be read (it is not JSON). Restore an older version: git log -- pacegate/summaries.json',
  ]);
  const text = renderBranchProblems(await contentsOf(branch));
  expect(text).toContain('other folder/a.json is not a file of Pacegate and is left alone.');
  expect(text).toContain('6 files cannot be used. Gates and nights leave them out.');
});

test('a prune keeps the newest nights, summarises the others, and leaves one commit', async () => {
  const { project, branch } = await stored(4);
  change(project, ({ write }) => {
    write('notes.txt', 'mine');
  });
  const before = project.git('rev-parse', BRANCH);
  const trial = await branch.prune({ nightsKept: 1, push: false });
  expect(trial?.configurations).toEqual([{ configuration: 'pacegate', kept: 1, summarised: 3, dropped: 0 }]);
  expect(project.git('rev-parse', BRANCH)).toBe(before);
  expect(trial === undefined ? '' : renderPruned(trial)).toContain('Nothing was written. With --yes');

  const pruned = await branch.prune({ nightsKept: 1, push: true });
  expect(project.git('rev-parse', BRANCH)).toBe(pruned?.commit);
  expect(project.git('rev-list', '--count', BRANCH)).toBe('1');
  expect(project.git('show', `${BRANCH}:notes.txt`)).toBe('mine');
  const { sessions, summaries } = await branch.read('pacegate');
  expect(sessions.map(({ id }) => id)).toEqual(['night-4']);
  expect(summaries.map(({ id }) => id)).toEqual(['night-1', 'night-2', 'night-3']);
  // The next night goes on from there.
  await branch.append(night(5, 1, at(5)));
  expect((await branch.read('pacegate')).sessions.map(({ id }) => id)).toEqual(['night-4', 'night-5']);
  // Git can delete what the earlier commits held.
  project.git('reflog', 'expire', '--expire=now', '--all');
  project.git('gc', '--quiet', '--prune=now');
  expect(() => project.git('cat-file', '-e', before)).toThrow();
});

test('a prune does not touch a branch with summaries that cannot be read', async () => {
  const { project, branch } = await stored(2);
  change(project, ({ write }) => {
    write('pacegate/summaries.json', '{"version": 2}');
  });
  const before = project.git('rev-parse', BRANCH);
  await expect(branch.prune({ nightsKept: 1, push: true })).rejects.toThrow(
    /summaries\.json of the commit [0-9a-f]{10} on the baseline branch was written by a newer Pacegate/,
  );
  expect(project.git('rev-parse', BRANCH)).toBe(before);
});

test('a night that is stored during a prune stays', async () => {
  const { project, branch } = await stored(3);
  let appended = false;
  const pruning = openBaselineBranch({
    directory: project.path,
    branch: BRANCH,
    evaluation: {
      outcome: () => undefined,
      noise: () => '{}',
      ranking: () => undefined,
      // The first time, another writer is faster.
      badge: () => {
        if (!appended) {
          appended = true;
          project.git('update-ref', `refs/heads/${BRANCH}`, `refs/heads/faster`);
        }
        return '{}';
      },
    },
  });
  const faster = openBaselineBranch({ directory: project.path, branch: 'faster' });
  project.git('branch', 'faster', BRANCH);
  await faster.append(night(4, 1, at(4)));
  await pruning.prune({ nightsKept: 2, push: true });
  expect((await branch.read('pacegate')).sessions.map(({ id }) => id)).toEqual(['night-3', 'night-4']);
});
