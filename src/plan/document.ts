import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';

/** A place in a file and what is wrong there: the part of a message that a person acts on. */
export interface Problem {
  /** From 1; undefined where the problem is the file as a whole, or an option without a file. */
  readonly line: number | undefined;
  /** Dotted path to the value (`variants.official.python`), or the option's name. */
  readonly place: string;
  readonly found: string;
  readonly legal: string;
}

export interface YamlDocument {
  /** The plain value, undefined where the text is no YAML. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Line of the value at a path, or of the nearest thing around it that exists. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/** Reads YAML and keeps where each value stands. Doubled keys are problems, anchors are resolved within bounds. */
export function readYaml(text: string): YamlDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
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
