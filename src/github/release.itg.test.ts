import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import { notesOf, released } from '../../release/changelog.ts';
import { toolPath, withTool } from '../process/engine.test-support.ts';
import {
  removeTemporaryFolders,
  repository,
  runGit,
  temporaryFolder,
  type TestRepository,
} from '../source/repository.test-support.ts';
import { readWorkflow, stepsOf } from './workflows.test-support.ts';

/**
 * Runs the release workflow with act on a copy of this repository whose origin is a folder. The builds, the package,
 * the checksums, the bill of materials and the tags are real. Stand-ins replace the parts of GitHub and npm: the
 * actions, `gh` and `npm publish` record their arguments. A stand-in replaces `.ci/run` too, because it runs this test.
 */

jest.setTimeout(600_000);
afterAll(removeTemporaryFolders);

const TOP = join(import.meta.dirname, '..', '..');
const ACT = toolPath('act');
const WORKFLOW = '.github/workflows/release.yml';
const { version: VERSION } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const TAG = `v${VERSION}`;
const MAJOR = `v${VERSION.split('.')[0] ?? ''}`;
const FILES = [`pacegate-${VERSION}.cdx.json`, `pacegate-${VERSION}.tgz`];

/** Files that no step of a release reads. act copies the whole checkout for each job. */
const LEFT_OUT = /^(fixtures\/(?!demo)|benchmarks\/|docs\/)|\.test\.ts$/;

/** The folder with the stand-ins' records: a line for each call, and the artifact's files. */
let record: string;
let programs: string;
let server: string;
let project: TestRepository;
/** The commit that each test begins with. */
let start: string;

const script = (path: string, text: string) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nset -eu\n${text}`);
  chmodSync(path, 0o755);
};

/** @returns act's arguments that replace an action by a folder with a stand-in */
function standIn(action: string, inputs: readonly string[], run: string): readonly string[] {
  const folder = temporaryFolder();
  const env = inputs.map((name) => `        ${name.replaceAll('-', '_')}: \${{ inputs.${name} }}\n`).join('');
  writeFileSync(
    join(folder, 'action.yml'),
    `name: stand-in\ndescription: x\ninputs:\n${inputs.map((name) => `  ${name}: { description: x }\n`).join('')}` +
      `runs:\n  using: composite\n  steps:\n    - shell: bash\n      env:\n${env}      run: ${run}\n`,
  );
  const uses = stepsOf(readWorkflow(join(TOP, WORKFLOW))).find((step) =>
    step.uses?.startsWith(`${action}@`),
  )?.uses;
  return [
    '--local-repository',
    `file://${server}/${uses ?? `${action}: the workflow does not use it`}=${folder}`,
  ];
}

/** Each call of a stand-in: its name and arguments. */
const calls = () =>
  existsSync(join(record, 'calls')) ? readFileSync(join(record, 'calls'), 'utf8').trimEnd().split('\n') : [];

beforeAll(() => {
  record = temporaryFolder();
  programs = temporaryFolder();
  const real = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  script(join(programs, 'sudo'), 'while [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n');
  script(
    join(programs, 'gh'),
    `echo "gh $*" >> ${record}/calls\nif [ "$2" = view ]; then exit 1; fi\nwhile [ "$1" != --notes-file ]; do shift; done\ncp "$2" ${record}/notes\n`,
  );
  script(
    join(programs, 'npm'),
    `case "$1" in\nci) ln -s ${TOP}/node_modules node_modules ;;\npublish) echo "npm $*" >> ${record}/calls ;;\n*) exec ${real} "$@" ;;\nesac\n`,
  );

  // This repository with its local changes.
  server = temporaryFolder();
  runGit(server, 'init', '-q', '--bare', '-b', 'main', 'owner/name');
  project = repository();
  const listed = runGit(TOP, 'ls-files', '-co', '--exclude-standard').split('\n');
  for (const path of listed.filter((name) => !LEFT_OUT.test(name) && existsSync(join(TOP, name))))
    cpSync(join(TOP, path), join(project.path, path));
  script(
    join(project.path, '.ci/run'),
    `echo ".ci/run" >> ${record}/calls\n[ ! -e fails ] || { echo '1 passed, 1 failed'; exit 1; }\n`,
  );
  const changelog = readFileSync(join(TOP, 'CHANGELOG.md'), 'utf8');
  if (notesOf(changelog, VERSION) === undefined)
    project.write('CHANGELOG.md', released(changelog, VERSION, '2026-01-01'));
  symlinkSync(join(TOP, 'node_modules'), join(project.path, 'node_modules'));
  execFileSync(process.execPath, ['build.ts'], { cwd: project.path });
  execFileSync('rm', [join(project.path, 'node_modules')]);
  project.commit('the release');
  project.git('remote', 'add', 'origin', join(server, 'owner/name'));
  project.git('push', '-q', 'origin', 'main');
  start = project.git('rev-parse', 'HEAD');
});

