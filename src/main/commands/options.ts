import { InvalidArgumentError, Option } from 'commander';
import { DEFAULTS } from '../../plan/defaults.ts';
import { parseDuration } from '../../plan/quantities.ts';
import { overridesOf } from '../../plan/resolve.ts';
import { parseVerdicts, VERDICTS, type EvidenceRequest, type Verdict } from '../../session/rules.ts';
import { openProject } from '../../pipeline/open-project.ts';
import { projectSource } from '../compose.ts';
import { FORMATS, type Printed } from './formats.ts';

/** The options of commands that measure a configuration's plan. */
export interface Planned extends Printed {
  readonly config?: string;
  readonly out: string;
  readonly variants?: string[];
  readonly budget?: string;
  readonly seed?: number;
  readonly baselineBranch?: string;
  readonly evidence?: EvidenceRequest;
  readonly failOn?: Verdict[];
}

/** The project of the working folder. The options override its configuration. */
export const openProjectHere = async (options: Omit<Planned, 'out'>) =>
  await openProject(
    { directory: process.cwd(), config: options.config, overrides: overridesOf(options) },
    projectSource,
  );

/** Options that several commands share. */
export const option = {
  config: () => new Option('--config <file>', `the configuration (default: ${DEFAULTS.configurationFile})`),
  out: (folder = 'pacegate-out') =>
    new Option('--out <dir>', 'folder for the files of the run').default(folder),
  format: () => new Option('--format <format>', 'print this instead of the table').choices(FORMATS),
  variants: () => new Option('--variants <list>', 'only these variants').argParser(list),
  failOn: () =>
    new Option('--fail-on <list>', 'verdicts that give exit status 1, or none').argParser(verdicts),
  budget: () => new Option('--budget <duration>', 'time for building and measuring').argParser(duration),
  seed: () => new Option('--seed <n>', 'seed of the order').argParser(seed),
  branch: () => new Option('--baseline-branch <name>', 'the branch that keeps the baselines'),
};

const list = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '');

/** The values of an option that may be given several times. */
export const collect = (value: string, before: readonly string[]) => [...before, value];

function verdicts(text: string): Verdict[] {
  const { named, unknown } = parseVerdicts(list(text));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`Found ${unknown.join(', ')}; expected: none, ${VERDICTS.join(', ')}.`);
  return named;
}

function duration(text: string): string {
  if (parseDuration(text) === undefined)
    throw new InvalidArgumentError('Expected: a duration such as 90s, 20m or 1h30m.');
  return text;
}

/** @throws InvalidArgumentError for anything but a whole number from `least` to 999 */
export function wholeNumber(text: string, least: number): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) < least)
    throw new InvalidArgumentError(`Expected: a whole number from ${least} to 999.`);
  return Number(text);
}

function seed(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffff_ffff)
    throw new InvalidArgumentError('Expected: a whole number from 0 to 4294967295.');
  return Number(text);
}
