import { expect, test } from '@jest/globals';
import { alarmsOf } from '../history/alarms.ts';
import { checkup, type RowCheckup } from '../diagnosis/checkup.ts';
import { compareSession } from '../verdict/compare.ts';
import { nightlyHistory } from '../history/history.ts';
import { nightAgainstItself, simulated } from '../session/session.test-support.ts';
import type { History } from '../session/history.ts';
import type { Finding } from '../session/machine-reading.ts';
import { adviceOf, doctorJson, renderDoctor, type DoctorReport } from './doctor.ts';
import { code, oneLine } from './escape.ts';
import { alarmSentences, historyDetails, historySentences } from './history.ts';
import { renderNightlyMarkdown, renderNightlyTerminal } from './nightly.ts';

const nights = Array.from({ length: 23 }, (_, day) => nightAgainstItself(day, { noise: 0.02 }));
const newest = nights.at(-1)!;
const history = nightlyHistory({ sessions: nights, summaries: [] });
const since = { started: '2026-01-22T04:00:00.000Z', commit: 'abcdef0123456789' };
const creeping: History['anchor'] = {
  commit: '0123456789abcdef',
  sessions: 12,
  first: since,
  last: since,
  creeps: [
    { variant: 'a', metric: 'wall_time_s', now: 0.032, p: 1e-5, kind: 'slope', size: 0.004, since },
    { variant: 'a', metric: '<tasks>', now: 0.05, p: 0.001, kind: 'step', size: 0.048, since },
  ],
};

test('a quiet night reports the false alarms so far, and each row’s noise, tau and the smallest loss that a gate finds', () => {
  const night = { ...newest, history };
  const markdown = renderNightlyMarkdown(night, compareSession(night), ['Stored as 1.']);
  expect(markdown).toMatch(
    /^### 📏 Pacegate: 1 variant measured against itself in 60 runs; no false alarm\n\nStored as 1\./,
  );
  expect(markdown).toContain(
    'False alarms so far, with the baseline gated against itself: 0 of 23 nights, at most 14.8 %;',
  );
  expect(markdown).toMatch(
    /\| `a` \| wall time \| [\d.]+ m?s \| .+ \| unchanged \| (1\.9|2|2\.1) % \| 0(\.\d)? % \| ≥ 3\.\d % \| 23 \|/,
  );
  const terminal = renderNightlyTerminal(night, compareSession(night), { colour: false });
  expect(terminal).toMatch(/^variant {2}metric +median .*80 % power at {2}nights\na {8}wall time/);
  expect(terminal.trimEnd().split('\n').at(-1)).toBe(
    'Pacegate: 1 variant measured against itself in 60 runs; no false alarm',
  );
});

test('a false alarm is called one, with its size', () => {
  const wrong = nightAgainstItself(40, { noise: 0.01, centre: Math.log(1.06) });
  const alarms = alarmsOf({ sessions: [...nights, wrong], summaries: [] });
  expect(renderNightlyMarkdown(wrong, compareSession(wrong))).toMatch(
    /1 false alarm: `a` wall time \+\d\.\d % [^]*\| false alarm \|/,
  );
  expect(alarmSentences(alarms)[0]).toContain('1 of 24 nights, which is 4.2 % (0.1 % to 21.1 %)');
});

test('creep and level shifts are reported with their beginning, and that they do not fail the job', () => {
  const shifts = [{ variant: 'a', metric: 'wall_time_s', change: 0.021, p: 0.001, at: since }];
  expect(historySentences({ ...history, anchor: creeping, shifts }, oneLine).slice(1)).toEqual([
    'Creep: a wall time is 3.2 % worse than the anchor 0123456789 (p < 0.001), 0.4 % a week since 2026-01-22 (commit abcdef0123). Creep does not fail the job.',
    'Creep: a <tasks> is 5 % worse than the anchor 0123456789 (p = 0.001), a step of 4.8 % at 2026-01-22 (commit abcdef0123). Creep does not fail the job.',
    'Level shift: a wall time +2.1 % at 2026-01-22 (commit abcdef0123), p ≤ 0.001. Stored evidence leaves out older nights.',
  ]);
  const quiet = { ...creeping, creeps: [] };
  expect(historySentences({ ...history, anchor: quiet }, oneLine).at(-1)).toBe(
    'No creep against the anchor 0123456789: 12 weekly comparisons since 2026-01-22.',
  );
});

test('a gate has them in one folded detail, with names escaped', () => {
  expect(historyDetails(newest)).toEqual([]);
  const [detail] = historyDetails({ ...newest, history: { ...history, shifts: [], anchor: creeping } });
  expect(detail?.body).toMatch(
    /^- False alarms so far.*\n- Creep: `a` wall time.*\n- Creep: `a` &lt;tasks&gt; is/,
  );
  expect(historySentences(history, code)).toHaveLength(1);
});

const report = (noise: number, change: Partial<DoctorReport> = {}): DoctorReport => {
  const session = simulated({ noise, level: 3, blocks: 12, seed: 3 });
  return {
    checkup: checkup(session, session.rules),
    session,
    findings: [],
    inContainer: undefined,
    cap: session.rules.blocks,
    budgetSeconds: 1200,
    ...change,
  };
};

