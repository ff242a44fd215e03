import { markdownTable } from 'markdown-table';
import type { Comparison } from '../verdict/comparison.ts';
import { PROPERTIES, type InterpreterFacts, type Property, type PropertyFacts } from '../session/facts.ts';
import type { Image, Session } from '../session/session.ts';
import type { Detail } from './details.ts';
import { clip, code, sentence } from './escape.ts';
import { count, listed } from './verdict-wording.ts';
import { own } from '../session/record.ts';

/** Describes the interpreters, and which of their facts differ between the sides. */

const PROPERTY_WORDS: Readonly<Record<Property, string>> = {
  pgo: 'PGO',
  lto: 'LTO',
  bolt: 'BOLT',
  shared_libpython: 'shared libpython',
  march: 'beyond the base CPU',
  gil: 'GIL',
  jit: 'JIT',
  tail_call: 'tail calls',
  frame_pointers: 'frame pointers',
  bytecode: 'bytecode',
  assertions: 'assertions',
};

export const propertyWords = (property: Property): string => PROPERTY_WORDS[property];

/** `yes`; `no (declared: yes)` if the two disagree; `unknown (declared: yes)` if only the declaration exists. */
export function knowledgeWords({ declared, observed }: PropertyFacts): string {
  return declared === 'unknown' || declared === observed ? observed : `${observed} (declared: ${declared})`;
}

/** All known properties in one line: `PGO yes, LTO unknown (declared: yes), …`. */
export const propertiesLine = ({ properties }: InterpreterFacts): string =>
  PROPERTIES.flatMap((property) => {
    const known = properties[property];
    return known === undefined ? [] : [`${PROPERTY_WORDS[property]} ${knowledgeWords(known)}`];
  }).join(', ');

/** Whether the interpreter's properties are known; older versions of Pacegate recorded only its version. */
const lookedAt = ({ properties }: InterpreterFacts) => Object.keys(properties).length > 0;

/** One side of each variant: the head if it exists. */
const heads = ({ variants, images }: Session): readonly (Image & { readonly facts: InterpreterFacts })[] =>
  variants.flatMap((variant) => {
    const own = images.filter((image) => image.variant === variant && image.facts !== undefined);
    const image = own.find(({ side }) => side === 'head') ?? own[0];
    return image?.facts === undefined ? [] : [{ ...image, facts: image.facts }];
  });

/** A folded table of each variant's interpreter, if its facts are known. */
export function factsDetail(session: Session): Detail[] {
  const shown = heads(session).filter(({ facts }) => lookedAt(facts));
  if (shown.length === 0) return [];
  const rows = shown.map(({ variant, facts }) => [
    code(variant),
    ...[
      facts.python,
      [facts.compiler, facts.optimization, facts.march === '' ? '' : `-march=${facts.march}`]
        .filter((word) => word !== '')
        .join(' '),
      facts.libc,
      facts.system,
      facts.allocator,
      propertiesLine(facts),
    ].map((text) => (text === '' ? '–' : sentence(clip(text, 400)))),
  ]);
  const broken = shown.flatMap(({ variant, facts: { brokenModules } }) => {
    const names = Object.keys(brokenModules);
    return names.length === 0
      ? []
      : [
          `${code(variant)} was built with ${count(names.length, 'module')} that cannot be imported: ${listed(
            names
              .slice(0, NAMED)
              .map((name) => `${code(name)} (${sentence(clip(own(brokenModules, name) ?? '', 150))})`),
          )}${names.length > NAMED ? ', …' : ''}.`,
        ];
  });
  const notes = [
    ...mixedWarnings(session).map(sentence),
    ...broken,
    'Each property is what the binary and its behaviour show. If the interpreter declares something else, that is shown too. “Unknown” does not mean “no”.',
  ];
  return [
    {
      title: 'What the interpreters are',
      body: `${markdownTable(
        [['variant', 'Python', 'compiler', 'libc', 'system', 'allocator', 'properties'], ...rows],
        { alignDelimiters: false },
      )}\n\n${notes.map((note) => `- ${note}`).join('\n')}`,
    },
  ];
}

