import { existsSync, readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { grammar } from './command-line.test-support.ts';

/** Whether the commands that a page shows are ones that there are: the program's by its own parser. */

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** The commands of a shell example, each as its words. Enough for examples; `bash -n` reads the rest. */
export function commandsIn(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/&&|\|\|?|;/))
    .map((command) =>
      [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found.slice(1).join('')),
    )
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0);
}

/** `FILE`, `N`: a page shows the form of a value and not the value. */
const isPlaceholder = (word: string) => /^[A-Z]+$/.test(word);

/** @returns what is wrong with a command, or undefined; other programs' commands are theirs */
export function commandFault(words: readonly string[]): string | undefined {
  const [program = '', ...rest] = words;
  if (program === 'pacegate') return argumentsFault(rest);
  const [first = ''] = rest;
  switch (program) {
    case 'node':
      if (/(^|\/)cli\.(js|ts)$/.test(first)) return argumentsFault(rest.slice(1));
      return first.endsWith('.ts') && !existsSync(first) ? `there is no ${first}` : undefined;
    case 'npx':
      return first === 'pacegate' ? argumentsFault(rest.slice(1)) : undefined;
    case 'npm':
      return scriptFault(first === 'run' ? (rest[1] ?? '') : first);
    default:
      return program.startsWith('.ci/') && !existsSync(program) ? `there is no ${program}` : undefined;
  }
}

/** npm's own commands that are no script of a package. */
const NPM = new Set([
  'ci',
  'cit',
  'install',
  'it',
  'uninstall',
  'update',
  'outdated',
  'ls',
  'view',
  'pack',
  'publish',
  'version',
  'audit',
]);

const scriptFault = (name: string) =>
  name in scripts || NPM.has(name) ? undefined : `package.json has no script ${JSON.stringify(name)}`;

/** `pacegate merge`: a sentence names the command, and does not run it. */
export const isName = (text: string): boolean =>
  grammar().commands.some((command) => text === `pacegate ${command.name()}`);

function argumentsFault(args: readonly string[]): string | undefined {
  // The program alone prints its help.
  if (args.length === 0) return undefined;
  try {
    grammar().parse([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    if (error.code === 'commander.invalidArgument' && args.some(isPlaceholder)) return undefined;
    return error.message;
  }
}
