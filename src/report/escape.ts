/**
 * Text from outside (names, messages, facts) inside Markdown. GitHub renders HTML, mentions, references and links
 * out of plain text, so nothing of the kind may survive.
 */

/** How a name from outside is written where a sentence will stand: in Markdown, or on a terminal. */
export type Name = (text: string) => string;

// Control characters, and marks that turn the direction of what follows.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// What a terminal takes for a command: colours and cursors (CSI), titles and links (OSC). Whole, or its letters stay.
const TERMINAL_COMMANDS = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g;

/** Without control characters; line breaks and tabs become spaces. For the terminal and for one line. */
export const oneLine = (text: string): string =>
  text
    .replace(TERMINAL_COMMANDS, '')
    .replace(/[\r\n\t]+/g, ' ')
    .replace(INVISIBLE, '');

/** Text of several lines without control characters, for a terminal or a fence. */
export const printable = (text: string): string =>
  text.replace(TERMINAL_COMMANDS, '').replace(/\r\n?/g, '\n').replace(/\t/g, '  ').replace(INVISIBLE, '');

/**
 * Text as a GitHub runner may read it in a job's output: there `::name::` at the start of a line and `##[name]` anywhere
 * in it are commands. A zero-width space makes them none; the reader sees no difference.
 */
export const forRunner = (text: string): string =>
  text.replaceAll('##[', '##\u200b[').replace(/^([^\S\n\r\u2028\u2029]*)::/gm, '$1\u200b::');

/** A code span, safe in a table: GitHub makes no mention, link or HTML out of it. */
export function code(text: string): string {
  const clean = clip(oneLine(text), 120).replaceAll('`', "'").replaceAll('|', '\\|').trim();
  return clean === '' ? '` `' : `\`${clean}\``;
}

/** A sentence that may hold names from outside. */
export function sentence(text: string): string {
  return (
    oneLine(text)
      .replace(/[\\`*_{}[\]#|~!]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // A zero-width space: the reader sees no difference, GitHub sees no user, no address.
      .replaceAll('@', '@\u200b')
      .replace(/:\/\//g, ':\u200b//')
      .replace(/\bwww\./gi, 'www\u200b.')
      .replace(/\bGH-/g, 'GH\u200b-')
  );
}

/** A fenced block that its content cannot close. At most `limit` characters of content, the last ones. */
export function fence(text: string, limit: number): string {
  const clean = printable(text).trim();
  const kept = clean.length <= limit ? clean : `…${clean.slice(clean.length - limit)}`;
  const longest = Math.max(0, ...[...kept.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(Math.max(3, longest + 1));
  return `${ticks}text\n${kept}\n${ticks}`;
}

/** GitHub breaks cells at every space where a table is wide, and a figure in two lines is hard to read. */
export const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

export const clip = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