/** The number of names in a long list; further ones are counted. */
const NAMED = 5;

/**
 * The differences between the two sides of a variant apart from the code: `glibc 2.36 → 2.41`. Plain text; empty if
 * nothing differs or if one side's facts are unknown.
 */
export function factsDifferences({ images }: Session, variant: string): string[] {
  const of = (side: Image['side']) =>
    images.find((image) => image.variant === variant && image.side === side);
  const [before, after] = [of('baseline'), of('head')];
  if (before?.facts === undefined || after?.facts === undefined) return [];
  const [a, b] = [before.facts, after.facts];
  /** A fact that only one of the two versions of Pacegate recorded is no difference. */
  const moved = (from: string, to: string, name = '') =>
    from === '' || to === '' || from === to ? [] : [`${name}${shorter(from, to)}`];
  return [
    ...(before.base === undefined || after.base === undefined
      ? []
      : before.base.digest !== after.base.digest || before.base.reference !== after.base.reference
        ? [baseWords(before.base, after.base)]
        : []),
    ...moved(a.system, b.system, 'system '),
    ...moved(`${named(a)} ${a.python}`, `${named(b)} ${b.python}`),
    ...moved(a.libc, b.libc),
    ...moved(a.compiler, b.compiler, 'compiler '),
    ...moved(a.allocator, b.allocator, 'allocator '),
    ...moved(a.optimization, b.optimization, 'compiled with '),
    ...(lookedAt(a) && lookedAt(b) && a.march !== b.march
      ? [`-march ${a.march || 'none'} → ${b.march || 'none'}`]
      : []),
    ...PROPERTIES.flatMap((property) => propertyMoved(property, a, b)),
    ...versionsMoved(a.libraries, b.libraries),
    ...rebuilt(before, after),
    ...few(versionsMoved(a.packages, b.packages, true), 'more package'),
    ...(a.systemPackages === null || b.systemPackages === null || a.systemPackages === b.systemPackages
      ? []
      : [`${a.systemPackages} → ${b.systemPackages} system packages`]),
  ];
}

const named = ({ implementation }: InterpreterFacts) =>
  implementation === 'CPython' ? 'Python' : implementation;

/** `glibc 2.36 → 2.41` instead of `glibc 2.36 → glibc 2.41`. */
function shorter(from: string, to: string): string {
  const [word = '', ...rest] = to.split(' ');
  return rest.length === 1 && from.startsWith(`${word} `) ? `${from} → ${rest.join(' ')}` : `${from} → ${to}`;
}

const digestWords = (digest: string) => digest.replace(/^.*sha256:/, '').slice(0, 12);

function baseWords(before: NonNullable<Image['base']>, after: NonNullable<Image['base']>): string {
  return before.reference === after.reference
    ? `base image ${after.reference} moved (${digestWords(before.digest)} → ${digestWords(after.digest)})`
    : `base image ${before.reference} → ${after.reference}`;
}

/** Two profile-guided builds of the same source differ in speed by up to a few per cent. */
const rebuilt = ({ interpreter: before }: Image, { interpreter: after }: Image) =>
  before !== undefined && after !== undefined && before.reference !== after.reference
    ? ['the interpreter was rebuilt']
    : [];

function propertyMoved(property: Property, a: InterpreterFacts, b: InterpreterFacts): string[] {
  const [before, after] = [a.properties[property], b.properties[property]];
  if (before === undefined || after === undefined) return [];
  const known = ({ declared, observed }: PropertyFacts) => (observed === 'unknown' ? declared : observed);
  const [from, to] = [known(before), known(after)];
  return from === 'unknown' || to === 'unknown' || from === to
    ? []
    : [`${PROPERTY_WORDS[property]} ${from} → ${to}`];
}

