import { markdownTable } from 'markdown-table';
import { rankVariants } from '../../src/ranking/rank.ts';
import { renderRankingMarkdown } from '../../src/report/ranking-report.ts';
import { percent } from '../../src/report/verdict-wording.ts';
import { duration } from '../../src/report/durations.ts';
import type { Session } from '../../src/session/session.ts';
import type { Builds } from './builds.ts';
import { check, FINDINGS, span } from './findings.ts';

/** The page that is committed: the table, and what it says of the talk's. */
export function resultMarkdown(session: Session, builds: Builds, notes: readonly string[]): string {
  const { machine, started, ended, runs, seed } = session;
  const minutes = (Date.parse(ended) - Date.parse(started)) / 1000;
  const building = Object.values(builds).reduce((sum, { cost }) => sum + cost.seconds, 0);
  const rows = FINDINGS.map((finding) => {
    const { row, holds } = check(session, finding);
    const { estimate = null, low = null, high = null } = row?.change ?? {};
    const interval = low === null || high === null ? '' : ` (${percent(low)} … ${percent(high)})`;
    return [
      finding.says,
      percent(finding.talk),
      estimate === null ? '–' : `${percent(estimate)}${interval}`,
      `**${holds}**`,
    ];
  });
  const standIns = ['uv'];
  const spread = (metric: string) => span(session, metric, standIns);
  const ranking = rankVariants(session);
  return `# Which Python? The talk's table, done again

Made by \`npm run reproduce:talk\` on ${started.slice(0, 10)}: ${machine.cpuModel}, ${machine.cores} cores, ${machine.engine}, kernel ${machine.kernel};
${runs.length} runs in ${duration(minutes)} (seed ${seed}), after cold builds of ${duration(building)}. One Python (${ranking.variants[0]?.python ?? ''}) and one base for all.

${notes.map((note) => `- ${note}`).join('\n')}

${renderRankingMarkdown(ranking, session)}
## Read against the talk

The talk ("Conteneurisation de Python", BreizhCamp 2025) measured each image once, with Python 3.11 and 3.12 on two
systems. Its figures are in the second column; ours, with 95 % intervals, in the third. \`holds\`: shown in the same
direction, and the talk's figure lies in our interval (of a finding that nothing differs: a difference that matters is
ruled out); smaller or larger: shown in the same direction, and it does not.

${markdownTable([['finding', 'talk', 'here (95 % interval)', ''], ...rows], { align: ['l', 'r', 'r', 'l'], alignDelimiters: false })}

"Throughput hides it": in the talk tasks a minute span 3.4 % over all images and CPU a task 64 %. Here, without the
stand-in ${standIns.join(', ')}: tasks a minute ${spread('work_per_minute')}, CPU a task ${spread('cpu_time_s_per_work')}. The talk's service waited for its
disk most of the time; this workload computes on every core that it gets, so what costs processor time costs throughput too.

| what was built cold | wall time | processor time of its steps | the machine's tasks waited for a processor |
| --- | ---: | ---: | ---: |
${Object.entries(builds)
  .map(
    ([name, { cost }]) =>
      `| ${name} | ${duration(cost.seconds)} | ${cost.cpuSeconds === undefined ? '–' : duration(cost.cpuSeconds)} | ${cost.cpuPressure === undefined ? '–' : `${Math.round(cost.cpuPressure * 100)} %`} |`,
  )
  .join('\n')}
`;
}
