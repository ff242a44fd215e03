import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import GithubSlugger from 'github-slugger';
import type { Nodes, Root } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { toString } from 'mdast-util-to-string';
import { gfm } from 'micromark-extension-gfm';
import { visit } from 'unist-util-visit';

/** A page as GitHub reads it. */
export interface Page {
  /** From the top of the repository. */
  readonly path: string;
  readonly text: string;
  readonly tree: Root;
}

export function parsePage(path: string, text: string): Page {
  return {
    path,
    text,
    tree: fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }),
  };
}

const pages = new Map<string, Page>();

/** Reads a page of the repository, each once. */
export function readPage(path: string): Page {
  const page = pages.get(path) ?? parsePage(path, readFileSync(path, 'utf8'));
  pages.set(path, page);
  return page;
}

const lineOf = (node: Nodes) => node.position?.start.line ?? 0;

/** Something at a place of a page. */
export interface At {
  readonly page: Page;
  readonly line: number;
  readonly value: string;
}

/** How a finding names its place: `docs/github.md:12`. */
export const placeOf = ({ page, line }: At): string => `${page.path}:${line}`;

/** Addresses of links and images, those of raw HTML too. */
export function linksOf(page: Page): readonly At[] {
  const links: At[] = [];
  visit(page.tree, (node) => {
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition')
      links.push({ page, line: lineOf(node), value: node.url });
    if (node.type === 'html')
      for (const { 1: value = '', index } of node.value.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g))
        links.push({
          page,
          line: lineOf(node) + node.value.slice(0, index).split('\n').length - 1,
          value,
        });
  });
  return links;
}

/** What a link may end in behind `#`: a heading as GitHub names it, or an anchor in HTML. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const slugger = new GithubSlugger();
  const anchors = new Set<string>();
  visit(page.tree, (node) => {
    if (node.type === 'heading') anchors.add(slugger.slug(toString(node)));
    if (node.type === 'html')
      for (const [, name = ''] of node.value.matchAll(/\b(?:id|name)="([^"]*)"/g)) anchors.add(name);
  });
  return anchors;
}

/** A fenced example. */
export interface Fence extends At {
  readonly language: string;
}

export function fencesOf(page: Page): readonly Fence[] {
  const fences: Fence[] = [];
  visit(page.tree, 'code', (node) => {
    fences.push({ page, line: lineOf(node) + 1, language: node.lang ?? '', value: node.value });
  });
  return fences;
}

/** `Code` within a sentence. */
export function codeSpansOf(page: Page): readonly At[] {
  const spans: At[] = [];
  visit(page.tree, 'inlineCode', (node) => void spans.push({ page, line: lineOf(node), value: node.value }));
  return spans;
}

/**
 * What is wrong with a link within the repository.
 * @returns undefined for one that leads somewhere, and for addresses elsewhere, which no test asks
 */
export function linkFault({ page, value }: At): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(value)) return undefined;
  const [path = '', anchor] = value.split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), decodeURIComponent(path)));
  if (path.startsWith('/') || target.startsWith('..')) return `${value} leads out of the repository`;
  if (!existsSync(target)) return `${value}: there is no ${target}`;
  if (anchor === undefined) return undefined;
  if (!target.endsWith('.md') || statSync(target).isDirectory()) return `${value}: only a page has anchors`;
  const anchors = anchorsOf(target === page.path ? page : readPage(target));
  return anchors.has(anchor)
    ? undefined
    : `${value}: ${target} has no heading for #${anchor}; it has ${[...anchors].join(', ')}`;
}
