import type { Command } from 'commander';
import type { CommandContext } from '../main/commands/command.ts';
import { commandLine } from '../main/terminal.ts';

/** The program's own grammar, with commands that do nothing. */
export function grammar(): Command {
  // No command runs, so nobody asks for the context.
  const program = commandLine({} as CommandContext, () => undefined);
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    if (command !== program) command.action(() => undefined);
  }
  return program;
}

/** The help of the program and of each command, by its name. */
export function helpTexts(): Readonly<Record<string, string>> {
  const program = grammar();
  const texts = [program, ...program.commands].map((command) => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    return [command === program ? '--help' : `${command.name()} --help`, text] as const;
  });
  return Object.fromEntries(texts);
}
