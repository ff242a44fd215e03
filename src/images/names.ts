import { createHash } from 'node:crypto';
import type { Side } from '../session/run.ts';

/** Repository prefix of every image that a session builds; clean-up touches nothing else. */
export const REPOSITORY_PREFIX = 'pacegate/';

/**
 * A name for bake: its targets allow letters, digits, `_` and `-` only, and variants may hold dots.
 * One definition holds one variant, so two variants never meet under one name.
 */
export const targetName = (name: string): string => name.replaceAll('.', '_');

/**
 * `pacegate/<variant>-<side>:<session>`, legal whatever the variant is called: a repository's name allows
 * separators between letters only, one at a time. A variant that breaks this gets a hash instead of its
 * separators, so that `a..b` and `a.b` stay two.
 */
export function imageTag(variant: string, side: Side, sessionId: string): string {
  return `${REPOSITORY_PREFIX}${repositoryComponent(variant)}-${side}:${tagOf(sessionId)}`;
}

/** Repository prefix of the interpreters' own images, which stay from one session to the next. */
export const INTERPRETER_PREFIX = 'pacegate-interpreter/';

/** `pacegate-interpreter/<interpreter>:<key>`: the key is made of all that makes its layers. */
export const interpreterTag = (interpreter: string, key: string): string =>
  `${INTERPRETER_PREFIX}${interpreter}:${key}`;

/**
 * `pacegate/interpreter-<key>:<session>`: the interpreter that a session builds upon. The tag of the key moves where a
 * job beside this one builds the same interpreter; this one does not.
 */
export const sessionInterpreterTag = (key: string, sessionId: string): string =>
  `${REPOSITORY_PREFIX}interpreter-${key}:${tagOf(sessionId)}`;

/** The part of an image's name that stands for a variant. */
export function repositoryComponent(variant: string): string {
  if (/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(variant)) return variant;
  const readable = variant.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  return `${readable}-${createHash('sha256').update(variant).digest('hex').slice(0, 8)}`;
}

/** A tag: letters, digits, `_`, `.` and `-`, at most 128, not beginning with a separator. */
export function tagOf(text: string): string {
  return text
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[.-]+/, '_')
    .slice(0, 128);
}

/**
 * Whether a text can be an image's reference. Not the whole grammar: that is the engine's. This keeps out
 * what would be read as an option or does not fit a line.
 */
export const isReference = (text: string): boolean =>
  text.length <= 512 && /^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(text);

/** `name@sha256:…`: the only kind of reference that means the same bytes tomorrow. */
export const isDigestReference = (text: string): boolean =>
  isReference(text) && /^[^@]+@sha256:[0-9a-f]{64}$/.test(text);
