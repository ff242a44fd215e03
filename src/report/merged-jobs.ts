import type { Machine, Session } from '../session/session.ts';
import type { Detail } from './details.ts';
import { noise } from './noise.ts';
import { code, sentence } from './escape.ts';
import { count, quantity } from './verdict-wording.ts';
import { duration } from './durations.ts';

/** A table of the jobs that measured one gate: their variants, machines, order and durations. */
export function partsDetail(parts: readonly Session[]): Detail {
  const versions = [...new Set(parts.map(({ tool }) => sentence(tool.version)))];
  return {
    title: 'Environment',
    body: [
      ...parts.map((part) => `- ${roleOf(part)}, session ${code(part.id)}: ${measured(part)}`),
      `- Sides: ${sidesOf(parts)}; Pacegate ${versions.join(', ')}`,
    ].join('\n'),
  };
}

function roleOf({ purpose, shard }: Session): string {
  if (purpose === 'confirmation') return 'confirmation';
  return shard === undefined ? 'gate' : `shard ${shard.index} of ${shard.of}`;
}

const measured = (part: Session): string =>
  [
    machineWords(part.machine),
    noise(part),
    `seed ${part.seed}`,
    `${count(part.runs.length, 'run')} in ${duration(part.budget.spentSeconds)} of a budget of ${duration(part.budget.seconds)}`,
    ...(part.purpose === 'confirmation' || part.budget.blocksPlanned === undefined
      ? []
      : [`at most ${part.budget.blocksPlanned} blocks, because the budget allowed no more`]),
  ].join('; ');

const machineWords = ({ cpuModel, cores, memoryBytes, kernel, engine, runnerImage }: Machine) =>
  `${sentence(cpuModel)}, ${cores} cores, ${quantity(memoryBytes, 'bytes')}, kernel ${sentence(kernel)}, ${sentence(engine)}${runnerImage === '' ? '' : `, ${sentence(runnerImage)}`}`;

function sidesOf([first]: readonly Session[]): string {
  if (first === undefined) return '';
  return first.sides
    .map((side) => {
      const commit = first.source[side];
      return `${side} ${commit === undefined ? 'a folder' : `${code(commit.commit.slice(0, 10))}${commit.dirty ? ' with uncommitted changes' : ''}`}`;
    })
    .join(', ');
}
