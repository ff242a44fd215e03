import {
  CST,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';

/** A problem: its place in a file, what was found and what was expected. */
export interface Problem {
  /** From 1; undefined for a problem of the whole file, or of an option. */
  readonly line: number | undefined;
  /** Dotted path to the value (`variants.official.python`), or the option's name. */
  readonly place: string;
  readonly found: string;
  readonly legal: string;
}

export interface YamlDocument {
  /** The plain value; undefined if the text is not YAML. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Line of the value at a path, or of its nearest parent that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** The key of an object's prototype, which parsers of objects drop silently. */
const UNNAMEABLE = '__proto__';

/** A configuration has a few kilobytes. The time of parsing grows with the square of the size. */
const MOST_CHARACTERS = 256 * 1024;
const MOST_KEYS = 4000;
/** The depth of nested brackets, and of dashes on one line. */
const DEEPEST = 32;

/**
 * Reads YAML and keeps the place of each value. A key given twice is a problem; anchors and merge keys (`<<: *name`)
 * are resolved within bounds. A pull request may have written the text, so one that would take the parser minutes is
 * refused before it is parsed.
 */
export function readYaml(text: string): YamlDocument {
  const tooMuch = beyondBounds(text);
  if (tooMuch !== undefined) return { value: undefined, problems: [tooMuch], lineOf: () => undefined };
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    uniqueKeys: true,
    merge: true,
    // The parser would print warnings to standard error. Those that matter are problems below.
    logLevel: 'error',
  });
  const problems = document.errors.map((error): Problem => {
    const line = lineCounter.linePos(error.pos[0]).line;
    return error.code === 'DUPLICATE_KEY'
      ? {
          line,
          place: keyAt(text, error.pos[0]),
          found: 'the same key a second time',
          legal: 'each key once',
        }
      : { line, place: 'YAML', found: error.message.split('\n')[0] ?? error.code, legal: 'YAML that parses' };
  });
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === UNNAMEABLE)
        problems.push({
          line: lineCounter.linePos(key.range?.[0] ?? 0).line,
          place: UNNAMEABLE,
          found: 'a key that would be ignored',
          legal: 'another name',
        });
      if (!isCollection(key)) return undefined;
      const line = lineCounter.linePos(key.range?.[0] ?? 0).line;
      problems.push({ line, place: 'YAML', found: 'a list or a table as a key', legal: 'text as a key' });
      return visit.BREAK;
    },
  });
  let value: unknown;
  try {
    // The alias bound keeps a few lines of nested anchors from becoming gigabytes.
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.push({
      line: undefined,
      place: 'YAML',
      found: error instanceof Error ? error.message : String(error),
      legal: 'at most 100 uses of an anchor',
    });
  }
  return {
    value,
    problems,
    lineOf: (path) => {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : lineCounter.linePos(offset).line;
    },
  };
}

/** Why a text is refused, from its tokens only. */
function beyondBounds(text: string): Problem | undefined {
  if (text.length > MOST_CHARACTERS)
    return {
      line: undefined,
      place: 'YAML',
      found: `a file of ${text.length} characters`,
      legal: `at most ${MOST_CHARACTERS} characters`,
    };
  let [line, brackets, opened, dashes, keys, scalar] = [1, 0, 0, 0, 0, false];
  for (const source of new Lexer().lex(text)) {
    const at = line;
    line += source.split('\n').length - 1;
    // The text of a plain scalar follows its mark and may contain any character.
    if (scalar) {
      scalar = false;
      continue;
    }
    const problem = (found: string, legal: string) => ({ line: at, place: 'YAML', found, legal });
    switch (CST.tokenType(source)) {
      case 'scalar':
        scalar = true;
        break;
      case 'newline':
        dashes = 0;
        break;
      case 'explicit-key-ind':
        return problem('an explicit key (`? …`)', 'keys written as `key: value`');
      case 'flow-map-start':
      case 'flow-seq-start':
        brackets += 1;
        opened += 1;
        break;
      case 'flow-map-end':
      case 'flow-seq-end':
        brackets -= 1;
        break;
      case 'seq-item-ind':
        dashes += 1;
        break;
      case 'map-value-ind':
        keys += 1;
        break;
      default:
    }
    if (brackets > DEEPEST || dashes > DEEPEST)
      return problem(`more than ${DEEPEST} nested lists or tables`, `at most ${DEEPEST}`);
    if (opened > MOST_KEYS)
      return problem(`more than ${MOST_KEYS} lists or tables in brackets`, `at most ${MOST_KEYS}`);
    if (keys > MOST_KEYS) return problem(`more than ${MOST_KEYS} keys`, `at most ${MOST_KEYS}`);
  }
  return undefined;
}

function keyAt(text: string, offset: number): string {
  return /^[^:\s]+/.exec(text.slice(offset, offset + 80))?.[0] ?? 'key';
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset = (node as Node | null)?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step),
      );
      if (pair === undefined) return offset;
      offset = (pair.key as Node | null)?.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
