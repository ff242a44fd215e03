import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareSession } from '../verdict/compare.ts';
import { withNights } from '../evidence/nights.ts';
import type { Comparison } from '../verdict/comparison.ts';
import {
  cutTo,
  drawn,
  image,
  night,
  session,
  twoSided,
  type Drawn,
} from '../session/session.test-support.ts';
import { facts } from '../session/facts.test-support.ts';
import type { ChangedMeasurement, Measuring, MeasuringTrial } from '../session/measuring.ts';
import { BUILT_IN_METRICS } from '../session/metric.ts';
import type { Explanation, Profile } from '../session/profile.ts';
import { VERDICTS } from '../session/rules.ts';
import type { Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { lead } from './headline.ts';
import { COMMENT_LIMIT, renderMarkdown } from './markdown.ts';
import { renderTerminal } from './terminal.ts';
import { reasonsUndecided } from './undecided.ts';
import { percent, quantity } from './verdict-wording.ts';
import { metricRule } from '../session/metric.test-support.ts';

/** Compares with the golden file of a report; UPDATE_GOLDEN=1 writes it. */
function golden(name: string, text: string) {
  const path = `fixtures/reports/${name}`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync('fixtures/reports', { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}

const MiB = 1024 ** 2;

/** The true values of one variant's rows: every metric except memory changes by the same factor. */
const rowsOf = (change: number, spread: number): Readonly<Record<string, Drawn>> => ({
  wall_time_s: { level: 0.412, change, spread },
  cpu_time_s: { level: 0.401, change, spread: spread * 0.8 },
  max_rss_bytes: { level: 21_000_000, change: 0, spread: 0.002 },
  memory_peak_bytes: { level: 30_000_000, change: 0.003, spread: 0.01 },
});

/** A session that stops each variant at the look that decides its last row, like a gate. */
function gated(
  variants: Readonly<Record<string, Readonly<Record<string, Drawn>>>>,
  headBytes = 128.4 * MiB,
  seed = 1,
): Session {
  const whole = drawn(variants, { blocks: 30, seed, metrics: BUILT_IN_METRICS });
  const { rows } = compareSession(whole);
  const last = Object.fromEntries(
    whole.variants.map((variant) => [
      variant,
      Math.max(...rows.filter((row) => row.variant === variant && row.gated).map(({ blocks }) => blocks)),
    ]),
  );
  const stopped = cutTo(whole, last);
  return {
    ...stopped,
    machine: {
      ...stopped.machine,
      cpuModel: 'AMD EPYC 7763',
      kernel: '6.8.0',
      engine: 'Docker 28.0.4',
      runnerImage: 'ubuntu24 20260105',
    },
    images: stopped.images.map((one) => ({
      ...one,
      facts: facts(),
      sizeBytes: one.side === 'head' ? headBytes : 128.4 * MiB,
      layers: ['1', '2', '3', '4', '5', '6', ...(one.side === 'head' && headBytes > 130 * MiB ? ['7'] : [])],
      buildSeconds: 61.2,
    })),
    source: {
      ...stopped.source,
      baseline: { commit: 'a'.repeat(40), dirty: false },
      head: { commit: 'b'.repeat(40), dirty: false },
    },
  };
}

/** Judged with a limit of 5 %, and with a warning from 2 % on. */
const warning = (observed: Session): Session => ({
  ...observed,
  rules: {
    ...observed.rules,
    metrics: observed.rules.metrics.map((rule) => (rule.gate ? { ...rule, limit: 0.05, warn: 0.02 } : rule)),
  },
});
/** Judged with a limit of 5 % and absolute bounds, of which debian's base exceeds none. */
const bounded = (observed: Session): Session => ({
  ...observed,
  rules: {
    ...observed.rules,
    metrics: observed.rules.metrics.map((rule) => ({
      ...rule,
      ...(rule.name === 'wall_time_s' ? { limit: 0.05, max: 0.416 } : {}),
      ...(rule.name === 'cpu_time_s' ? { limit: 0.05, max: 0.39 } : {}),
      ...(rule.name === 'image_size_bytes' ? { max: 130 * MiB } : {}),
    })),
  },
});
const noHistory = [
  'There is no baseline history yet: run Pacegate on a schedule with mode: baseline to begin one.',
];
const without = (observed: Session, change: Partial<Session>): Session => ({ ...observed, ...change });
const nights = Array.from({ length: 16 }, (_, i) => night(i, 0.41 * (1 + (i % 5) / 300)));
/** Nights that measured the baseline against itself. They show the noise of a pair. */
const nightsAgainstItself = nights.map((one, i) => ({
  ...drawn({ a: { wall_time_s: { level: 0.41, change: 0, spread: 0.015 } } }, { blocks: 12, seed: i }),
  id: one.id,
  purpose: 'nightly' as const,
}));
const slower = gated({ official: rowsOf(0.061, 0.02), debian: rowsOf(0.004, 0.012) });
/** Other virtual machines and other processes used the machine during a few of the runs. */
const onBusyMachine = (observed: Session): Session => ({
  ...observed,
  runs: observed.runs.map((run, index) => ({
    ...run,
    noise: {
      ...run.noise,
      ...(index % 8 === 0 ? { steal_s: 0.06 } : {}),
      ...(index % 3 === 0 ? { other_cpu_s: 0.33 } : {}),
      ...(index % 30 === 0 ? { frequency_hz: 2.3e9 } : {}),
    },
  })),
});
/** The base image of `official` changed to the next Debian during the change; the base of `debian` stayed the same. */
function onMovedBase(observed: Session): Session {
  const looked = facts({
    system: 'Debian GNU/Linux 12.11 (bookworm)',
    libc: 'glibc 2.36',
    allocator: 'pymalloc on glibc',
    optimization: '-O3',
    libraries: { openssl: '3.0.17', zlib: '1.2.13' },
    packages: { numpy: '2.1.0', pip: '25.1.1' },
    systemPackages: 105,
    properties: {
      pgo: { declared: 'yes', observed: 'yes' },
      lto: { declared: 'yes', observed: 'unknown' },
      shared_libpython: { declared: 'yes', observed: 'yes' },
      frame_pointers: { declared: 'no', observed: 'yes' },
    },
  });
  const moved = {
    ...looked,
    system: 'Debian GNU/Linux 13.1 (trixie)',
    libc: 'glibc 2.41',
    python: '3.13.6',
    libraries: { openssl: '3.5.1', zlib: '1.3.1' },
    packages: { numpy: '2.1.0', pip: '25.2' },
    systemPackages: 98,
    brokenModules: { _tkinter: 'ImportError: libtk8.6.so: cannot open shared object file' },
  };
  return {
    ...observed,
    images: observed.images.map((one) => ({
      ...one,
      base: {
        reference: 'python:3.13-slim',
        digest: `sha256:${(one.variant === 'official' && one.side === 'head' ? 'e' : 'd').repeat(64)}`,
      },
      facts: one.variant === 'official' && one.side === 'head' ? moved : looked,
    })),
  };
}
const profiledAs = (functions: Readonly<Record<string, readonly [own: number, calls: number]>>): Profile => ({
  functions: Object.entries(functions).map(([place, [own, calls]]) => {
    const [name = '', file = '', line = '0'] = place.split(' ');
    return { name, file, line: Number(line), calls, own, total: own };
  }),
  own: Object.values(functions).reduce((sum, [own]) => sum + own, 0),
  processes: 1,
  notes: [],
});
const BEFORE = {
  'aggregate service/aggregate.py 40': [0.21, 80],
  'read service/storage.py 12': [0.052, 160],
  'write service/storage.py 30': [0.043, 160],
  'Worker.run service/worker.py 18': [0.012, 2],
  'JSONDecoder.raw_decode lib/json/decoder.py 351': [0.031, 80],
  'collect service/collector.py 9': [0.02, 1],
} as const;
const explained = (
  head: Readonly<Record<string, readonly [own: number, calls: number]>>,
  change: Partial<Explanation> = {},
): Session => ({
  ...slower,
  explanations: [
    {
      variant: 'official',
      kind: 'cpu',
      profiler: 'cprofile',
      sides: { baseline: profiledAs(BEFORE), head: profiledAs(head) },
      seconds: 3.2,
      ...change,
    },
  ],
});
const single = (head: number) => twoSided({ wall_time_s: [0.42, head] });
const storedOnly = (head: number, cpuModel = 'model') =>
  without(single(head), {
    sides: ['head'],
    runs: single(head).runs.filter(({ side }) => side === 'head'),
    images: [image('a', 'head', 'h')],
    rules: { ...session().rules, evidence: 'stored' },
    machine: { ...session().machine, cpuModel },
  });
const sevenVariants = ['official', 'alpine', 'debian', 'ubuntu', 'pyenv', 'uv', 'conda'];

/** The change's edits to the measuring code. */
const changing = (
  observed: Session,
  measuring: Partial<Measuring>,
  changedMeasurement: ChangedMeasurement = 'report',
): Session => ({
  ...observed,
  measuring: { changes: [], trials: [], ...measuring },
  rules: { ...observed.rules, changedMeasurement },
});
const trial = (image: Side, base: number[], head: number[]): MeasuringTrial => ({
  variant: 'official',
  image,
  pairs: base.length,
  base: { wall_time_s: base },
  head: { wall_time_s: head },
  failures: {},
});

interface Case {
  readonly observed: Session;
  readonly history?: readonly Session[];
  readonly remarks?: readonly string[];
  /** A change of the verdicts after the comparison. */
  readonly then?: (comparison: Comparison) => Comparison;
}

/** Every verdict at least once, and each way in which a session can end. */
const cases: Readonly<Record<string, Case>> = {
  // `debian` was decided at the first look, `official` only later.
  regressed: { observed: slower },
  // One variant's base image changed during the change, and the other's stayed the same.
  'moved-base': { observed: onMovedBase(slower) },
  // A function that the change calls twice as often, and one that it adds.
  'why-named': {
    observed: explained({
      ...BEFORE,
      'aggregate service/aggregate.py 40': [0.232, 80],
      'read service/storage.py 12': [0.105, 320],
      'check service/storage.py 52': [0.019, 320],
    }),
  },
  // Another interpreter: every function takes longer by the same factor, and the facts name the difference.
  'why-spread': {
    observed: onMovedBase(
      explained(
        Object.fromEntries(
          Object.entries(BEFORE).map(([place, [own, calls]], index) => [
            place,
            [own * (1.08 + index / 1000), calls],
          ]),
        ),
      ),
    ),
  },
  'why-not': {
    observed: explained(
      {},
      {
        sides: {},
        problem:
          'official (baseline), under a profiler: the command was ended by SIGSEGV\nFatal Python error: <script>@everyone',
      },
    ),
  },
  'one-of-many': {
    observed: gated(
      Object.fromEntries(
        sevenVariants.map((name) => [name, rowsOf(name === 'pyenv' ? 0.052 : 0.002, 0.01)] as const),
      ),
    ),
  },
  improved: { observed: gated({ official: rowsOf(-0.12, 0.02), debian: rowsOf(0, 0.01) }) },
  unchanged: {
    observed: gated({ official: rowsOf(0.002, 0.015), debian: rowsOf(0, 0.01) }),
    remarks: noHistory,
  },
  'inconclusive-noise': {
    observed: onBusyMachine(gated({ official: rowsOf(0.02, 0.09), debian: rowsOf(0, 0.01) })),
  },
  'inconclusive-budget': {
    observed: without(
      cutTo(gated({ official: rowsOf(0.03, 0.06), debian: rowsOf(0.01, 0.06) }), {
        official: 13,
        debian: 13,
      }),
      { budget: { seconds: 1200, spentSeconds: 1190, blocksLeftOut: 8, secondsLeftOut: 540 } },
    ),
  },
  'inconclusive-first-block': {
    observed: without(cutTo(slower, { official: 4, debian: 4 }), {
      budget: { seconds: 600, spentSeconds: 590, blocksLeftOut: 8, secondsLeftOut: 540 },
    }),
  },
  // Undecided rows whose whole interval is a loss.
  'probably-slower': {
    observed: gated({ official: rowsOf(0.05, 0.08), debian: rowsOf(0, 0.01) }, undefined, 5),
  },
  'probably-lower': {
    observed: drawn(
      {
        a: { requests: { level: 1200, change: -0.045, spread: 0.07 } },
        ...Object.fromEntries(
          ['b', 'c', 'd'].map((name) => [name, { requests: { level: 1200, change: 0, spread: 0.01 } }]),
        ),
      },
      { blocks: 30, seed: 5, metrics: [metricRule('requests', { unit: 'requests/s', better: 'higher' })] },
    ),
  },
  // A loss below the limit of 5 % that warns from 2 % on, in the runs and in the image.
  warning: {
    observed: warning(gated({ official: rowsOf(0.031, 0.012), debian: rowsOf(0.002, 0.01) }, 132.6 * MiB)),
  },
  // The head is above an absolute bound that the base keeps.
  'over-limit': {
    observed: bounded(
      drawn(
        { official: rowsOf(0.02, 0.005), debian: rowsOf(0, 0.005) },
        { blocks: 12, metrics: BUILT_IN_METRICS },
      ),
    ),
  },
  'image-size': {
    observed: gated({ official: rowsOf(0, 0.01), debian: rowsOf(0, 0.01) }, 139.6 * MiB),
  },
  failed: {
    observed: without(slower, {
      runs: slower.runs.filter(({ variant }) => variant === 'official'),
      images: slower.images.filter(({ variant, side }) => variant === 'official' || side === 'baseline'),
      failures: [
        {
          variant: 'debian',
          side: 'head',
          stage: 'build',
          message:
            'debian (head): step [dependencies 3/4] RUN pip install failed with exit code 1\n  ERROR: No matching distribution found for nosuchpackage==1.0',
        },
      ],
    }),
  },
  'no-data': {
    observed: without(slower, {
      runs: slower.runs.filter(({ variant }) => variant === 'official'),
      failures: [
        {
          variant: 'debian',
          side: 'head',
          stage: 'engine',
          message: 'the engine did not start the container three times in a row: no space left on device',
        },
      ],
    }),
  },
  'no-baseline': {
    observed: without(slower, {
      runs: [],
      warmup: slower.warmup.filter(({ side }) => side === 'head'),
      images: [],
      notes: ['There is no baseline to compare with: this is the first commit of the repository'],
    }),
    remarks: noHistory,
  },
  identical: {
    observed: without(slower, {
      runs: [],
      warmup: [],
      images: ['official', 'debian'].flatMap((variant) => [
        image(variant, 'baseline', variant),
        image(variant, 'head', variant),
      ]),
      budget: { ...slower.budget, spentSeconds: 4 },
    }),
  },
  accepted: {
    observed: without(slower, {
      accepted: {
        file: '.github/pacegate-accepted.yml',
        entries: ['wall_time_s', 'cpu_time_s'].map((metric) => ({
          ...{ variant: 'official', metric, upTo: 0.1, author: 'octocat', expires: '2026-12-31' },
          reason: 'Every request is validated now.',
        })),
      },
    }),
  },
  // The change edits what is measured.
  'variant-removed': {
    observed: changing(gated({ official: rowsOf(0.002, 0.015) }), {
      changes: [
        { kind: 'variant_removed', variant: 'debian' },
        { kind: 'variant_edited', variant: 'official', keys: ['PYTHON_VERSION'], starts: false },
      ],
    }),
  },
  'command-changed': {
    observed: changing(slower, {
      changes: [
        { kind: 'command', base: ['python', 'bench.py'], head: ['python', '-c', 'pass'] },
        { kind: 'setting', name: 'timeout', base: '600 s', head: '60 s' },
      ],
      command: { of: 'base' },
      trials: [trial('baseline', [0.41, 0.412, 0.409, 0.414], [0.021, 0.02, 0.022, 0.021])],
    }),
  },
  'bench-disagrees': {
    observed: changing(gated({ official: rowsOf(-0.28, 0.01) }), {
      changes: [{ kind: 'files', edited: ['bench.py'], added: [], removed: ['data/old.json'] }],
      trials: [
        trial('baseline', [0.41, 0.412, 0.409, 0.414], [0.574, 0.577, 0.571, 0.58]),
        trial('head', [0.41, 0.415, 0.409, 0.412], [0.412, 0.41, 0.411, 0.409]),
      ],
    }),
  },
  'bench-agrees': {
    observed: changing(gated({ official: rowsOf(0.002, 0.015) }), {
      changes: [{ kind: 'files', edited: ['bench.py'], added: [], removed: [] }],
      trials: [trial('baseline', [0.41, 0.412, 0.409, 0.414], [0.411, 0.413, 0.41, 0.409])],
    }),
  },
  'measurement-refused': {
    observed: changing(
      gated({ official: rowsOf(0.002, 0.015) }),
      { changes: [{ kind: 'variant_removed', variant: 'debian' }] },
      'fail',
    ),
  },
  nights: { observed: { ...single(0.425), seed: 7 }, history: nights },
  'would-find': {
    observed: cutTo(
      drawn({ a: { wall_time_s: { level: 0.41, change: 0.004, spread: 0.012 } } }, { blocks: 30, seed: 5 }),
      { a: 8 },
    ),
    history: nightsAgainstItself,
  },
  'stored-regressed': { observed: storedOnly(0.452), history: nights },
  'stored-incomparable': { observed: storedOnly(0.425, 'another processor'), history: nights },
  'higher-is-better': {
    observed: twoSided({ requests: [1200, 1100] }, [
      metricRule('requests', { unit: 'requests/s', better: 'higher' }),
    ]),
  },
  'two-modes': {
    observed: {
      ...single(0.42),
      runs: single(0.42).runs.map((run) => ({
        ...run,
        metrics: {
          wall_time_s:
            (run.metrics['wall_time_s'] ?? 0) * (run.side === 'head' && run.block % 2 === 0 ? 1.06 : 1),
        },
      })),
    },
  },
};

test.each(Object.entries(cases))(
  '%s reads as its golden report, in the comment and on a terminal',
  (name, { observed, history = [], remarks = [], then = (comparison) => comparison }) => {
    const judged = withNights(observed, history);
    const comparison = then(compareSession(judged));
    golden(
      `${name}.md`,
      renderMarkdown(comparison, judged, { marker: '<!-- pacegate:pacegate -->', remarks }),
    );
    golden(`${name}.txt`, renderTerminal(comparison, judged, { colour: false, remarks }));
  },
);

test('every verdict has a golden report', () => {
  const seen = Object.values(cases).flatMap(({ observed, history = [], then = (comparison) => comparison }) =>
    then(compareSession(withNights(observed, history))).rows.map(({ verdict }) => verdict),
  );
  expect(new Set(seen)).toEqual(new Set([...VERDICTS, 'info']));
});

test('variants that stopped at different looks are shown with their number of pairs', () => {
  const text = renderMarkdown(compareSession(slower), slower);
  const blocks = ['official', 'debian'].map((variant) =>
    Math.max(...slower.runs.filter((run) => run.variant === variant).map(({ block }) => block)),
  );
  expect(new Set(blocks).size).toBe(2);
  for (const used of blocks) expect(text).toContain(`| ${used} pairs |`);
});

describe('whether it stops anybody, and why', () => {
  const failing = (failOn: Session['rules']['failOn']) =>
    without(slower, { rules: { ...slower.rules, failOn } });
  const first = (observed: Session) => lead(compareSession(observed), observed, 'job')[0];
  test.each([
    [['regressed'], 'This fails the job (fail-on: regressed).'],
    [['inconclusive', 'regressed'], 'This fails the job (fail-on: regressed).'],
    [['unchanged'], 'This fails the job (fail-on: unchanged).'],
    [[], 'This does not fail the job.'],
  ] as const)('fail-on %j: %s', (failOn, text) => expect(first(failing([...failOn]))).toBe(text));

  test('a variant that could not be measured fails the job, whatever fail-on names', () => {
    const { observed } = cases['failed']!;
    expect(first(without(observed, { rules: { ...observed.rules, failOn: [] } }))).toBe(
      'This fails the job (something could not be measured).',
    );
  });

  test('without a session the reason is unknown, and none is reported', () =>
    expect(lead(compareSession(slower), undefined, 'command')[0]).toMatch(/^Look for the cause/));

  const noisy = gated({ official: rowsOf(0.02, 0.09) });
  const to = (blocks: number, budget: Partial<Session['budget']>) =>
    without(cutTo(noisy, { official: blocks }), { budget: { ...noisy.budget, ...budget } });
  test.each([
    ['noise', noisy, /^After all 30 pairs, the noise/],
    [
      'the budget ended',
      to(14, { blocksLeftOut: 8, secondsLeftOut: 540 }),
      /^The budget of 20 min ended before/,
    ],
    ['the budget lowered the cap', to(12, { blocksPlanned: 12 }), /allowed 12 pairs, not 30/],
    [
      'the rest of the budget would not do',
      to(14, { blocksLeftOut: 16, secondsLeftOut: 540, stopped: ['official'] }),
      /^The noise is too large for the rest of the budget of 20 min: after 12 pairs the chance of an answer was below 5 %/,
    ],
    ['the session was cut short', to(14, {}), /^The session ended early\./],
  ])('undecided because of %s', (_, observed, reason) => {
    const { rows } = compareSession(observed);
    const undecided = rows.filter(({ verdict }) => verdict === 'inconclusive');
    expect(undecided.length).toBeGreaterThan(0);
    expect(reasonsUndecided(undecided, observed)).toEqual([expect.stringMatching(reason)]);
  });
});

describe('a comment of any size', () => {
  const many = (variants: number, message: string): Session => {
    const names = Array.from({ length: variants }, (_, i) => `variant-${i}`);
    const base = twoSided(
      { wall_time_s: [1, 1.2], cpu_time_s: [1, 1.2], max_rss_bytes: [1, 1.2] },
      BUILT_IN_METRICS,
    );
    return {
      ...base,
      variants: names,
      runs: names.flatMap((variant) => base.runs.map((run) => ({ ...run, variant }))),
      images: names.flatMap((variant) => base.images.map((one) => ({ ...one, variant }))),
      failures: names.slice(0, 20).map((variant) => ({ variant, side: 'head', stage: 'build', message })),
    };
  };
  test.each([
    [7, 'short'],
    [200, 'x'.repeat(1_000_000)],
    [1500, 'many\nlines\n'.repeat(1000)],
  ])('%d variants stay under the limit, whole, with a pointer to the rest', (variants, message) => {
    const observed = many(variants, message);
    const text = renderMarkdown(compareSession(observed), observed, {
      artifactUrl: 'https://example.org/artifact',
    });
    expect(text.length).toBeLessThan(COMMENT_LIMIT);
    expect(text.match(/<details/g)?.length).toBe(text.match(/<\/details>/g)?.length);
    expect((text.match(/^`{3,}/gm)?.length ?? 0) % 2).toBe(0);
    expect(text).toContain(
      '[artifact](https://example.org/artifact)'.replace(
        '[artifact]',
        variants > 7 ? '[the artifact]' : '[artifact]',
      ),
    );
  });
});

test('nothing from outside becomes HTML, a mention, a link, a table cell or a fence', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      '<b>',
      '</details>',
      '@admin',
      '|',
      '`',
      '```',
      '\n',
      '[x](http://a)',
      '![i](u)',
      '#1',
      '\\',
      'www.a.b',
      '\u202e',
      '-->',
      'a',
    ),
    maxLength: 12,
  });
  fc.assert(
    fc.property(nasty, nasty, nasty, (variant, message, unit) => {
      const base = twoSided({ wall_time_s: [1, 1.2] });
      const observed: Session = {
        ...base,
        variants: [variant],
        runs: base.runs.map((run) => ({ ...run, variant, metrics: { ...run.metrics, tasks: 3 } })),
        images: base.images.map((one) => ({ ...one, variant, id: message })),
        machine: { ...base.machine, cpuModel: message, kernel: unit },
        notes: [message],
        failures: [{ variant, side: 'head', stage: 'workload', message: `${message}\n${unit}` }],
        declaredMetrics: { tasks: { unit } },
        workload: { ...base.workload, command: [message, unit] },
      };
      const text = renderMarkdown(compareSession(observed), observed);
      const outside = text
        .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
        .replace(/`[^`\n]*`/g, '')
        .replace(/<\/?details( open)?>|<\/?summary>/g, '');
      expect(outside).not.toMatch(/[<>]/);
      expect(outside).not.toMatch(/@[a-z]/);
      expect(outside).not.toMatch(/:\/\//);
      expect(outside).not.toMatch(/(?<!\\)\]\(/);
      for (const block of text.split('\n\n').filter((part) => part.startsWith('| ')))
        for (const row of block.trim().split('\n'))
          expect(row.replace(/\\\|/g, '').match(/\|/g)?.length).toBe(
            block.split('\n')[0]?.replace(/\\\|/g, '').match(/\|/g)?.length,
          );
      expect(renderTerminal(compareSession(observed), observed, { colour: false })).not.toContain('\u202e');
    }),
    { numRuns: 200 },
  );
});

test('colours only where they are asked for', () => {
  const comparison = compareSession(slower);
  expect(renderTerminal(comparison, slower, { colour: false })).not.toContain('\u001b');
  expect(renderTerminal(comparison, slower, { colour: true })).toContain('\u001b');
});

test.each([
  [0.213, '+21.3 %'],
  [-0.004, '−0.4 %'],
  [0.0002, '±0.0 %'],
  [2.4, '+240 %'],
  [null, '–'],
])('the fraction %s is %s', (fraction, text) => expect(percent(fraction)).toBe(text));

test.each([
  [0.41234, 's', '412.3 ms'],
  [12.3456, 's', '12.35 s'],
  [0.0000421, 's', '42.10 µs'],
  [21_000_000, 'bytes', '20.03 MiB'],
  [512, 'bytes', '512.0 B'],
  [0, 'bytes', '0 B'],
  [12_345, 'tasks', '12345 tasks'],
  [7, 'layers', '7 layers'],
  [1, 'layers', '1 layer'],
  [null, 's', '–'],
])('%s in %s is %s', (value, unit, text) => expect(quantity(value, unit)).toBe(text));

describe('valgrind’s count', () => {
  const counted = (baseline: readonly number[], head: readonly number[], limit = 0.01): Session => {
    const whole = session([
      ...BUILT_IN_METRICS.filter(({ name }) => name === 'valgrind_instructions').map((rule) => ({
        ...rule,
        gate: true,
        limit,
      })),
    ]);
    const of = (side: 'baseline' | 'head', counts: readonly number[]) => ({
      ...image('a', side, side),
      counted: {
        tool: 'callgrind' as const,
        version: 'valgrind-3.19.0',
        counts: [...counts],
        processes: 2,
        seconds: 30,
      },
    });
    const both = twoSided({ wall_time_s: [1, 1] });
    return { ...whole, runs: both.runs, images: [of('baseline', baseline), of('head', head)] };
  };
  const texts = (one: Session) => {
    const comparison = compareSession(one);
    return {
      markdown: renderMarkdown(comparison, one).replaceAll('\u00a0', ' '),
      terminal: renderTerminal(comparison, one, { colour: false }),
    };
  };

  test('is shown in millions, apart from the runs, with how it was counted and how long that took', () => {
    const { markdown, terminal } = texts(counted([215_407_953, 215_407_954], [229_127_459, 229_127_459]));
    expect(terminal).toContain('instructions (valgrind)');
    expect(terminal).toContain('Pacegate: a regressed: instructions (valgrind) +6.4 %');
    expect(markdown).toContain('| 215.4 M | 229.1 M | +6.4 % (counted) | 🔴 **regressed** |');
    expect(markdown).toContain(
      '`a` instructions (valgrind) got worse: 6.4 % higher, from 215.4 M to 229.1 M. Valgrind counted it in separate runs; a change counts from 1 %.',
    );
    expect(markdown).toContain(
      'Instructions were counted by callgrind (valgrind-3.19.0), one repetition of each side with the same hash seed, before the first block; differences of the limit or more were counted again, and counts of one side are less than 0.001 % apart.',
    );
    expect(markdown).toContain('60 s of them to count instructions');
    // No judged row was tested.
    expect(markdown).not.toContain('Holm over');
    // Without noise no report is wrong in one of twenty cases.
    expect(markdown).not.toContain('would still raise an alarm');
    expect(texts(counted([1000], [1000])).markdown).toContain(
      'differences of the limit or more are counted again',
    );
  });

  test('that a workload does not do twice alike is inconclusive, and more pairs would not decide it', () => {
    const { markdown } = texts(counted([1000, 1100], [1150, 1250]));
    expect(markdown).toContain('🟡 inconclusive');
    expect(markdown).toContain(
      'The counts of one side differ from each other as much as from the other side',
    );
    expect(markdown).toContain(
      'two counts of one side differ by up to 10.0 %, and the sides do not differ by more',
    );
    expect(markdown).not.toContain('pairs were run');
  });

  test.each([
    [0, '0'],
    [999, '999.0'],
    [1_234_567, '1.235 M'],
    [11_446_487_531, '11.45 G'],
    [3e15, '3000 T'],
  ])('%d instructions are %s', (value, said) => {
    expect(quantity(value, 'instructions')).toBe(said);
  });
});
