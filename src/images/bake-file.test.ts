import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { bakeFiles, bakeToBuild, hostAccessOf, exposedToken, type ResolvedBake } from './bake-file.ts';

/** What a change's own bake file may use, told from what buildx resolves it to. */

const top = realpathSync(mkdtempSync(join(tmpdir(), 'pacegate-bake-')));
afterAll(() => rmSync(top, { recursive: true, force: true }));
const tree = join(top, 'tree');
mkdirSync(join(tree, 'app'), { recursive: true });
mkdirSync(join(top, 'secrets'));
writeFileSync(join(top, 'secrets', 'token'), 'token');
writeFileSync(join(tree, 'app', 'Dockerfile'), 'FROM python\n');
writeFileSync(join(tree, 'pip.conf'), '');
symlinkSync('../secrets', join(tree, 'link'));

type Target = ResolvedBake['target'][string];
const hostAccess = async (own: Target) =>
  await hostAccessOf({ target: { app: { context: '.', ...own } } }, tree);

test.each<[string, Target]>([
  ['its own folders and files', { context: 'app', dockerfile: 'Dockerfile', secret: ['id=p,src=pip.conf'] }],
  ['addresses and linked targets', { contexts: { a: 'docker-image://debian', b: 'target:b' } }],
  ['a repository by https', { context: 'https://example.org/app.git', dockerfile: 'Dockerfile' }],
  ['outputs and caches, which are left out', { output: ['type=local,dest=/x'], 'cache-to': ['type=gha'] }],
  ['a cache that it reads from a registry', { 'cache-from': ['type=registry,ref=example.org/cache'] }],
])('a bake file may use %s', async (_, own) => expect(await hostAccess(own)).toBeUndefined());

test.each<[string, Target, string]>([
  ['a context that is a link out', { context: 'link' }, 'contexts.context'],
  ['a context of the runner', { context: '/home' }, 'contexts.context'],
  ['a context above', { contexts: { up: '../secrets' } }, 'contexts.up'],
  ['an unknown scheme', { contexts: { x: 'x://r' } }, 'contexts.x'],
  ['an OCI layout', { contexts: { x: 'oci-layout:///srv' } }, 'contexts.x'],
  ['a repository by ssh', { context: 'ssh://git@example.org/x' }, 'contexts.context'],
  ['a Dockerfile that is a link out', { dockerfile: 'link/token' }, 'dockerfile'],
  ['a Dockerfile of the runner', { dockerfile: '/etc/passwd' }, 'dockerfile'],
  ['a secret of the runner', { secret: ['type=file,id=x,src=/etc/passwd'] }, 'secret'],
  ['a secret that is a link out', { secret: [{ id: 'x', src: 'link/token' }] }, 'secret'],
  ['a secret of the environment', { secret: ['id=x,env=ACTIONS_RUNTIME_TOKEN'] }, 'secret'],
  ['a secret by its name alone', { secret: [{ id: 'GITHUB_TOKEN' }] }, 'secret'],
  ['the ssh agent', { ssh: ['default'] }, 'ssh'],
  ['the host’s network', { network: 'host' }, 'network'],
  ['an entitlement', { entitlements: ['security.insecure'] }, 'entitlements'],
  ['a cache of the runner', { 'cache-from': ['type=local,src=/var/cache'] }, 'cache-from'],
])('a bake file may not use %s', async (_, own, key) =>
  expect(await hostAccess(own)).toContain(`target.app.${key} of the bake file`),
);

test('a build has our tag, one platform, and no outputs of its own', () => {
  const resolved: ResolvedBake = {
    target: {
      dep: { context: '.', output: ['type=local,dest=/x'], tags: ['example.org/dep'] },
      app: {
        context: '.',
        platforms: ['linux/amd64', 'linux/arm64'],
        output: ['type=registry'],
        tags: ['example.org/app'],
        'cache-to': ['type=registry,ref=example.org/cache'],
        args: { A: '${b}' },
      },
    },
  };
  const given = { tag: 'pacegate/a:s', cacheFrom: [], cacheTo: [] };
  const app = { context: '.', args: { A: '${b}' }, tags: ['pacegate/a:s'], output: ['type=docker'] };
  expect(bakeToBuild(resolved, 'app', { ...given, confined: true })).toEqual({
    target: { dep: { context: '.', output: ['type=cacheonly'] }, app },
  });
  expect(bakeToBuild(resolved, 'app', { ...given, confined: false }).target['app']).toEqual({
    ...app,
    'cache-to': ['type=registry,ref=example.org/cache'],
  });
  const configured = { ...given, cacheFrom: ['type=gha'], cacheTo: ['type=gha,mode=max'], confined: true };
  expect(bakeToBuild(resolved, 'app', configured).target['app']).toMatchObject({
    'cache-from': ['type=gha'],
    'cache-to': ['type=gha,mode=max'],
  });
});

test('override files are those that buildx lays over the files it looks up itself', async () => {
  writeFileSync(join(tree, 'docker-bake.override.hcl'), '');
  expect(await bakeFiles(tree, 'docker-bake.hcl')).toEqual([
    join(tree, 'docker-bake.hcl'),
    join(tree, 'docker-bake.override.hcl'),
  ]);
  expect(await bakeFiles(tree, 'perf.hcl')).toEqual([join(tree, 'perf.hcl')]);
});

test.each<[string, NonNullable<Target['secret']>[number]]>([
  ['by a variable', 'id=x,env=ACTIONS_RUNTIME_TOKEN'],
  ['by a variable in a table', { id: 'x', env: 'ACTIONS_RUNTIME_TOKEN' }],
  ['by its own name', 'id=ACTIONS_RUNTIME_TOKEN'],
  ['by its own name in a table', { id: 'ACTIONS_RUNTIME_TOKEN' }],
  ['by a type', 'type=env,id=x,src=ACTIONS_RUNTIME_TOKEN'],
])('a bake file that reads the runner’s token %s is detected, in a linked target too', (_, secret) => {
  const linked = { target: { app: { context: '.' }, dep: { context: '.', secret: ['id=a,src=b', secret] } } };
  expect(exposedToken(linked)).toEqual({ target: 'dep', name: 'ACTIONS_RUNTIME_TOKEN' });
});

test('a secret of any other name is left to the rest', () =>
  expect(
    exposedToken({ target: { app: { secret: ['id=x,env=TOKEN', 'id=y,src=ACTIONS.txt'] } } }),
  ).toBeUndefined());
