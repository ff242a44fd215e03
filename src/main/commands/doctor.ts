import { Option } from 'commander';
import { PacegateError } from '../../errors/errors.ts';
import { DEFAULTS } from '../../plan/defaults.ts';
import { doctorJson, findingsJson, renderDoctor } from '../../report/doctor.ts';
import { renderFindings } from '../../report/machine-findings.ts';
import { examine } from '../../pipeline/doctor.ts';
import { inspectMachine } from '../../pipeline/machine-inspection.ts';
import { inspection } from '../compose.ts';
import { hasConfiguration } from '../../source/configuration-file.ts';
import { jsonText } from '../../report/json-text.ts';
import { COULD_NOT_BE_MEASURED, withTemporaryRun, type AddCommand, type CommandContext } from './command.ts';
import { openProjectHere, option, wholeNumber } from './options.ts';

/** The minimum number of pairs for an estimate of the noise. */
const FEWEST_BLOCKS = 8;

const doctorBlocks = (text: string) => wholeNumber(text, FEWEST_BLOCKS);

interface DoctorOptions {
  readonly config?: string;
  readonly variants?: string[];
  readonly budget?: string;
  readonly seed?: number;
  readonly blocks: number;
  readonly format?: 'json';
}

export const addDoctor: AddCommand = (program, context, done) => {
  program
    .command('doctor')
    .description(
      'examine this machine, measure the files here against themselves, and report what a gate would find',
    )
    .addOption(option.config())
    .addOption(new Option('--format <format>', 'print this instead of the table').choices(['json']))
    .addOption(option.variants())
    .addOption(
      new Option('--blocks <n>', 'pairs of each variant, at least 8').argParser(doctorBlocks).default(12),
    )
    .addOption(option.budget())
    .addOption(option.seed())
    .action(async (options: DoctorOptions) => done(await doctorCommand(context, options)));
};

export async function doctorCommand(context: CommandContext, options: DoctorOptions): Promise<number> {
  if (options.config === undefined && !(await hasConfiguration(process.cwd(), DEFAULTS.configurationFile)))
    return await machineAlone(context, options.format === 'json');
  const project = await openProjectHere(options);
  return await withTemporaryRun(context, async (run, ports) => {
    const json = options.format === 'json';
    const look = await inspectMachine(project.plan, ports.inspect);
    // Printed at once, so that the user can read it while the measuring runs or if it fails.
    if (!json) context.print(renderFindings(look.findings, context));
    const report = await examine(project, options.blocks, look, run, ports, context.signal).catch(
      (error: unknown) => {
        if (json && error instanceof PacegateError)
          context.print(jsonText(findingsJson(look.findings, error.message)));
        throw error;
      },
    );
    context.print(json ? jsonText(doctorJson(report)) : renderDoctor(report, context));
    return report.checkup.rows.length === 0 || report.interrupted ? COULD_NOT_BE_MEASURED : 0;
  });
}

/** Inspects only the machine and its engine, if there is no configuration. */
async function machineAlone(context: CommandContext, json: boolean): Promise<number> {
  const { findings } = await inspectMachine(undefined, inspection(context.places));
  context.print(json ? jsonText(findingsJson(findings)) : renderFindings(findings, context));
  context.log.info(
    'There is no configuration, so doctor examined the machine only. `pacegate init` writes a configuration.',
  );
  return 0;
}
