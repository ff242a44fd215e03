/** Moves the unreleased lines of the changelog to a section for the version of package.json. `npm version` runs it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { released } from './changelog.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
const date = new Date().toISOString().slice(0, 10);
writeFileSync('CHANGELOG.md', released(readFileSync('CHANGELOG.md', 'utf8'), version, date));
