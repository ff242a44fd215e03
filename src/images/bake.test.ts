import { CACHE_TOKEN } from './cache-token.ts';
import { buildEnvironment, withheld } from './buildx.ts';
import { expect, test } from '@jest/globals';
import type { BuildOptions, InterpreterVariant } from '../plan/plan.ts';
import { bakeArguments, bakeDefinition, definitionText, interpreterDefinition, secretsOf } from './bake.ts';

const official: InterpreterVariant = {
  name: 'official-3.13',
  kind: 'interpreter',
  interpreter: 'official',
  args: { PYTHON_VERSION: '3.13', DEBIAN_RELEASE: 'trixie' },
  contexts: {},
  flags: [],
  env: {},
};

const plain: BuildOptions = {
  cacheFrom: [],
  cacheTo: [],
  secrets: [],
  ca: undefined,
  registry: undefined,
  cold: 'quick',
};

const request = {
  variant: official,
  side: 'head' as const,
  sessionId: 's1',
  build: plain,
  variantsFolder: '/opt/pacegate/variants',
  root: '/repository',
  application: {
    context: '/trees/head/app',
    dockerfile: '/trees/head/app/Dockerfile',
    replaces: ['python'],
    args: {},
    contexts: {},
  },
};

test('an interpreter variant is two linked targets, and only the application becomes an image', () => {
  expect(bakeDefinition(request)).toEqual({
    target: {
      'interpreter-official-3_13': {
        context: '/opt/pacegate/variants/official',
        dockerfile: '/opt/pacegate/variants/official/Dockerfile',
        args: { PYTHON_VERSION: '3.13', DEBIAN_RELEASE: 'trixie' },
        contexts: { promises: '/opt/pacegate/variants/promises' },
        output: ['type=cacheonly'],
      },
      'official-3_13-head': {
        context: '/trees/head/app',
        dockerfile: '/trees/head/app/Dockerfile',
        contexts: { python: 'target:interpreter-official-3_13' },
        tags: ['pacegate/official-3.13-head:s1'],
        output: ['type=docker'],
      },
    },
  });
});

test('the default Dockerfile has its installer and the additional packages', () => {
  const application = {
    ...request.application,
    args: { INSTALL: '{"groups":["bench"],"extras":[],"packages":[]}' },
    contexts: { 'pacegate-installer': '/opt/pacegate/variants/application' },
  };
  expect(bakeDefinition({ ...request, application }).target['official-3_13-head']).toMatchObject({
    args: application.args,
    contexts: {
      'pacegate-installer': '/opt/pacegate/variants/application',
      python: 'target:interpreter-official-3_13',
    },
  });
});

test('both targets read the caches and have the secrets; one writes, each variant to its own scope', () => {
  const build = {
    cacheFrom: ['type=gha'],
    cacheTo: ['type=gha,mode=max'],
    secrets: ['id=token,env=TOKEN'],
    ca: 'ca, ours.pem',
    registry: 'ghcr.io/o/n',
    cold: 'quick' as const,
  };
  const { target } = bakeDefinition({ ...request, build, cacheFrom: ['type=registry,ref=r@sha256:0'] });
  const cacheFrom = ['type=gha,scope=pacegate-official-3.13', 'type=registry,ref=r@sha256:0'];
  const secret = ['id=token,env=TOKEN', 'id=ca,"src=/repository/ca, ours.pem"'];
  expect(target['interpreter-official-3_13']).toMatchObject({ 'cache-from': cacheFrom, secret });
  expect(target['interpreter-official-3_13']).not.toHaveProperty('cache-to');
  expect(target['official-3_13-head']).toMatchObject({
    'cache-from': cacheFrom,
    // The image carries its own cache, for who pulls it by digest.
    'cache-to': ['type=gha,mode=max,scope=pacegate-official-3.13', 'type=inline'],
    secret,
  });
});

test('a named context is a reference or a folder of the configuration', () => {
  const contexts = { a: 'mirror/pyenv', b: '/absolute', c: 'docker-image://debian:trixie' };
  const { target } = bakeDefinition({ ...request, variant: { ...official, contexts } });
  expect(target['interpreter-official-3_13']?.contexts).toEqual({
    a: '/repository/mirror/pyenv',
    b: '/absolute',
    c: 'docker-image://debian:trixie',
    promises: '/opt/pacegate/variants/promises',
  });
});

