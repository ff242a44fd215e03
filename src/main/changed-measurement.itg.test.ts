import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { exitStatus } from '../verdict/exit-status.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { parseSession } from '../session/read.ts';
import { sessionText } from '../session/write.ts';
import { compareSession } from '../verdict/compare.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { gateRepository } from '../pipeline/gate-repository.ts';
import { realPorts, runIn } from './job-ports.test-support.ts';
import { placesFrom } from './places.ts';
import { openProject } from '../pipeline/open-project.ts';

/** Pull requests that change their own measuring code to pass, on a real repository and this machine's Python. */

afterAll(removeTemporaryFolders);

const VARIANTS: Readonly<Record<string, string>> = {
  plain: '{ interpreter: host, python: python3 }',
  optimised: '{ interpreter: host, python: python3, flags: [-O] }',
};
interface Configured {
  readonly variants?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly rule?: string;
}
const configuration = ({
  variants = { plain: VARIANTS['plain']! },
  command = '[python, bench.py]',
  rule = '',
}: Configured) => `version: 1
workload: { files: [bench.py], command: ${command}, repetitions: 1 }
variants:
${Object.entries(variants)
  .map(([name, variant]) => `  ${name}: ${variant}\n`)
  .join(
    '',
  )}metrics: { wall_time_s: { gate: false }, max_rss_bytes: { gate: false }, cpu_time_s: { limit: 20% } }
rules: { budget: 90s, blocks: 8${rule} }
`;
const app = (rounds: number) => `def work():\n    return sum(i * i for i in range(${rounds}))\n`;
const BENCH = 'import app\napp.work()\n';
const FAST = 500_000;

type Files = Readonly<Record<string, string>>;

/** Gates the merge of a pull request with the files of its base and its changes. */
async function gateChange(base: Files, change: Files) {
  const repo = repository();
  const write = (files: Files) => Object.entries(files).forEach(([name, text]) => repo.write(name, text));
  write(base);
  repo.commit('base');
  repo.git('checkout', '-q', '-b', 'change');
  write(change);
  repo.commit('change');
  repo.git('checkout', '-q', 'main');
  repo.git('merge', '-q', '--no-ff', '-m', 'merge', 'change');
  const { session, comparison, plan } = await gateRepository(
    await openProject(
      { directory: repo.path, config: join(repo.path, 'pacegate.yml'), overrides: {} },
      realPorts().source,
    ),
    {},
    {
      event: 'pull_request',
      mergeSha: repo.git('rev-parse', 'HEAD'),
      gitEnvironment: {},
      secretsOnPullRequests: false,
    },
    await runIn(temporaryFolder()),
    realPorts(placesFrom(join(import.meta.dirname, '..'))),
    new AbortController().signal,
  );
  const text = renderMarkdown(comparison, session);
  // The file gives the same verdict, status and report.
  const again = compareSession(parseSession(sessionText(session), 'session.json'));
  expect(again).toEqual(comparison);
  return {
    session,
    comparison,
    status: exitStatus(comparison, plan.rules.failOn),
    top: (comparison.measuring?.news ?? []).map(({ sentence }) => sentence),
    /** The text before the table or the details. */
    head: text.split(/^(\||<details>)/m)[0] ?? '',
    verdicts: Object.fromEntries(
      comparison.rows
        .filter(({ metric }) => metric === 'cpu_time_s')
        .map(({ variant, verdict }) => [variant, verdict]),
    ),
  };
}

const BASE: Files = { 'pacegate.yml': configuration({}), 'bench.py': BENCH, 'app.py': app(FAST) };
const both = configuration({ variants: VARIANTS });

test('a variant that is deleted is reported first and not judged; with the rule it fails the gate with 1', async () => {
  const slowed = { 'app.py': app(FAST), 'pacegate.yml': configuration({}), 'note.txt': 'changed' };
  const reported = await gateChange({ ...BASE, 'pacegate.yml': both }, slowed);
  const sentence =
    'This change removes the variant optimised, which its base measures. This report does not judge it.';
  expect(reported.top).toEqual([sentence]);
  expect(reported.head).toContain(sentence);
  expect([reported.comparison.verdict, reported.status]).not.toEqual(['failed', 1]);

  const strict = configuration({ variants: VARIANTS, rule: ', changed-measurement: fail' });
  // The head's own rules do not apply, so it cannot exempt itself.
  const refused = await gateChange(
    { ...BASE, 'pacegate.yml': strict },
    { 'pacegate.yml': configuration({ rule: ', changed-measurement: report' }), 'note.txt': 'changed' },
  );
  expect([refused.comparison.verdict, refused.status]).toEqual(['failed', 1]);
  expect(refused.head).toContain('this change removes or edits what measures it');
  expect(refused.head).toContain('changed-measurement: fail');
}, 600_000);

test('a command that does nothing does not hide a loss: the base’s is measured, and both are tried', async () => {
  const { verdicts, status, top, session } = await gateChange(BASE, {
    'pacegate.yml': configuration({ command: '[python, -c, pass]' }),
    'app.py': app(3 * FAST),
  });
  expect(verdicts).toEqual({ plain: 'regressed' });
  expect(status).toBe(1);
  expect(session.workload.command).toEqual(['python', 'bench.py']);
  expect(top[0]).toBe(
    'This change edits workload.command from "python bench.py" to "python -c pass"; the base\'s was measured, and the new one applies from the next change on.',
  );
  // The baseline's work is small compared with Python's start, so noise may hide the difference there.
  expect(top[1]).toMatch(/disagree in plain: with the head's, .*on the head CPU time is \d+\.\d % lower/);
}, 600_000);

test('a bench.py that slows only the baseline is detected', async () => {
  const { verdicts, top, head, session } = await gateChange(BASE, {
    // Does three times the work on the baseline's code.
    'bench.py': 'import app\nfor _ in range(1 if hasattr(app, "NEW") else 3):\n    app.work()\n',
    'app.py': `NEW = True\n${app(FAST)}`,
  });
  expect(verdicts).toEqual({ plain: 'improved' });
  expect(session.measuring?.trials.map(({ image, pairs }) => [image, pairs > 0])).toEqual([
    ['baseline', true],
    ['head', true],
  ]);
  expect(top[0]).toBe('This change edits the measuring code (workload.files): bench.py changed.');
  expect(top[1]).toMatch(/with the head's, on the baseline CPU time is \d+(\.\d)? % higher/);
  expect(top[1]).toContain('The edit changes the sides by different amounts');
  expect(head).toContain('disagree');
}, 600_000);

test('a bench.py that is moved with its command is measured as the head has it', async () => {
  const repo = { ...BASE };
  const { verdicts, top, session } = await gateChange(repo, {
    'bench.py': 'raise SystemExit("use load.py")\n',
    'load.py': BENCH,
    'pacegate.yml': configuration({ command: '[python, load.py]' }).replace(
      '[bench.py]',
      '[bench.py, load.py]',
    ),
    'app.py': app(3 * FAST),
  });
  expect(session.workload.command).toEqual(['python', 'load.py']);
  expect(verdicts).toEqual({ plain: 'regressed' });
  expect(top[0]).toContain("the head's was measured, because the base's does not run on the head");
}, 600_000);
