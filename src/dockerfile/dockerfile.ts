import { EMULATED, isForeign } from './emulation.ts';

/**
 * What a Dockerfile stands on, as far as it can be read without building it. The file comes with a pull request, so each
 * line is read once, whatever it holds.
 */

/** A `FROM`. */
export interface Stage {
  /** From 1. */
  readonly line: number;
  /** The line as it is written, 200 characters at most. */
  readonly text: string;
  /** Its base with the global arguments put in; undefined where they cannot be read here. */
  readonly base: string | undefined;
  /** In lower case, as BuildKit compares it. */
  readonly name: string | undefined;
  /** Of `--platform`, such as `linux/arm64`; undefined where there is none, or it cannot be read here. */
  readonly platform: string | undefined;
}

/** A Dockerfile's stages, and the images or stages that its steps copy or mount from. */
export interface Bases {
  readonly stages: readonly Stage[];
  readonly sources: readonly string[];
}

/** Arguments that BuildKit sets before the first FROM. */
export function platformArguments(architecture: string = process.arch): Readonly<Record<string, string>> {
  const arch = architecture === 'x64' ? 'amd64' : architecture;
  return Object.fromEntries(
    ['TARGET', 'BUILD'].flatMap((of) => [
      [`${of}PLATFORM`, `linux/${arch}`],
      [`${of}OS`, 'linux'],
      [`${of}ARCH`, arch],
      [`${of}VARIANT`, ''],
    ]),
  );
}

