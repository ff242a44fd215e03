import type { Command } from 'commander';
import type { CommandContext } from '../main/commands/command.ts';
import { commandLine } from '../main/terminal.ts';

/** A command with the names of those that it is below, and all commands below it. */
const withCommands = (command: Command, name: string): readonly (readonly [string, Command])[] => [
  [name, command],
  ...command.commands.flatMap((below) => withCommands(below, `${name} ${below.name()}`.trim())),
];

/** The program's own grammar, with commands that do nothing. */
export function grammar(): Command {
  // No command runs, so nobody asks for the context.
  const program = commandLine({} as CommandContext, () => undefined);
  for (const [name, command] of withCommands(program, '')) {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (name !== '') command.action(() => undefined);
  }
  return program;
}

/** The help of the program and of each command, by its name. */
export function helpTexts(): Readonly<Record<string, string>> {
  const texts = withCommands(grammar(), '').map(([name, command]) => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    return [`${name} --help`.trim(), text] as const;
  });
  return Object.fromEntries(texts);
}
