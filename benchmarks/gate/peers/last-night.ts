import { benchstatFlags } from './benchstat.ts';
import { rowByRow, type Peer, type TwoSampleRule } from './peer.ts';
import { mean, median } from './summary.ts';

/** Rules that know one stored session of the baseline: the last. */
const onLastNight = (
  peer: Pick<Peer, 'name' | 'rule' | 'source'> & { readonly worse: TwoSampleRule },
): Peer => {
  const { worse, ...decides } = peer;
  return { ...decides, data: 'nights', runs: 'rule', flags: rowByRow('nights', worse) };
};

export const githubActionBenchmark = onLastNight({
  name: 'github-action-benchmark',
  rule: 'mean over 200 % of the previous entry',
  // Its entry of a pytest benchmark is operations a second, the inverse of the mean.
  source:
    'benchmark-action/github-action-benchmark: src/write.ts (findAlerts, getRatio), README (alert-threshold)',
  worse: (last, head) => mean(head) / mean(last) > 2,
});

export const lastNightOverFivePercent = onLastNight({
  name: 'last night over 5 %',
  rule: "median more than 5 % over the last night's",
  source: 'the rule that many projects write by hand',
  worse: (last, head) => median(head) / median(last) > 1.05,
});

export const codspeed = onLastNight({
  name: 'CodSpeed',
  rule: "base / head - 1 below -10 %: a median over 1 / 0.9 of the previous run's",
  // The documentation gives the threshold; how the change is reckoned is seen from its published reports
  // (8.9 µs to 12.5 µs is -28.78 %). Which summary of the runs it compares is stated nowhere: the median here.
  source: 'codspeed.io/docs/features/customization (global regression threshold), performance reports',
  worse: (last, head) => median(last) / median(head) - 1 < -0.1,
});

export const mannWhitneyOnLastNight = onLastNight({
  name: 'Mann-Whitney on last night',
  rule: "Mann-Whitney U of the runs against the last night's, two-sided, alpha 0.05; a higher median",
  source: "benchstat's test, as it is used on stored runs",
  worse: benchstatFlags,
});
