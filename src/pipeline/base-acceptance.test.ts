import { afterAll, describe, expect, test } from '@jest/globals';
import { drawn } from '../session/session.test-support.ts';
import { realPorts } from '../main/job-ports.test-support.ts';
import { openProject } from './open-project.ts';
import type { Session } from '../session/session.ts';
import { removeTemporaryFolders, repository } from '../source/repository.test-support.ts';
import type { Occasion } from './occasion.ts';
import { judgeForReport } from './report-sessions.ts';

/** Accepted regressions, on a real repository with a pull request's merge commit. */

afterAll(removeTemporaryFolders);

const FILE = '.github/pacegate-accepted.yml';
const accepting = (expires = '2100-01-01') => `version: 1
accepted:
  - { variant: a, metric: wall_time_s, up-to: 30%, reason: Requests are validated., author: octocat, expires: ${expires} }
`;

/** A pull request that is 20 % slower, with the files of its base and its head; undefined means no file. */
async function judged(
  base: string | undefined,
  own: string | undefined,
  {
    said,
    label,
  }: { readonly said?: Session['accepted']; readonly label?: (head: string) => Occasion['label'] } = {},
) {
  const repo = repository();
  repo.write(
    '.github/pacegate.yml',
    `version: 1
workload: { command: [python, bench.py] }
variants: { a: { interpreter: debian } }
metrics: { cpu_time_s: { gate: false }, max_rss_bytes: { gate: false } }
`,
  );
  if (base !== undefined) repo.write(FILE, base);
  const baseline = repo.commit('base');
  repo.git('checkout', '-q', '-b', 'change');
  if (own !== undefined) repo.write(FILE, own);
  else if (base !== undefined) repo.git('rm', '-q', FILE);
  repo.write('app.py', 'slower');
  const pushed = repo.commit('change');
  repo.git('checkout', '-q', 'main');
  repo.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  repo.git('remote', 'add', 'origin', repo.path);
  const head = repo.git('rev-parse', 'HEAD');
  const measured = drawn({ a: { wall_time_s: { level: 1, change: 0.2, spread: 0.002 } } }, { blocks: 12 });
  const session: Session = {
    ...measured,
    source: {
      ...measured.source,
      baseline: { commit: baseline, dirty: false },
      head: { commit: head, dirty: false },
    },
    ...(said === undefined ? {} : { accepted: said }),
  };
  const { judged: result, remarks } = await judgeForReport(
    [{ session, file: 'session.json' }],
    await openProject({ directory: repo.path, config: undefined, overrides: {} }, realPorts().source),
    {},
    {
      event: 'pull_request',
      mergeSha: head,
      defaultBranch: 'main',
      gitEnvironment: {},
      secretsOnPullRequests: false,
      label: label?.(pushed),
    },
    realPorts(),
  );
  // The session has its own rules. report-sessions.test.ts tests which rules apply.
  const others = remarks.filter((remark) => !remark.startsWith('The sessions have other rules'));
  return {
    verdict: result.comparison.verdict,
    warnings: result.comparison.rows[0]?.warnings ?? [],
    remarks: others,
  };
}

describe('the file', () => {
  test("of the base accepts, and a session's file records it", async () => {
    const { verdict, warnings, remarks } = await judged(accepting(), accepting());
    expect(verdict).toBe('accepted');
    expect(warnings).toContain(
      `accepted by octocat, up to 30 % until 2100-01-01 (${FILE}): Requests are validated.`,
    );
    expect(remarks).toEqual([]);
  });

  test('of the change alone accepts nothing', async () => {
    const { verdict, remarks } = await judged(undefined, accepting());
    expect(verdict).toBe('regressed');
    expect(remarks).toEqual([`This change edits ${FILE}. Its entries hold once they are in the base.`]);
  });

  test('of the base holds although the change removes it', async () =>
    expect((await judged(accepting(), undefined)).verdict).toBe('accepted'));

  test('whose entry is over accepts nothing', async () => {
    const { verdict, warnings } = await judged(accepting('2020-01-01'), accepting('2020-01-01'));
    expect(verdict).toBe('regressed');
    expect(warnings).toContain(`what octocat accepted in ${FILE} expired on 2020-01-01`);
  });

  test('that is broken in the base accepts nothing, and the change that corrects it is judged', async () => {
    const { verdict, remarks } = await judged('version: 1\n', accepting());
    expect(verdict).toBe('regressed');
    expect(remarks[0]).toMatch(
      /^The base's .*pacegate-accepted\.yml cannot be read, so it accepts nothing\./,
    );
  });

  test('that the change breaks is an error that names the line', async () =>
    await expect(judged(accepting(), 'version: 1\naccepted: [{ variant: a }]\n')).rejects.toThrow(
      /pacegate-accepted\.yml:2: accepted\.0\.metric: found nothing/,
    ));

  test('is not that of a session, which anybody may have written', async () => {
    const entry = {
      ...{ variant: '*', metric: '*', upTo: 9, reason: 'r', author: 'a' },
      expires: '2100-01-01',
    };
    const said = { file: FILE, entries: [entry], label: { author: 'a', commit: 'c' } };
    expect((await judged(undefined, undefined, { said })).verdict).toBe('regressed');
  });
});

describe('the label', () => {
  const by = (commit: string): Occasion['label'] => ({
    kind: 'accepted',
    accepting: { author: 'octocat', commit },
  });

  test('accepts the commit that was merged for the pull request', async () => {
    const { verdict, remarks } = await judged(undefined, undefined, { label: by });
    expect(verdict).toBe('accepted');
    expect(remarks).toEqual([]);
  });

  test('of an account without write access accepts nothing, and the report names the reason', async () => {
    const label = (): Occasion['label'] => ({ kind: 'refused', reason: 'nobody may' });
    expect(await judged(undefined, undefined, { label })).toMatchObject({
      verdict: 'regressed',
      remarks: ['nobody may'],
    });
  });
});
