import { createInterface } from 'node:readline/promises';

/**
 * Asks the user to choose.
 * @returns the index of the answer
 */
export type Ask = (question: string, answers: readonly string[]) => Promise<number>;

/** Asks questions on a terminal; the first answer is the default. Undefined if the input is not a terminal. */
export function openQuestions(): { readonly ask: Ask; readonly close: () => void } | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ask: Ask = async (question, answers) => {
    const lines = answers.map((answer, index) => `  ${index + 1}  ${answer}`);
    for (;;) {
      const typed = (await terminal.question(`${[question, ...lines].join('\n')}\n[1] `))
        .trim()
        .toLowerCase();
      const number = typed === '' ? 1 : answers.includes(typed) ? answers.indexOf(typed) + 1 : Number(typed);
      if (Number.isInteger(number) && number >= 1 && number <= answers.length) return number - 1;
    }
  };
  return { ask, close: () => terminal.close() };
}
