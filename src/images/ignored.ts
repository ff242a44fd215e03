/**
 * What an ignore file keeps out of a build context. The rules are Docker's: the last line that fits a path, or a folder
 * above it, decides. https://docs.docker.com/build/concepts/context/#dockerignore-files
 *
 * The file comes with a pull request, so lines are not made into regular expressions, which some would take for ever.
 */
export function ignoring(text: string): (path: string) => boolean {
  const rules = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .map((line) => {
      const excepts = line.startsWith('!');
      return { excepts, words: wordsOf(cleaned(excepts ? line.slice(1).trim() : line)) };
    })
    .filter(({ words }) => words.length > 0);
  return (path) => {
    const last = rules.findLast(({ words }) => fits(words, path));
    return last !== undefined && !last.excepts;
  };
}

/** Without `./`, `..`, and slashes at the ends, as Docker cleans a line first. */
function cleaned(pattern: string): string {
  const parts: string[] = [];
  for (const part of pattern.split('/'))
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  return parts.join('/');
}

type Word =
  /** One character. */
  | { readonly kind: 'one'; readonly fits: (character: string) => boolean }
  /** Any number of characters, `/` among them or not. */
  | { readonly kind: 'many'; readonly fits: (character: string) => boolean }
  /** Folders, each with its `/`, or none. */
  | { readonly kind: 'folders' };

function wordsOf(pattern: string): readonly Word[] {
  return [...pattern.matchAll(/\*\*\/|\*\*|\*|\?|\[(?:\\.|[^\]\\])+\]|\\?./gsu)].map(([word]): Word => {
    if (word === '**/') return { kind: 'folders' };
    if (word === '**') return { kind: 'many', fits: () => true };
    if (word === '*') return { kind: 'many', fits: (character) => character !== '/' };
    if (word === '?') return { kind: 'one', fits: (character) => character !== '/' };
    if (word.startsWith('[') && word.length > 1) return { kind: 'one', fits: oneOf(word.slice(1, -1)) };
    const plain = word.length > 1 && word.startsWith('\\') ? word.slice(1) : word;
    return { kind: 'one', fits: (character) => character === plain };
  });
}

/** `a-z_`, or `^a-z_` for all others. */
function oneOf(list: string): (character: string) => boolean {
  const isOthers = list.startsWith('^');
  const ranges = [...(isOthers ? list.slice(1) : list).matchAll(/(\\?.)(?:-(\\?.))?/gsu)].map(
    ([, from = '', to = from]) => ({ from: from.replace(/^\\(?=.)/, ''), to: to.replace(/^\\(?=.)/, '') }),
  );
  return (character) =>
    character !== '/' && ranges.some(({ from, to }) => from <= character && character <= to) !== isOthers;
}

/** Whether a path fits, or a folder above it, in steps of at most its length times the words'. */
function fits(words: readonly Word[], path: string): boolean {
  /** Places between words at which the path so far may stand. */
  let places = new Set<number>();
  const arrive = (place: number, at: Set<number>) => {
    for (let here = place; !at.has(here); here++) {
      at.add(here);
      const kind = words[here]?.kind;
      if (kind !== 'many' && kind !== 'folders') break;
    }
  };
  arrive(0, places);
  for (const character of path) {
    if (character === '/' && places.has(words.length)) return true;
    const next = new Set<number>();
    // In the middle of a folder's name the words after it have to wait: such a place is kept apart.
    const waiting: number[] = [];
    for (const place of places) {
      const word = words[place];
      if (word?.kind === 'folders') {
        waiting.push(place);
        if (character === '/') arrive(place + 1, next);
      } else if (word?.fits(character) === true) arrive(word.kind === 'many' ? place : place + 1, next);
    }
    for (const place of waiting) next.add(place);
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(words.length);
}