type Versions = Readonly<Record<string, string>>;

/** @param all whether a version on one side only is a difference too, and not a missing record */
function versionsMoved(before: Versions, after: Versions, all = false): string[] {
  if (Object.keys(before).length === 0 || Object.keys(after).length === 0) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name) => {
    const [from, to] = [own(before, name), own(after, name)];
    if (from === to) return [];
    if (from !== undefined && to !== undefined) return [`${name} ${from} → ${to}`];
    if (!all) return [];
    return [from === undefined ? `${name} ${to ?? ''} added` : `${name} ${from} removed`];
  });
}

const few = (moved: readonly string[], rest: string): string[] =>
  moved.length <= NAMED ? [...moved] : [...moved.slice(0, NAMED), count(moved.length - NAMED, rest)];

const ASKED_WHY: ReadonlySet<string> = new Set([
  'regressed',
  'improved',
  'inconclusive',
  'accepted',
  'warning',
  'over_limit',
]);

/**
 * Sentences below the verdicts about differences apart from the code, one for all variants that share a difference.
 * @param name formats a variant's name
 * @param text escapes other text from outside
 */
export function alsoChanged(
  { rows }: Comparison,
  session: Session | undefined,
  name: (text: string) => string,
  text: (text: string) => string,
): readonly string[] {
  if (session === undefined) return [];
  const asked = [
    ...new Set(
      rows.filter(({ verdict, gated }) => gated && ASKED_WHY.has(verdict)).map(({ variant }) => variant),
    ),
  ];
  const alike = new Map<string, string[]>();
  for (const variant of asked) {
    const differences = factsDifferences(session, variant);
    if (differences.length === 0) continue;
    const said =
      differences.length <= MOST_DIFFERENCES
        ? differences.join(', ')
        : `${differences.slice(0, MOST_DIFFERENCES).join(', ')} and ${count(differences.length - MOST_DIFFERENCES, 'more difference')}`;
    alike.set(said, [...(alike.get(said) ?? []), variant]);
  }
  return [...alike].map(
    ([said, variants]) =>
      `More than your code changed in ${listed(variants.map(name))}: ${text(clip(said, 600))}.`,
  );
}

const MOST_DIFFERENCES = 10;

/** Whether the facts of both sides are known, so that an empty list of differences means that there are none. */
export function hasFactsOfBothSides({ images }: Session, variant: string): boolean {
  const sides = images.filter((image) => image.variant === variant);
  return sides.length === 2 && sides.every(({ facts }) => facts !== undefined && lookedAt(facts));
}

/** Names of regressed variants whose sides differ in the code only, for the evidence. */
export function onlyCodeChanged({ rows }: Comparison, session: Session): readonly string[] {
  const regressed = new Set(
    rows.filter(({ verdict, gated }) => gated && verdict === 'regressed').map(({ variant }) => variant),
  );
  return [...regressed].filter(
    (variant) => hasFactsOfBothSides(session, variant) && factsDifferences(session, variant).length === 0,
  );
}

/**
 * Warnings about variants with different Python versions or systems, because their figures differ for this reason too.
 */
export function mixedWarnings(session: Session): string[] {
  const shown = heads(session);
  const mixed = (what: string, of: (facts: InterpreterFacts) => string) => {
    const groups = new Map<string, string[]>();
    for (const { variant, facts } of shown) {
      const value = of(facts);
      if (value !== '') groups.set(value, [...(groups.get(value) ?? []), variant]);
    }
    return groups.size < 2
      ? []
      : [
          `The variants differ in ${what}: ${[...groups]
            .map(([value, variants]) => `${value} (${variants.join(', ')})`)
            .join(', ')}. So a difference between them does not come from the interpreter only.`,
        ];
  };
  return [
    ...mixed('Python', (facts) =>
      named(facts) === 'Python' ? facts.python : `${named(facts)} ${facts.python}`,
    ),
    ...mixed('the system below', ({ system }) => system),
  ];
}
