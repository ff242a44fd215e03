import { readFileSync } from 'node:fs';

/** The phrases that the writing guide has out, each with its plain form. */

export interface Phrase {
  readonly out: string;
  readonly plain: string;
}

export const GUIDE = 'docs/writing.md';

/** The first table between the marks of the guide: that is where a phrase is added. */
export function phrasesOfGuide(): readonly Phrase[] {
  const [, listed = ''] =
    /<!-- phrases:begin -->([^]*?)<!-- phrases:end -->/.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  const rows = [...listed.matchAll(/^\|([^|\n]+)\|([^|\n]+)\|$/gm)].map(([, out = '', plain = '']) => ({
    out: out.trim(),
    plain: plain.trim(),
  }));
  // The head of the table and its rule.
  return rows.slice(2);
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** A word's edge, where the phrase begins or ends in a word. */
const edge = (character: string | undefined) => (/\w/.test(character ?? '') ? '\\b' : '');

/** Case does not matter, nor where the lines break; a line of a list or a comment may begin with its sign. */
const patternOf = ({ out }: Phrase) =>
  new RegExp(
    `${edge(out[0])}${out.split(/\s+/).map(escaped).join('\\s+(?:[#>*|]+\\s+)?')}${edge(out.at(-1))}`,
    'gi',
  );

/** @returns a line for each place that has a phrase, as `README.md:12: "is had" is out; plain: is measured` */
export function phrasesIn(name: string, text: string, phrases: readonly Phrase[]): readonly string[] {
  return phrases.flatMap((phrase) =>
    [...text.matchAll(patternOf(phrase))].map(
      ({ index }) =>
        `${name}:${text.slice(0, index).split('\n').length}: "${phrase.out}" is out; plain: ${phrase.plain}`,
    ),
  );
}
