import { asv, asvRule } from './asv.ts';
import { benchstat, benchstatRule } from './benchstat.ts';
import { bencher, conbench, rustcPerf } from './history.ts';
import {
  codspeed,
  githubActionBenchmark,
  lastNightOverFivePercent,
  mannWhitneyOnLastNight,
} from './last-night.ts';
import type { Peer } from './peer.ts';
import { benchstatProgram, isInstalled, PROGRAMS_FOLDER, pythonProgram } from './programs.ts';
import { pyperf, pyperfRule } from './pyperf.ts';
import { tachometerRule } from './tachometer.ts';

const BENCHSTAT = 'benchstat';
const BENCHSTAT_INTERLEAVED = 'benchstat, interleaved';

/** The peers' rules as stated, quick enough for a simulation. */
export const RULES: readonly Peer[] = [
  githubActionBenchmark,
  lastNightOverFivePercent,
  codspeed,
  mannWhitneyOnLastNight,
  bencher,
  conbench,
  rustcPerf,
  benchstatRule('sequential', BENCHSTAT),
  benchstatRule('interleaved', BENCHSTAT_INTERLEAVED),
  pyperfRule,
  asvRule,
  tachometerRule,
];

/** A peer whose program is not there: it is named so and no rule stands in for it. */
export interface MissingPeer {
  readonly name: string;
  /** The program that was looked for, and how to get it. */
  readonly reason: string;
}

/** The peers that decide by their own programs, and those that are not installed. */
export function programs(folder: string = PROGRAMS_FOLDER): {
  readonly installed: readonly Peer[];
  readonly missing: readonly MissingPeer[];
} {
  const known = [
    { program: benchstatProgram(folder), peer: benchstat(folder, 'sequential', BENCHSTAT) },
    { program: benchstatProgram(folder), peer: benchstat(folder, 'interleaved', BENCHSTAT_INTERLEAVED) },
    { program: pythonProgram(folder), peer: pyperf(folder) },
    { program: pythonProgram(folder), peer: asv(folder) },
  ];
  return {
    installed: known.filter(({ program }) => isInstalled(program)).map(({ peer }) => peer),
    missing: known
      .filter(({ program }) => !isInstalled(program))
      .map(({ program, peer }) => ({
        name: peer.name,
        reason: `no ${program}: run node benchmarks/gate/peers/install.ts`,
      })),
  };
}
