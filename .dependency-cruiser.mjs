const vocabulary = ['errors', 'session'];

/**
 * The layering. Each folder of src, and each folder below it that holds a part of its own, names the folders that it may
 * import, and those of which it may import types only: this is how the use cases know the adapters. A pure folder touches
 * no files, processes, network or runner. Tests and src/main, where everything is put together, import everything.
 * docs/architecture.md has the same table, and a test compares them.
 */
export const folders = {
  errors: { imports: [], pure: true },
  statistics: { imports: ['errors'], pure: true },
  // The profiles' names are the schedule of looks', which is the statistics'.
  session: { imports: ['errors', 'statistics'], pure: true },
  plan: { imports: [...vocabulary, 'statistics'], pure: true },
  evidence: { imports: [...vocabulary, 'statistics'], pure: true },
  verdict: { imports: [...vocabulary, 'statistics', 'evidence'], pure: true },
  ranking: { imports: [...vocabulary, 'statistics', 'evidence', 'verdict'], pure: true },
  history: { imports: [...vocabulary, 'statistics', 'evidence', 'verdict', 'ranking'], pure: true },
  planning: { imports: [...vocabulary, 'statistics', 'evidence', 'verdict', 'history'], pure: true },
  diagnosis: { imports: [...vocabulary, 'statistics', 'evidence', 'verdict'], pure: true },
  // A report names the looks and the margin that a verdict was shown against.
  report: {
    imports: [...vocabulary, 'statistics', 'verdict', 'ranking', 'history', 'diagnosis'],
    pure: true,
  },
  dockerfile: { imports: ['errors'], pure: true },
  // A project's files to the files of its gate; nothing of a plan is needed to write one.
  init: { imports: ['errors', 'dockerfile'], pure: true },
  process: { imports: ['errors'] },
  images: { imports: [...vocabulary, 'plan', 'process', 'dockerfile'], types: ['measure'] },
  measure: { imports: [...vocabulary, 'statistics', 'plan', 'process', 'measure/results'] },
  'measure/results': { imports: vocabulary, pure: true },
  'measure/machine': { imports: [...vocabulary, 'process'] },
  'measure/probe': { imports: [...vocabulary, 'process', 'measure', 'measure/results'] },
  'measure/profile': { imports: [...vocabulary, 'plan'], types: ['measure'] },
  'measure/counting': { imports: [...vocabulary, 'plan', 'process', 'measure/probe'], types: ['measure'] },
  'measure/server': { imports: [...vocabulary, 'plan', 'process', 'measure', 'measure/probe'] },
  'measure/engines': {
    imports: [
      ...[...vocabulary, 'plan', 'process', 'measure'],
      ...['counting', 'machine', 'probe', 'profile', 'server'].map((folder) => `measure/${folder}`),
    ],
  },
  baseline: { imports: [...vocabulary, 'process'] },
  'out-folder': { imports: [...vocabulary, 'process'] },
  // The listing of a project's files tells which of them `init` reads.
  source: { imports: [...vocabulary, 'process', 'init'] },
  github: { imports: vocabulary },
  pipeline: {
    imports: [
      ...[...vocabulary, 'plan', 'report'],
      ...['evidence', 'verdict', 'ranking', 'history', 'planning', 'diagnosis'],
    ],
    types: ['images', 'measure', 'measure/counting', 'baseline', 'out-folder', 'source', 'github'],
  },
};

/** The files of a folder itself, not those of the folders below it. */
const filesOf = (folder) => `^src/${folder}/[^/]+\\.ts$`;
const tests = '\\.(test|test-support)\\.ts$';
const names = (list) => list.map((folder) => `src/${folder}`).join(', ');

const layering = Object.entries(folders).flatMap(([folder, { imports, types = [], pure = false }]) => {
  const from = { path: filesOf(folder), pathNot: tests };
  const allowed = [folder, ...imports].map(filesOf);
  return [
    {
      name: `src/${folder} imports only ${names([...imports, ...types]) || 'its own files'}`,
      severity: 'error',
      from,
      to: { path: '^src/', pathNot: [...allowed, ...types.map(filesOf)] },
    },
    ...(types.length === 0
      ? []
      : [
          {
            name: `src/${folder} imports types only of ${names(types)}`,
            severity: 'error',
            from,
            to: { path: types.map(filesOf), dependencyTypesNot: ['type-only'] },
          },
        ]),
    ...(pure
      ? [
          {
            name: `src/${folder} is pure: no files, processes, network or runner`,
            severity: 'error',
            from,
            // A digest is arithmetic; the randomness of node:crypto is not used anywhere.
            to: {
              path: ['^node:', '^[a-z_]+(/promises)?$', 'node_modules/(@actions|@octokit|p-retry)/'],
              pathNot: ['^(node:)?crypto$'],
            },
          },
        ]
      : []),
  ];
});

export default {
  forbidden: [
    ...layering,
    {
      name: 'each folder of src has a row in .dependency-cruiser.mjs',
      severity: 'error',
      from: { path: '^src/.+/', pathNot: [...Object.keys(folders).map(filesOf), '^src/(main|docs)/', tests] },
      to: {},
    },
    { name: 'no import cycle', severity: 'error', from: { path: '^src/' }, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