test('an interpreter that is an image by now is not built along; the flavours share a folder', () => {
  const variant = { ...official, name: 'fast', interpreter: 'pyenv-optimized' as const };
  const reference = 'ghcr.io/o/n/interpreter-pyenv-optimized@sha256:0';
  expect(bakeDefinition({ ...request, variant, interpreterImage: reference, labels: { a: 'b' } })).toEqual({
    target: {
      'fast-head': {
        context: '/trees/head/app',
        dockerfile: '/trees/head/app/Dockerfile',
        contexts: { python: `docker-image://${reference}` },
        tags: ['pacegate/fast-head:s1'],
        labels: { a: 'b' },
        output: ['type=docker'],
      },
    },
  });
  expect(
    interpreterDefinition(
      { ...request, variant },
      'pacegate-interpreter/pyenv-optimized:k',
      'type=docker',
      {},
    ),
  ).toEqual({
    target: {
      'interpreter-fast': {
        context: '/opt/pacegate/variants/pyenv',
        dockerfile: '/opt/pacegate/variants/pyenv/Dockerfile',
        args: official.args,
        contexts: { promises: '/opt/pacegate/variants/promises' },
        tags: ['pacegate-interpreter/pyenv-optimized:k'],
        output: ['type=docker'],
      },
    },
  });
});

test('the check of the promises cannot be replaced by a context of the configuration', () => {
  const variant = { ...official, contexts: { promises: '/mine' } };
  const { target } = bakeDefinition({ ...request, variant });
  expect(target['interpreter-official-3_13']?.contexts).toEqual({
    promises: '/opt/pacegate/variants/promises',
  });
});

test("bake's templates are doubled in keys and values: nothing of the user's is evaluated", () => {
  const text = definitionText({
    target: { t: { context: '/a${b}', dockerfile: 'D', args: { '${k}': '%{ if true }' }, output: [] } },
  });
  expect(JSON.parse(text)).toEqual({
    target: { t: { context: '/a$${b}', dockerfile: 'D', args: { '$${k}': '%%{ if true }' }, output: [] } },
  });
});

test.each([
  [
    { file: 'b.json', metadataFile: 'm.json', target: 'x-head', progress: 'rawjson' as const },
    'buildx bake --file b.json --metadata-file m.json --progress rawjson --provenance=false --sbom=false x-head',
  ],
  [
    { file: 'f', metadataFile: 'm', target: 't', progress: 'plain' as const, set: ['t.output=type=docker'] },
    'buildx bake --file f --metadata-file m --progress plain --provenance=false --sbom=false --set t.output=type=docker t',
  ],
])('the argument list of %j', (call, words) => expect(bakeArguments(call)).toEqual(words.split(' ')));

test('an absolute certificate file stays where it is', () =>
  expect(secretsOf({ ...plain, ca: '/etc/ca.pem' }, '/repository')).toEqual(['id=ca,src=/etc/ca.pem']));

test("a project's own bake file gets nothing of a job's environment but what docker needs", () => {
  const environment = {
    PATH: '/bin',
    DOCKER_HOST: 'unix:///d',
    https_proxy: 'http://p',
    GITHUB_ACTIONS: 'true',
  };
  const tokens = {
    'INPUT_GITHUB-TOKEN': 't',
    ACTIONS_RUNTIME_TOKEN: 't',
    NPM_TOKEN: 't',
    DOCKER_PASSWORD: 't',
    DOCKER_AUTH_CONFIG: 't',
    BUILDX_BAKE_ENTITLEMENTS_FS: '0',
    BUILDKIT_TOKEN: 't',
  };
  expect(Object.keys(withheld({ ...environment, ...tokens })).sort()).toEqual(
    ['GITHUB_ACTIONS', ...Object.keys(tokens)].sort(),
  );
  expect(withheld({ ...tokens, PATH: '/bin' })).toEqual({});
});

test('only the build gets the runner’s cache token, and only if the configuration names that cache', () => {
  const cache = Object.fromEntries(CACHE_TOKEN.map((name) => [name, `value of ${name}`]));
  const runner = { ...cache, GITHUB_ACTIONS: 'true', PATH: '/bin', NPM_TOKEN: 't' };
  /** What a program is started with: a name without a value is taken away. */
  const started = (ours: boolean, githubCache: boolean) => {
    const env: Record<string, string | undefined> = {
      ...runner,
      ...buildEnvironment({ ours, githubCache }, runner),
    };
    return [...CACHE_TOKEN, 'NPM_TOKEN', 'PATH'].filter((name) => env[name] !== undefined);
  };
  expect(started(false, false)).toEqual(['PATH']);
  expect(started(false, true)).toEqual([...CACHE_TOKEN, 'PATH']);
  // What our own definition takes of it, the configuration names.
  expect(started(true, true)).toEqual([...CACHE_TOKEN, 'NPM_TOKEN', 'PATH']);
});