test('doctor recommends nothing if the noise is small', () => {
  const quiet = report(0.01);
  expect(adviceOf(quiet)).toEqual([expect.stringContaining('Nothing to fix')]);
  const text = renderDoctor(quiet, { colour: false, width: 120 });
  expect(text).toMatch(/a +wall time +3 % +(0\.\d|1\.\d|1) % +≥ 3\.\d % +8 +3\.0 s\n/);
  expect(text).toContain('Machine during the runs: quiet (load 0.4 on 2 cores).');
  expect(text.trimEnd().split('\n').at(-1)).toMatch(
    /^Pacegate: the smallest loss that a gate finds here is 3\.\d % \(a wall time\); the row finds 5\/3 of the limit$/,
  );
});

test('doctor recommends what helps if the noise is large, the budget is short or the machine is busy', () => {
  const noisy = report(0.1);
  expect(adviceOf(noisy).join('\n')).toMatch(
    /^wall time of a is too noisy for its limit of 3 %: metrics\.wall_time_s\.limit: [\d.]+% is the smallest limit that this machine can hold\.$/,
  );
  const short = simulated({ noise: 0.1, level: 0.2, blocks: 12, seed: 3 });
  const brief = report(0.1, { checkup: checkup(short, short.rules), session: short, budgetSeconds: 5 });
  expect(adviceOf(brief)).toEqual([
    expect.stringMatching(/A run of a takes 0\.20 s\..*workload\.repetitions: (9|10|11) makes it about 2 s/),
    expect.stringContaining('too noisy'),
    expect.stringMatching(/Measuring takes about \d+ s, and the budget is 5 s/),
  ]);
  const server = {
    ready: 1,
    load: ['x'],
    warmUp: 1,
    stop: 'SIGTERM',
    stopTimeoutSeconds: 1,
    startTimeoutSeconds: 1,
  };
  const served = { ...short, workload: { ...short.workload, server } };
  expect(
    adviceOf(report(0.1, { checkup: checkup(served, served.rules), session: served, budgetSeconds: 5 }))[0],
  ).toMatch(
    /^A round of load on a takes 0\.20 s\. Longer rounds are steadier: about (9\.\d|1\d\.\d) times the requests make it 2 s\.$/,
  );
  const busy = { ...noisy.checkup, busy: { ...noisy.checkup.busy, load: 9.5, stealShare: 0.04 } };
  expect(adviceOf(report(0.1, { checkup: busy }))[0]).toContain(
    'The machine was busy (load 9.5 on 2 cores, steal 4 % of the time)',
  );
});

test('the doctor’s last line has the smallest loss that shows, of the best row and the worst', () => {
  const { checkup: found } = report(0.01);
  const [row] = found.rows;
  const last = (rows: readonly RowCheckup[]) =>
    renderDoctor(report(0.01, { checkup: { ...found, rows } }), { colour: false, width: 120 })
      .trimEnd()
      .split('\n')
      .at(-1);
  const rows = [
    { ...row!, detectable: 0.04 },
    { ...row!, metric: 'cpu_time_s', detectable: 0.021 },
  ];
  expect(last(rows)).toBe(
    'Pacegate: the smallest loss that a gate finds here is 2.1 % (a CPU time) to 4 % (a wall time); all 2 rows find 5/3 of the limit',
  );
  expect(last([...rows, { ...row!, metric: 'max_rss_bytes', detectable: null }])).toBe(
    'Pacegate: the smallest loss that a gate finds here is 2.1 % (a CPU time) to more than 50 % (a memory (RSS)); 1 of 3 rows would miss 5/3 of the limit',
  );
  expect(last([])).toBe('Pacegate: nothing could be measured');
});

test('a container’s finding is shown with the machine’s activity, and in the JSON with the machine’s findings', () => {
  const inContainer: Finding = {
    name: 'seccomp in containers',
    value: 'a filter that switches off store bypass',
    judgement: 'bad',
    advice: 'Boot with less.',
  };
  const findings: Finding[] = [{ name: 'cores', value: '2', judgement: 'good' }];
  const whole = report(0.01, { findings, inContainer });
  expect(renderDoctor(whole, { colour: false, width: 120 })).toMatch(
    /Machine during the runs: quiet .*\n {2}bad {7}seccomp in containers: a filter that switches off store bypass\. Boot with less\.\n/,
  );
  expect(doctorJson(whole)).toMatchObject({ findings: [...findings, inContainer], disturbances: [] });
});

test('other processes in most of the runs make the machine busy', () => {
  const session = simulated({ noise: 0.01, level: 3, blocks: 12, seed: 3 });
  const disturbed = (share: number) => ({
    ...session,
    runs: session.runs.map((run, index) => ({
      ...run,
      noise: { ...run.noise, ...(index < share * session.runs.length ? { other_cpu_s: 6 } : {}) },
    })),
  });
  expect(adviceOf(report(0.01, { session: disturbed(0.5) }))[0]).toMatch(
    /^The machine was busy \(other processes on 2\.0 processors in 12 of 24 runs\)\. End the other programs or use another machine/,
  );
  expect(adviceOf(report(0.01, { session: disturbed(0.2) }))).toEqual([
    expect.stringContaining('Nothing to fix'),
  ]);
});