// A second attempt at a test begins as the first did.
beforeEach(() => {
  execFileSync('sh', ['-c', `rm -rf ${record}/*`]);
  project.git('reset', '-q', '--hard', start);
  for (const tag of Object.keys(tags())) project.git('push', '-q', 'origin', `:${tag}`);
});

interface Job {
  readonly status: number;
  readonly log: string;
}

/** Runs the workflow on the committed files. */
async function release(dryRun: boolean): Promise<Job> {
  const event = join(temporaryFolder(), 'event.json');
  writeFileSync(event, JSON.stringify({ inputs: { 'dry-run': String(dryRun) }, ref: 'refs/heads/main' }));
  const args = [
    ...['workflow_dispatch', '--workflows', WORKFLOW, '--eventpath', event],
    ...['--platform', 'ubuntu-24.04=-self-hosted', '--secret', 'GITHUB_TOKEN=x0x0x0x0'],
    ...['--env', `GITHUB_SERVER_URL=file://${server}`, '--env', 'GITHUB_REPOSITORY=owner/name'],
    ...standIn('actions/setup-node', ['node-version'], 'echo "Node $node_version"'),
    ...standIn('actions/setup-go', ['go-version'], 'echo "Go $go_version"'),
    ...standIn('actions/upload-artifact', ['name', 'path'], `cp -r "$path" "${record}/$name"`),
    ...standIn('actions/download-artifact', ['name', 'path'], `cp -r "${record}/$name" "$path"`),
    ...standIn(
      'actions/attest',
      ['subject-checksums', 'subject-path', 'sbom-path'],
      `|\n          for file in $subject_checksums $subject_path $sbom_path; do test -s "$file"; done\n` +
        `          echo "attest checksums=$subject_checksums subject=$subject_path sbom=$sbom_path" >> ${record}/calls`,
    ),
  ];
  return await new Promise((resolve, reject) => {
    const child = spawn(ACT, args, {
      cwd: project.path,
      env: {
        ...process.env,
        PATH: `${programs}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
        XDG_CACHE_HOME: temporaryFolder(),
      },
    });
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? -1, log }));
  });
}

const tags = () => {
  const lines = runGit(project.path, 'ls-remote', '--tags', 'origin').split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split('\t').reverse() as [string, string]));
};

withTool(ACT)('a dry run validates and lists the files, and publishes nothing', async () => {
  const { status, log } = await release(true);
  expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
  expect(calls()).toEqual(['.ci/run']);
  expect(readdirSync(join(record, 'release-files')).sort()).toEqual(['SHA256SUMS', 'notes.md', ...FILES]);
  expect(log).toContain(`## Pacegate ${VERSION}, of ${project.git('rev-parse', 'HEAD')}`);
  for (const file of FILES) expect(log).toContain(`| ${file} | `);
  expect(tags()).toEqual({});

  const files = join(record, 'release-files');
  // The package contains this program. Its bill of materials lists the bundled packages, without the tools.
  const held = execFileSync('tar', ['-tzf', join(files, FILES[1] ?? '')], { encoding: 'utf8' }).split('\n');
  expect(held).toEqual(
    expect.arrayContaining(['package/dist/cli.js', 'package/variants/official/Dockerfile']),
  );
  const bill = JSON.parse(readFileSync(join(files, FILES[0] ?? ''), 'utf8')) as {
    readonly metadata: { readonly component: object };
    readonly components: readonly { readonly name: string }[];
  };
  expect(bill.metadata.component).toMatchObject({ name: 'pacegate', version: VERSION });
  const names = bill.components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['zod', 'yaml', 'commander', '@actions/core']));
  expect(names).not.toContain('jest');
});

withTool(ACT)('a failed check, a stale dist/ and a version without notes each stop a release', async () => {
  project.write('fails', '');
  project.write('dist/cli.js', 'stale\n');
  project.commit('stale');
  const stale = await release(false);
  expect(stale.status).not.toBe(0);
  expect(stale.log).toContain('1 passed, 1 failed');
  expect(stale.log).toContain('dist/ differs from what its sources build');
  expect(calls()).toEqual(['.ci/run']);

  project.git('reset', '-q', '--hard', start);
  project.write('CHANGELOG.md', '# Changelog\n\n## Unreleased\n\n- Add a thing.\n');
  project.commit('no notes');
  const unlisted = await release(false);
  expect(unlisted.status).not.toBe(0);
  expect(unlisted.log).toContain(`CHANGELOG.md has no section "## ${VERSION} - date"`);
  expect(tags()).toEqual({});
});

withTool(ACT)(
  'a release attests the files by their checksums, makes its tag, and moves that of the major version last',
  async () => {
    // An earlier release.
    const earlier = project.git('commit-tree', '-m', 'earlier', 'HEAD^{tree}');
    project.git('push', '-q', 'origin', `${earlier}:refs/tags/${MAJOR}`);
    const { status, log } = await release(false);
    expect({ status, log: status === 0 ? '' : log }).toEqual({ status: 0, log: '' });
    const [archive, bill] = [
      `release-files/pacegate-${VERSION}.tgz`,
      `release-files/pacegate-${VERSION}.cdx.json`,
    ];
    expect(calls()).toEqual([
      '.ci/run',
      'attest checksums=release-files/SHA256SUMS subject= sbom=',
      `attest checksums= subject=${archive} sbom=${bill}`,
      `gh release view ${TAG}`,
      `gh release create ${TAG} --verify-tag --title ${TAG} --notes-file release-files/notes.md ${archive} ${bill} release-files/SHA256SUMS`,
      `npm publish ./${archive} --provenance --access public`,
    ]);
    // The attestation covers the two files with their digests.
    const files = join(record, 'release-files');
    const sums = readFileSync(join(files, 'SHA256SUMS'), 'utf8');
    expect(execFileSync('sha256sum', [...FILES].reverse(), { cwd: files, encoding: 'utf8' })).toBe(sums);
    expect(readFileSync(join(record, 'notes'), 'utf8')).toBe(
      notesOf(readFileSync(join(project.path, 'CHANGELOG.md'), 'utf8'), VERSION),
    );
    const head = project.git('rev-parse', 'HEAD');
    expect(tags()).toEqual({ [`refs/tags/${TAG}`]: head, [`refs/tags/${MAJOR}`]: head });
  },
);

withTool(ACT)('the same version of another commit is refused before anything is published', async () => {
  for (const tag of [TAG, MAJOR]) project.git('push', '-q', 'origin', `${start}:refs/tags/${tag}`);
  const before = tags();
  project.write('README.md', 'changed after the release\n');
  project.commit('more');
  const { status, log } = await release(false);
  expect(status).not.toBe(0);
  expect(log).toMatch(new RegExp(`The tag ${TAG} is on [0-9a-f]{40} already, .*: raise the version`));
  // Git refuses to move a tag even without the workflow's check.
  expect(() =>
    execFileSync('release/push-tag', [TAG], {
      cwd: project.path,
      env: {
        ...process.env,
        GITHUB_SERVER_URL: `file://${server}`,
        GITHUB_REPOSITORY: 'owner/name',
        GH_TOKEN: 'x',
      },
      stdio: 'pipe',
    }),
  ).toThrow(/already exists/);
  expect(calls()).toEqual(['.ci/run']);
  expect(tags()).toEqual(before);
});
