import { Option } from 'commander';
import { markerOf, renderMarkdown } from '../../report/markdown.ts';
import { renderTerminal } from '../../report/terminal.ts';
import { exitStatus } from '../../verdict/exit-status.ts';
import { runDemo } from '../../pipeline/demo.ts';
import { writeResults } from '../../pipeline/results.ts';
import { logOutFolder, withRun, type AddCommand, type CommandContext } from './command.ts';
import { option } from './options.ts';

/** `pacegate demo`: gates a small application against its own earlier version. */

interface DemoOptions {
  readonly out: string;
  readonly seed?: number;
  readonly host?: boolean;
}

export const addDemo: AddCommand = (program, context, done) => {
  program
    .command('demo')
    .description('gate a small application against its own earlier version, in about a minute')
    .addOption(option.out('pacegate-out/demo'))
    .addOption(option.seed())
    .addOption(new Option('--host', "use this machine's Python even if Docker is available"))
    .action(async (options: DemoOptions) => done(await demoCommand(context, options)));
};

export async function demoCommand(context: CommandContext, options: DemoOptions): Promise<number> {
  const { log, signal, places } = context;
  return await withRun(context, options.out, async (run, ports) => {
    const { session, comparison, introduction, conclusion } = await runDemo(
      { host: options.host ?? false, seed: options.seed },
      places.fixtures,
      run,
      ports,
      signal,
    );
    await writeResults(run.out, session, comparison, () =>
      renderMarkdown(comparison, session, { marker: markerOf('demo') }),
    );
    log.step('Verdict');
    context.print(renderTerminal(comparison, session, { colour: context.colour }));
    context.print(`\n${introduction}\n${conclusion}\n`);
    logOutFolder(context, run.out, session);
    // A regression is the purpose of the demonstration. Only a failure to measure is an error.
    return exitStatus(comparison, []);
  });
}