/** Reads a Dockerfile's stages with the arguments before the first of them put in. */
export function readBases(
  text: string,
  given: Readonly<Record<string, string>> = platformArguments(),
): Bases {
  /** Undefined: it has a value, which cannot be read here. */
  const values = new Map<string, string | undefined>(Object.entries(given));
  const valueOf = (key: string) => (values.has(key) ? values.get(key) : '');
  const stages: Stage[] = [];
  const sources = new Set<string>();
  for (const { line, word, rest } of instructionsOf(text)) {
    if (word === 'ARG' && stages.length === 0)
      for (const [, name = '', value = ''] of rest.matchAll(/(?:^|\s)(\w+)=("[^"]*"|'[^']*'|\S*)/g))
        values.set(name, expand(unquoted(value), valueOf));
    else if (word === 'FROM') {
      const parts = rest.split(/\s+/);
      const [base = '', as, name] = parts.filter((part) => !part.startsWith('--'));
      if (base === '') continue;
      const platform = parts.find((part) => part.startsWith('--platform='))?.slice('--platform='.length);
      stages.push({
        line,
        text: `FROM ${rest}`.slice(0, 200),
        base: expand(unquoted(base), valueOf),
        name: as?.toUpperCase() === 'AS' ? name?.toLowerCase() : undefined,
        platform: platform === undefined ? undefined : expand(unquoted(platform), valueOf),
      });
    } else if (word === 'COPY' || word === 'ADD' || word === 'RUN')
      for (const [, from = ''] of rest.matchAll(/(?:^|\s)--(?:from=|mount=(?:\S*,)?from=)([^\s,]+)/g))
        sources.add(unquoted(from));
  }
  return { stages, sources: [...sources] };
}

const MOST_REPLACED = 20;

/** Images that the interpreter takes the place of, or why there are none. */
export type Replaced =
  | { readonly kind: 'found'; readonly names: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * What in a Dockerfile the interpreter takes the place of: the images or stages that the configuration names, or else every
 * image called `python`, whatever its registry and tag. The last stage has to stand on one of them, or every variant would
 * be the same image under another name.
 * @param named `workload.interpreter-from`; empty: not set
 */
export function replacedBases(
  text: string,
  named: readonly string[],
  given: Readonly<Record<string, string>> = platformArguments(),
): Replaced {
  const bases = readBases(text, given);
  const images = imagesOf(bases);
  const stageNames = new Set(bases.stages.flatMap(({ name }) => name ?? []));
  const found = listed([...images]) || 'no FROM';
  const wanted = named.map((name) => familiar(name));
  const unknown = wanted.filter((name) => !images.has(name) && !stageNames.has(name.toLowerCase()));
  if (unknown.length > 0)
    return refused(
      `names ${listed(unknown)} nowhere, but workload.interpreter-from does (found: ${found}). Write the image as the Dockerfile has it after FROM, or the name of a stage`,
    );
  const names = wanted.length > 0 ? wanted : [...images].filter(isPython);
  if (names.length === 0)
    return refused(
      `has no image called python that the interpreter could replace (found: ${found}). Name the image or the stage that brings Python: \`workload.interpreter-from: ${[...images][0] ?? 'python'}\`, or write \`FROM python\` there`,
    );
  if (names.length > MOST_REPLACED)
    return refused(`has ${names.length} images called python; the interpreter can replace ${MOST_REPLACED}`);
  // BuildKit looks a stage up by its name first, and would leave out its steps.
  const shadowed = wanted.length > 0 ? undefined : bases.stages.find(({ name = '' }) => names.includes(name));
  if (shadowed !== undefined)
    return refused(
      `calls a stage by the name of the image that the interpreter replaces (line ${shadowed.line}: \`${shadowed.text}\`), so the steps of the stage would be left out. Rename the stage`,
    );
  const last = finalStage(bases.stages, names);
  const own = given['TARGETARCH'] ?? '';
  const foreign = last.chain.find(({ platform }) => isForeign(architectureOf(platform), own));
  if (foreign !== undefined)
    return refused(
      `builds its last stage for ${foreign.platform ?? ''} (line ${foreign.line}: \`${foreign.text}\`), and this machine is linux/${own}. ${EMULATED}. Write \`--platform=$TARGETPLATFORM\`, or leave it out, or measure on a machine with that processor`,
    );
  if (last.replaced || last.stage === undefined) return { kind: 'found', names };
  const { line, text: from, base } = last.stage;
  if (base === undefined) return { kind: 'found', names };
  return refused(
    `ends in a stage that is not based on the interpreter (line ${line}: \`${from}\`): the interpreter takes the place of ${listed(names)} only. If ${familiar(base)} brings Python too, name both: \`workload.interpreter-from: [${[...names, familiar(base)].join(', ')}]\``,
  );
}

/** `linux/arm64/v8`: arm64. */
const architectureOf = (platform: string | undefined) => platform?.split('/')[1]?.toLowerCase();

const refused = (reason: string): Replaced => ({ kind: 'refused', reason });
const listed = (names: readonly string[]) =>
  names
    .slice(0, 10)
    .map((name) => name.slice(0, 120))
    .join(', ');

/** Images of other builds, by their familiar names: neither a stage before nor its number. */
function imagesOf({ stages, sources }: Bases): ReadonlySet<string> {
  const before = new Set<string>();
  const images = new Set<string>();
  for (const { base, name } of stages) {
    if (base !== undefined && !before.has(base.toLowerCase())) images.add(familiar(base));
    if (name !== undefined) before.add(name);
  }
  for (const source of sources)
    if (!before.has(source.toLowerCase()) && !/^\d+$|\$/.test(source)) images.add(familiar(source));
  images.delete('scratch');
  return images;
}

/** The Python of any registry: `python:3.13-slim`, `cgr.dev/chainguard/python:latest-dev`. */
const isPython = (image: string) => /(?:^|\/)python(?:[:@]|$)/.test(image);

/**
 * An image by the name under which BuildKit looks for a named context: without Docker Hub's own parts, and without
 * `:latest`. https://pkg.go.dev/github.com/distribution/reference#FamiliarString
 */
export const familiar = (image: string): string =>
  image
    .replace(/^(?:index\.)?docker\.io\//, '')
    .replace(/^library\/(?=[^/]+$)/, '')
    .replace(/:latest$/, '');

/** The stages that the last one stands on, the last one first, to the one that is replaced or stands on an image. */
function finalStage(
  stages: readonly Stage[],
  names: readonly string[],
): { readonly stage: Stage | undefined; readonly replaced: boolean; readonly chain: readonly Stage[] } {
  const chain: Stage[] = [];
  let at = stages.length - 1;
  for (;;) {
    const stage = stages[at];
    if (stage === undefined) return { stage, replaced: false, chain };
    chain.push(stage);
    const { base, name } = stage;
    if (
      (name !== undefined && names.includes(name)) ||
      (base !== undefined && names.includes(familiar(base)))
    )
      return { stage, replaced: true, chain };
    // Only an earlier stage can be meant: a later one of the same name is another.
    const wanted = base?.toLowerCase();
    do at--;
    while (at >= 0 && (wanted === undefined || stages[at]?.name !== wanted));
    if (at < 0) return { stage, replaced: false, chain };
  }
}

/** The `FROM` that the last stage stands on in the end; undefined where there is none. */
export function finalBase(text: string): Pick<Stage, 'line' | 'text' | 'base'> | undefined {
  const { stage } = finalStage(readBases(text).stages, []);
  return stage === undefined ? undefined : { line: stage.line, text: stage.text, base: stage.base };
}

interface Instruction {
  readonly line: number;
  /** In capitals. */
  readonly word: string;
  /** With its further lines, without the bodies of its here-documents. */
  readonly rest: string;
}

/** https://docs.docker.com/reference/dockerfile/: comments, the escape directive, further lines and here-documents. */
function* instructionsOf(text: string): Generator<Instruction> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const goesOn = /^(?:\s*#\s*\w+\s*=.*\n)*\s*#\s*escape\s*=\s*`/i.test(lines.slice(0, 5).join('\n'))
    ? /`[ \t]*$/
    : /\\[ \t]*$/;
  let at = 0;
  while (at < lines.length) {
    const first = at;
    const parts: string[] = [];
    for (;;) {
      const line = lines[at++] ?? '';
      // A comment, or an empty line, does not end what goes on.
      const isNothing = /^\s*(?:#|$)/.test(line);
      if (!isNothing) parts.push(line.replace(goesOn, ''));
      if (at >= lines.length || (isNothing ? parts.length === 0 : !goesOn.test(line))) break;
    }
    const [, word, rest = ''] = /^\s*([A-Za-z]+)\s+([^]*)$/.exec(parts.join(' ')) ?? [];
    if (word === undefined) continue;
    const capitals = word.toUpperCase();
    if (['RUN', 'COPY', 'ADD'].includes(capitals))
      for (const opening of rest.split(/\s+/)) {
        const [, dash, , end] = /^\d*<<(-?)(["']?)([^<"']+)\2$/.exec(opening) ?? [];
        if (end === undefined) continue;
        const isEnd = (line: string) => (dash === '-' ? line.replace(/^\t+/, '') : line) === end;
        while (at < lines.length && !isEnd(lines[at] ?? '')) at++;
        at++;
      }
    yield { line: first + 1, word: capitals, rest: rest.trim() };
  }
}

const unquoted = (text: string) => text.replace(/^(["'])(.*)\1$/, '$2');

/** Characters: a reference has at most some hundred, and arguments that name others twice double with each line. */
const LONGEST = 4096;

/**
 * A text with its `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+other}` put in.
 * @param valueOf undefined for a name without a value
 * @returns undefined where such a name is, the text is far too long, or a `${` of another form is in it
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string | undefined {
  let length = text.length;
  let known = text.length <= LONGEST;
  const expanded = text.replace(
    /\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}$]*))?\}|\{)/g,
    (whole, bare?: string, braced?: string, operator?: string, other?: string) => {
      const name = bare ?? braced;
      if (!known || name === undefined) {
        known = false;
        return whole;
      }
      const value = valueOf(name);
      const isSet = value !== undefined && value !== '';
      const isOther = operator !== undefined && operator.endsWith('-') !== isSet;
      const result = isOther ? (other ?? '') : operator?.endsWith('+') === true ? '' : value;
      length += result?.length ?? 0;
      if (result === undefined || length > LONGEST) known = false;
      return known ? (result ?? '') : whole;
    },
  );
  return known ? expanded : undefined;
}

/**
 * The ignore file for the default application Dockerfile: Pacegate's own list, then the project's `.dockerignore`,
 * whose lines come last and so take precedence (`!docs/data.md`). An ignore file next to a Dockerfile replaces the
 * context's, so without this the project's list (secrets, data) would be dropped silently.
 */
export function mergedIgnore(own: string, projects: string | undefined): string {
  return projects === undefined ? own : `${own.trimEnd()}\n${projects}`;
}
