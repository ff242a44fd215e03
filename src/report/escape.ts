/**
 * Escapes text from outside (names, messages, facts) in Markdown. GitHub turns plain text into HTML, mentions,
 * references and links, so all of these must be escaped.
 */

/** Escapes a name from outside for its place: Markdown or a terminal. */
export type Name = (text: string) => string;

// Control characters, and marks that change the direction of text.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

// A terminal's commands: colours and cursors (CSI), titles and links (OSC). They are removed whole, because otherwise
// their letters would remain.
const TERMINAL_COMMANDS = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g;

/** Removes control characters; line breaks and tabs become spaces. For terminals and single lines. */
export const oneLine = (text: string): string =>
  text
    .replace(TERMINAL_COMMANDS, '')
    .replace(/[\r\n\t]+/g, ' ')
    .replace(INVISIBLE, '');

/** Text of several lines without control characters, for a terminal or a fence. */
export const printable = (text: string): string =>
  text.replace(TERMINAL_COMMANDS, '').replace(/\r\n?/g, '\n').replace(/\t/g, '  ').replace(INVISIBLE, '');

/**
 * Escapes text for a job's output. A GitHub runner executes `::name::` at the start of a line and `##[name]` anywhere
 * in it. An invisible zero-width space prevents this.
 */
export const forRunner = (text: string): string =>
  text.replaceAll('##[', '##\u200b[').replace(/^([^\S\n\r\u2028\u2029]*)::/gm, '$1\u200b::');

/** A code span, safe in a table. GitHub makes no mention, link or HTML out of it. */
export function code(text: string): string {
  const clean = clip(oneLine(text), 120).replaceAll('`', "'").replaceAll('|', '\\|').trim();
  return clean === '' ? '` `' : `\`${clean}\``;
}

/** A sentence that may contain names from outside. */
export function sentence(text: string): string {
  return (
    oneLine(text)
      .replace(/[\\`*_{}[\]#|~!]/g, '\\$&')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      // A zero-width space: readers do not see it, and GitHub does not see a user or an address.
      .replaceAll('@', '@\u200b')
      .replace(/:\/\//g, ':\u200b//')
      .replace(/\bwww\./gi, 'www\u200b.')
      .replace(/\bGH-/g, 'GH\u200b-')
  );
}

/** A fenced block that its content cannot close. Keeps the last `limit` characters of the content. */
export function fence(text: string, limit: number): string {
  const clean = printable(text).trim();
  const kept = clean.length <= limit ? clean : `…${clean.slice(clean.length - limit)}`;
  const longest = Math.max(0, ...[...kept.matchAll(/`+/g)].map(([run]) => run.length));
  const ticks = '`'.repeat(Math.max(3, longest + 1));
  return `${ticks}text\n${kept}\n${ticks}`;
}

/**
 * Uses non-breaking spaces, because GitHub breaks the cells of wide tables at spaces, and a figure in two lines is hard
 * to read.
 */
export const unbroken = (text: string): string => text.replaceAll(' ', '\u00a0');

export const clip = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;
