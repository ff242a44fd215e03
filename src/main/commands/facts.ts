import { Option } from 'commander';
import { factsJson, renderFactsMarkdown, renderFactsTerminal } from '../../report/facts-table.ts';
import { askTargets } from '../../pipeline/ask-interpreters.ts';
import { jsonText } from '../../report/json-text.ts';
import { interpreterPorts } from '../compose.ts';
import type { AddCommand, CommandContext } from './command.ts';

/** `pacegate facts`: lists what the Python of an image or of this machine is. */

interface FactsOptions {
  readonly format?: 'json' | 'markdown';
}

export const addFacts: AddCommand = (program, context, done) => {
  program
    .command('facts')
    .description('report the facts of interpreters in images and on this machine, declared and observed')
    .argument('<target...>', "an image, or a host interpreter's path or command")
    .addOption(
      new Option('--format <format>', 'print this instead of the table').choices(['json', 'markdown']),
    )
    .action(async (targets: string[], options: FactsOptions) =>
      done(await factsCommand(context, targets, options)),
    );
};

/** `facts`: prints the facts of interpreters in images and on this machine. */
export async function factsCommand(
  { places, log, signal, print, width }: CommandContext,
  targets: readonly string[],
  { format }: FactsOptions,
): Promise<number> {
  const { answers, failure } = await askTargets(targets, interpreterPorts(places), log, signal);
  if (format === 'json') print(jsonText(factsJson(answers)));
  else if (answers.length > 0)
    print(format === 'markdown' ? renderFactsMarkdown(answers) : renderFactsTerminal(answers, width));
  if (failure !== undefined) throw failure;
  return 0;
}
