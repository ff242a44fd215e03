import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { withEngine } from '../process/engine.test-support.ts';
import { removeTemporaryFolders, repository, temporaryFolder } from '../source/repository.test-support.ts';
import { verdictsOf } from './project.test-support.ts';
import { pacegate } from './terminal.test-support.ts';

/** `init` and the gate after it, as separate processes. */

jest.setTimeout(300_000);
afterAll(removeTemporaryFolders);

/** A new repository with a project of fixtures/projects in its first commit. */
function fixture(name: string) {
  const made = repository();
  cpSync(join('fixtures/projects', name), made.path, { recursive: true });
  made.commit('the project');
  return made;
}

test('init --yes, then gate: a loss of 50 % is regressed', async () => {
  const { path, write, commit } = fixture('console-script');
  const init = await pacegate(path, ['init', '--yes', '--host']);
  expect({ status: init.status, log: init.status === 0 ? '' : init.log }).toEqual({ status: 0, log: '' });
  expect(init.out).toMatch(/Workload: the command checksum\n/);
  for (const file of ['.github/pacegate.yml', 'bench.py', '.github/workflows/pacegate.yml'])
    expect(init.out).toContain(`Wrote ${file}\n`);
  expect(init.out).toMatch(
    /The workload runs with this machine's Python, without a container: wall time [\d.]+ m?s, /,
  );
  commit('the gate');

  const source = readFileSync(join(path, 'checksum.py'), 'utf8');
  write('checksum.py', source.replace('ROUNDS = 200_000', 'ROUNDS = 300_000'));
  commit('slower');
  const slower = await pacegate(path, ['gate', '--baseline', 'HEAD~1', '--format', 'json']);
  expect({ status: slower.status, log: slower.status === 1 ? '' : slower.log }).toEqual({
    status: 1,
    log: '',
  });
  expect(verdictsOf(slower.out, 'cpu_time_s')).toEqual(['regressed']);
});

withEngine(
  'in containers init tries the image, and a change of the documentation gives the same one',
  async () => {
    const { path, write, commit } = fixture('console-script');
    const init = await pacegate(path, ['init', '--yes']);
    expect({ status: init.status, log: init.status === 0 ? '' : init.log }).toEqual({ status: 0, log: '' });
    expect(init.out).toMatch(/The workload runs in Docker \(official\): wall time [\d.]+ m?s, CPU time /);
    commit('the gate');
    write('README.md', '# checksum\n\nA better description.\n');
    commit('docs');
    const same = await pacegate(path, ['gate', '--baseline', 'HEAD~1', '--format', 'json']);
    expect({ status: same.status, log: same.status === 0 ? '' : same.log }).toEqual({ status: 0, log: '' });
    expect(JSON.parse(same.out)).toMatchObject({ verdict: 'unchanged' });
    expect(same.log).toMatch(/identical|same image/i);
  },
);

test('a second init keeps every file, and writes the removed ones again', async () => {
  const { path, write } = fixture('console-script');
  write(
    '.github/pacegate.yml',
    'version: 1\nworkload: { command: [python, -c, pass] }\nvariants:\n  here: { interpreter: host, python: python3 }\n',
  );
  write('.github/workflows/pacegate.yml', 'mine\n');
  const { status, out } = await pacegate(path, ['init', '--yes', '--no-smoke-test']);
  expect(status).toBe(0);
  expect(out).toContain('.github/pacegate.yml exists already');
  expect(out).toContain('Kept .github/workflows/pacegate.yml, which exists already\n');
  expect(out).toContain('Wrote .github/workflows/pacegate-baseline.yml\n');
  expect(readFileSync(join(path, '.github/workflows/pacegate.yml'), 'utf8')).toBe('mine\n');
  expect(existsSync(join(path, 'bench.py'))).toBe(false);
});

test('--dry-run prints the files and writes none', async () => {
  const { path, git } = fixture('flask');
  const { status, out } = await pacegate(path, ['init', '--dry-run']);
  expect(status).toBe(0);
  for (const file of ['.github/pacegate.yml', 'load.py']) expect(out).toContain(`--- ${file}\n`);
  expect(git('status', '--porcelain')).toBe('');
});

test('of several projects one has to be named, by --context or by the folder', async () => {
  const { path } = fixture('monorepo');
  const unnamed = await pacegate(path, ['init', '--yes', '--no-smoke-test']);
  expect([unnamed.status, unnamed.log]).toEqual([
    2,
    expect.stringContaining('services/billing, services/orders. Name one with --context'),
  ]);
  const wrong = await pacegate(path, ['init', '--yes', '--context', 'services/none']);
  expect([wrong.status, wrong.log]).toEqual([2, expect.stringContaining('has no files there')]);
  const named = await pacegate(join(path, 'services/billing'), ['init', '--dry-run']);
  expect([named.status, named.out]).toEqual([0, expect.stringContaining('  context: services/billing\n')]);
});

test('a workload that does not run is reported with what to do, and ends with status 3', async () => {
  const { path, write, commit } = fixture('console-script');
  write('checksum.py', 'import nothing_of_this_name\n\n\ndef main():\n    pass\n');
  commit('broken');
  const { status, out } = await pacegate(path, ['init', '--yes', '--host']);
  expect(status).toBe(3);
  expect(out).toContain('In the way: Python does not find the module nothing_of_this_name');
});

test('in a plain folder init writes the files, and the workload runs', async () => {
  const folder = temporaryFolder();
  cpSync('fixtures/projects/console-script', folder, { recursive: true });
  const { status, out } = await pacegate(folder, ['init', '--yes', '--host']);
  expect([status, out]).toEqual([0, expect.stringContaining('The workload runs')]);
});

test('routes that the server refuses are left out of the load, and the first run succeeds', async () => {
  const folder = temporaryFolder();
  const files = {
    'requirements.txt': 'django\n',
    'site/settings.py': "ROOT_URLCONF = 'site.urls'\n",
    'site/urls.py': 'urlpatterns = [path("", home), path("members/", members)]\n',
    // Stands in for Django, which this machine's Python may lack.
    'manage.py': [
      'import http.server',
      'class Handler(http.server.BaseHTTPRequestHandler):',
      '    protocol_version = "HTTP/1.1"',
      '    def log_message(self, *words): pass',
      '    def do_GET(self):',
      '        self.send_response(200 if self.path == "/" else 403)',
      '        self.send_header("Content-Length", "0")',
      '        self.end_headers()',
      'http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()',
      '',
    ].join('\n'),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { status, out } = await pacegate(folder, ['init', '--yes', '--host']);
  expect(out).toContain('Note: the server refuses /members/, so load.py does not request that.');
  expect(readFileSync(join(folder, 'load.py'), 'utf8')).toContain('ROUTES = ["/"]');
  expect([status, out]).toEqual([0, expect.stringContaining('The workload runs')]);
});
