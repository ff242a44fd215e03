/**
 * Makes the files of a release in a new folder: the npm package, its bill of materials, their checksums and the notes.
 * `.github/workflows/release.yml` runs it: node release/prepare.ts FOLDER
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOfMaterials, bundledPackages, type BillOfMaterials } from './bill-of-materials.ts';
import { notesOf } from './changelog.ts';

const run = (program: string, ...args: readonly string[]) =>
  execFileSync(program, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder for the files: node release/prepare.ts FOLDER');

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
if (!/^\d+\.\d+\.\d+$/.test(version))
  throw new Error(`The version of package.json is ${version}; a release has three numbers, such as 1.2.3.`);
const notes = notesOf(readFileSync('CHANGELOG.md', 'utf8'), version);
if (notes === undefined)
  throw new Error(
    `CHANGELOG.md has no section "## ${version} - date": run npm version, and commit what it writes.`,
  );
const tag = `v${version}`;
const commit = run('git', 'rev-parse', 'HEAD').trim();
const [tagged] = run('git', 'ls-remote', 'origin', `refs/tags/${tag}`).split('\t');
if (tagged !== undefined && tagged !== '' && tagged !== commit)
  throw new Error(`The tag ${tag} is on ${tagged} already, and this commit is ${commit}: raise the version.`);

mkdirSync(folder);
run('npm', 'pack', '--silent', '--pack-destination', folder);
const whole = run(
  'npm',
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--package-lock-only',
);
const bill = billOfMaterials(
  JSON.parse(whole) as BillOfMaterials,
  bundledPackages(readFileSync('dist/licenses.txt', 'utf8')),
);
writeFileSync(join(folder, `pacegate-${version}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);
writeFileSync(join(folder, 'notes.md'), notes);

const published = [`pacegate-${version}.tgz`, `pacegate-${version}.cdx.json`].map((name) => ({
  name,
  bytes: statSync(join(folder, name)).size,
  sha256: createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex'),
}));
writeFileSync(
  join(folder, 'SHA256SUMS'),
  published.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''),
);

const overview = [
  `## Pacegate ${version}, of ${commit}`,
  '',
  '| file | bytes | SHA-256 |',
  '| --- | ---: | --- |',
  ...published.map(({ name, bytes, sha256 }) => `| ${name} | ${bytes} | \`${sha256}\` |`),
  '',
  `The tag \`${tag}\` is made on this commit and never moves. The tag \`v${version.split('.')[0] ?? ''}\` moves to it.`,
  `${bill.components.length} packages are bundled.`,
  '',
  '### Notes',
  '',
  notes,
].join('\n');
process.stdout.write(overview);
const { GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary } = process.env;
if (output !== undefined) appendFileSync(output, `version=${version}\n`);
if (summary !== undefined) appendFileSync(summary, overview);
