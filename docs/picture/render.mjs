/**
 * Renders a golden report as GitHub shows it: the comment and the check, light and dark, on a desktop and on a telephone.
 * The pictures are docs/images/comment.png, check.png, comment-390.png and so on, with -dark before the end.
 *
 *   npm ci --prefix docs/picture && node docs/picture/render.mjs
 *
 * Needs a Chromium (Debian's package `chromium`, or the path in CHROMIUM) and an emoji font (`fonts-noto-color-emoji`).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import markdownIt from 'markdown-it';
import { chromium } from 'playwright-core';
import UPNG from 'upng-js';
import { CHECK_SUMMARIES } from '../../src/report/check.ts';

const TOP = join(import.meta.dirname, '..', '..');
const REPORT = join(TOP, 'fixtures', 'reports', 'why-named.md');
const IMAGES = join(TOP, 'docs', 'images');
/** Pixels of a desktop's column and of a telephone. */
const WIDTHS = { '': 900, '-390': 390 };
/** Text on one ground needs few; with all of them the file is twice as large. */
const COLOURS = 96;

const FRAMES = {
  light: { border: '#d1d9e0', head: '#f6f8fa', muted: '#59636e', page: '#ffffff' },
  dark: { border: '#3d444d', head: '#151b23', muted: '#9198a1', page: '#0d1117' },
};

/** The report up to its folded details: what a reader sees before unfolding anything. */
function openPart(markdown) {
  const [open = ''] = markdown.split('<details>');
  return open;
}

/** The check's page has the headline and a summary above the report. */
function body(kind, markdown) {
  const report = markdownIt({ html: true }).render(markdown);
  if (kind === 'comment')
    return `<div class="head"><b>github-actions</b> bot commented on this pull request</div><div class="markdown-body">${report}</div>`;
  const [, title = ''] = /^### (?:\S+ )?Pacegate: (.*)$/m.exec(markdown) ?? [];
  return `<div class="head"><b>Pacegate verdict</b> failed</div><div class="markdown-body"><h2>${markdownIt().renderInline(title.replaceAll('`', ''))}</h2>
    <p>${CHECK_SUMMARIES.failure}</p>${report}</div>`;
}

function page(kind, markdown, theme, width) {
  const css = createRequire(import.meta.url).resolve(`github-markdown-css/github-markdown-${theme}.css`);
  const { border, head, muted, page: background } = FRAMES[theme];
  return `<!doctype html><meta charset="utf-8"><style>${readFileSync(css, 'utf8')}
    body { margin: 0; background: ${background}; }
    .comment { width: ${width}px; box-sizing: border-box; border: 1px solid ${border}; border-radius: 6px; overflow: hidden; }
    .head { padding: 8px 16px; background: ${head}; border-bottom: 1px solid ${border}; color: ${muted};
      font: 14px "Liberation Sans", sans-serif; }
    .markdown-body { padding: 16px; font-family: "Liberation Sans", "Noto Color Emoji", sans-serif; font-size: 14px; }
    .markdown-body > :last-child { margin-bottom: 0; }
    ${width < 600 ? '' : '.markdown-body table { display: table; width: 100%; } .markdown-body td, .markdown-body th { white-space: nowrap; }'}
    .markdown-body code { font-family: "Liberation Mono", monospace; }
  </style><div class="comment">${body(kind, markdown)}</div>`;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
mkdirSync(IMAGES, { recursive: true });
try {
  const markdown = openPart(readFileSync(REPORT, 'utf8'));
  for (const kind of ['comment', 'check'])
    for (const [suffix, width] of Object.entries(WIDTHS))
      for (const theme of Object.keys(FRAMES)) {
        const tab = await browser.newPage({ viewport: { width, height: 800 }, deviceScaleFactor: 1.5 });
        await tab.setContent(page(kind, markdown, theme, width));
        const path = join(IMAGES, `${kind}${suffix}${theme === 'light' ? '' : '-dark'}.png`);
        const {
          width: wide,
          height: high,
          ...shot
        } = UPNG.decode(await tab.locator('.comment').screenshot({ omitBackground: true }));
        const [rgba] = UPNG.toRGBA8({ width: wide, height: high, ...shot });
        const png = Buffer.from(UPNG.encode([rgba], wide, high, COLOURS));
        writeFileSync(path, png);
        await tab.close();
        process.stdout.write(`${path}: ${png.length} bytes\n`);
      }
} finally {
  await browser.close();
}
