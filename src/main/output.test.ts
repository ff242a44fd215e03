import { afterEach, expect, test } from '@jest/globals';
import { runner } from './delivery.ts';
import { terminalLog, printed, type Output } from './output.ts';
import { jsonText } from '../report/json-text.ts';

const before = process.env['GITHUB_ACTIONS'];
afterEach(() => {
  if (before === undefined) delete process.env['GITHUB_ACTIONS'];
  else process.env['GITHUB_ACTIONS'] = before;
});

/** Possible output of a build, a workload or a file. */
const HOSTILE = [
  '::error::forged',
  '  ::set-env name=PATH::/evil',
  'step 3: ##[add-path]/evil',
  '##[error]forged',
  'one\r::warning::forged',
  '\u001b[31m##\u0007[error]forged\u001b[0m',
  '\u001b]0;title\u0007::error::forged',
  '\u00a0::error::forged',
  '\u0085::error::forged',
];

/** How the runner finds a command in a line of output: https://github.com/actions/runner, ActionCommand.cs. */
const commandsIn = (text: string) =>
  text
    .split(/\r\n|\r|\n/)
    .filter((line) => /^\s*::/.test(line.replaceAll('\u0085', ' ')) || line.includes('##['));

function stream() {
  let text = '';
  const output: Output = { isTTY: false, columns: 80, write: (more: string) => (text += more) };
  return { output, text: () => text };
}

test('the output of a workload contains no command for the runner', () => {
  // The others are commands after their control characters are removed.
  for (const line of HOSTILE.filter((one) => !one.startsWith('\u001b')))
    expect(commandsIn(line)).not.toEqual([]);
  process.env['GITHUB_ACTIONS'] = 'true';
  const { output, text } = stream();
  const log = terminalLog(output, false);
  for (const line of HOSTILE) {
    log.info(line);
    log.warn(line);
    log.error(`pacegate: it said:\n${line}`);
    log.step(line);
  }
  expect(commandsIn(text())).toEqual([]);
  // Its text is still readable.
  expect(text().match(/forged/g)).toHaveLength(4 * 7);
  expect(commandsIn(printed(HOSTILE.join('\n').replaceAll('\u0085', '')))).toEqual([]);
  const json = printed(jsonText({ message: HOSTILE }));
  expect(commandsIn(json)).toEqual([]);
  expect(JSON.parse(json)).toEqual({ message: HOSTILE });
});

test("the action's own log makes commands of its own alone", () => {
  const write = process.stdout.write.bind(process.stdout);
  let text = '';
  process.stdout.write = (more: string | Uint8Array) => {
    text += String(more);
    return true;
  };
  try {
    for (const line of HOSTILE) {
      runner.log.info(line);
      runner.log.step(line);
      runner.log.warn(line);
      runner.fail(line);
    }
  } finally {
    process.stdout.write = write;
  }
  const commands = commandsIn(text);
  expect(commands.filter((line) => line.startsWith('::warning::'))).toHaveLength(HOSTILE.length);
  expect(commands.filter((line) => line.startsWith('::error title=Pacegate::'))).toHaveLength(HOSTILE.length);
  expect(commands).toHaveLength(2 * HOSTILE.length);
});

test('the output of a workload contains no escape sequence for the terminal', () => {
  delete process.env['GITHUB_ACTIONS'];
  const { output, text } = stream();
  const log = terminalLog(output, false);
  log.warn('a\u001b[2J\u001b[31mb\u001b]8;;http://evil\u0007c\u0000d\u009b2Je\tf\rg');
  expect(text()).toBe('abcd2Je  f\ng\n');
  // Colours are ours.
  const coloured = stream();
  terminalLog(coloured.output, true).error('\u001b[32mgreen');
  expect(coloured.text()).toBe('\u001b[31mgreen\u001b[39m\n');
  // On a terminal no runner reads commands.
  log.info('::error::x');
  expect(text()).toMatch(/^::error::x$/m);
});
