/**
 * Counts what `pacegate gate` says of changes whose truth is known, on real images of the fixture service:
 *
 *   slower     the service's cost raised, so that wall and CPU time of the whole run are 20 % higher
 *   harmless   a file of the application changed in a way that costs nothing
 *   words      a change in documentation only
 *
 * `node benchmarks/gates.ts --times 10 --write` counts and writes benchmarks/GATES.md. Needs a Docker engine with the
 * base images, and dist/ as built.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';

const { values } = parseArgs({
  options: { times: { type: 'string', default: '10' }, write: { type: 'boolean', default: false } },
});
const times = Number(values.times);

const TOP = join(import.meta.dirname, '..');
const COST = /^ROUNDS = (\d+)$/m;
/** The passes over a batch are four fifths of a run of this size, so the whole is 20 % slower by this many more. */
const FACTOR = 1.25;
const BLOCKS = 10;
const SIZE = ['--processes', '"1"', '--tasks', '"60"'];

interface Change {
  readonly name: string;
  readonly says: string;
  /** Makes the change in a copy of the service. */
  readonly make: (folder: string) => void;
}

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));

const changes: readonly Change[] = [
  {
    name: 'slower',
    says: 'wall and CPU time `regressed` in every variant, exit status 1',
    make: (folder) =>
      edit(join(folder, 'service/aggregate.py'), (text) =>
        text.replace(COST, (_, rounds: string) => `ROUNDS = ${Math.round(Number(rounds) * FACTOR)}`),
      ),
  },
  {
    name: 'harmless',
    says: 'nothing `regressed`, exit status 0',
    make: (folder) =>
      edit(join(folder, 'service/settings.py'), (text) => `${text}\nUNUSED = "costs nothing"\n`),
  },
  {
    name: 'words',
    says: 'identical images, exit status 0',
    make: (folder) => edit(join(folder, 'README.md'), (text) => `${text}\nMore words.\n`),
  },
];

interface Answer {
  readonly verdict: string;
  readonly results: readonly {
    readonly variant: string;
    readonly metric: string;
    readonly gated: boolean;
    readonly verdict: string;
    readonly evidence: string;
    readonly change: { readonly estimate: number | null };
  }[];
}

interface Gated {
  readonly status: number | null;
  readonly seconds: number;
  readonly answer: Answer;
}

function git(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(
    'git',
    ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
}

function gateOnce({ make }: Change, seed: number): Gated {
  const folder = mkdtempSync(join(tmpdir(), 'pacegate-gates-'));
  try {
    cpSync(join(TOP, 'fixtures/timeseries'), folder, {
      recursive: true,
      filter: (path) => !path.includes('__pycache__'),
    });
    // Enough for four tests, and a gate of a minute: twenty blocks would make an hour of the count.
    // One worker leaves the second core to the engine and to whatever else the machine does.
    edit(join(folder, 'pacegate.yml'), (text) =>
      text
        .replace('rules: {', `rules: { blocks: ${BLOCKS},`)
        // What a fifth more time says nothing of is shown and not judged: it would only cost power.
        .replace('max_rss_bytes: { limit: 5%', 'max_rss_bytes: { gate: false')
        .replace(/(tasks_per_min: .*)limit: 5%/, '$1gate: false')
        .replace('[python, bench.py]', `[python, bench.py, ${SIZE.join(', ')}]`),
    );
    git(folder, 'init', '-q', '-b', 'main');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-q', '-m', 'baseline');
    make(folder);
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(TOP, 'dist/cli.js'),
        'gate',
        '--config',
        'pacegate.yml',
        '--format',
        'json',
        '--seed',
        String(seed),
      ],
      { cwd: folder, encoding: 'utf8' },
    );
    const seconds = (performance.now() - started) / 1000;
    if (stdout === '') throw new Error(stderr);
    return { status, seconds, answer: JSON.parse(stdout) as Answer };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a gate said what is true. */
function isRight(name: string, { status, answer }: Gated): boolean {
  const gated = answer.results.filter((row) => row.gated);
  if (name === 'words') return status === 0 && gated.every(({ evidence }) => evidence === 'identical');
  if (name === 'harmless') return status === 0 && gated.every(({ verdict }) => verdict !== 'regressed');
  const times = gated.filter(({ metric }) => metric === 'wall_time_s' || metric === 'cpu_time_s');
  return status === 1 && times.length === 4 && times.every(({ verdict }) => verdict === 'regressed');
}

/** Every judged row in a line, for the log of a gate that is not as expected. */
const rowsOf = ({ answer }: Gated): string =>
  answer.results
    .filter((row) => row.gated)
    .map(({ variant, metric, verdict, change }) => {
      const by = change.estimate === null ? '' : ` ${percent(change.estimate)}`;
      return `${variant} ${metric} ${verdict}${by}`;
    })
    .join('; ');

/** How often each verdict was given to a gated row. */
function verdictCounts(gates: readonly Gated[]): string {
  const counts = new Map<string, number>();
  for (const { answer } of gates)
    for (const { gated, verdict } of answer.results)
      if (gated) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  return [...counts].map(([verdict, n]) => `${n} ${verdict}`).join(', ');
}

const percent = (fraction: number) => `${fraction < 0 ? '−' : '+'}${Math.abs(fraction * 100).toFixed(1)} %`;

/** The smallest and the largest change that was estimated for CPU time. */
function estimates(gates: readonly Gated[]): string {
  const found = gates.flatMap(({ answer }) =>
    answer.results.flatMap(({ metric, change }) =>
      metric === 'cpu_time_s' && change.estimate !== null ? [change.estimate] : [],
    ),
  );
  return found.length === 0 ? '–' : `${percent(Math.min(...found))} … ${percent(Math.max(...found))}`;
}

const results = new Map<Change, Gated[]>(changes.map((change) => [change, []]));
// The kinds take turns, so that an hour of a busy machine falls on all of them.
for (let round = 0; round < times; round += 1)
  for (const [change, gates] of results) {
    const gated = gateOnce(change, 1000 * round + 7);
    gates.push(gated);
    process.stderr.write(
      `${round + 1}/${times} ${change.name}: ${gated.answer.verdict}, status ${gated.status ?? 'none'}, ${gated.seconds.toFixed(0)} s\n`,
    );
    if (!isRight(change.name, gated)) process.stderr.write(`  not as expected: ${rowsOf(gated)}\n`);
  }

const table = markdownTable([
  ['change', 'right', 'what is right', 'verdicts of the gated rows', 'CPU time, estimated', 'seconds a gate'],
  ...[...results].map(([change, gates]) => {
    const seconds = gates.map((gated) => gated.seconds);
    return [
      change.name,
      `${gates.filter((gated) => isRight(change.name, gated)).length} of ${gates.length}`,
      change.says,
      verdictCounts(gates),
      estimates(gates),
      `${median(seconds).toFixed(0)} (${Math.min(...seconds).toFixed(0)} … ${Math.max(...seconds).toFixed(0)})`,
    ];
  }),
]);
const text = `# Verdicts of real gates

${new Date().toISOString().slice(0, 10)}; ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, kernel ${release()}.
\`node benchmarks/gates.ts --times ${times} --write\` measures again: variants \`official\` and \`debian\` of
\`fixtures/timeseries\`, one worker, ${BLOCKS} blocks, wall and CPU time judged, each gate a process of its own on a new repository.

${table}
`;
process.stdout.write(text);
if (values.write) writeFileSync(join(import.meta.dirname, 'GATES.md'), text);
