import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { outsideKeys } from './eslint/outside-keys.js';

const pureVocabulary = ['errors', 'session'];

/**
 * The layering. Each folder of src names the folders it may import; `types` are folders of which it may
 * import types only, which is how the pipeline knows the adapters: by their interfaces.
 */
const layers = {
  errors: { imports: [], pure: true },
  statistics: { imports: ['errors'], pure: true },
  // The profiles' names are the schedule of looks', which is the statistics'.
  session: { imports: ['errors', 'statistics'], pure: true },
  compare: { imports: [...pureVocabulary, 'statistics'], pure: true },
  plan: { imports: [...pureVocabulary, 'statistics'], pure: true },
  // A report names the looks and the margin that a verdict was shown against.
  report: { imports: [...pureVocabulary, 'compare', 'statistics'], pure: true },
  process: { imports: ['errors'] },
  images: { imports: [...pureVocabulary, 'plan', 'process'], types: ['measure'] },
  measure: { imports: [...pureVocabulary, 'statistics', 'plan', 'process'] },
  baseline: { imports: [...pureVocabulary, 'process'] },
  source: { imports: [...pureVocabulary, 'process'] },
  github: { imports: [...pureVocabulary] },
  pipeline: {
    imports: [...pureVocabulary, 'plan', 'compare', 'report'],
    types: ['images', 'measure', 'baseline', 'source', 'github'],
  },
};

/** What a pure folder may not touch: files, processes, the network, the runner. */
// A digest is arithmetic; the randomness of node:crypto is not used anywhere.
const inputOutput = '^(node:(?!crypto$)|@actions/|@octokit/|p-retry$)';

const layering = Object.entries(layers).map(([folder, { imports, types = [], pure = false }]) => ({
  files: [`src/${folder}/**/*.ts`],
  ignores: ['src/**/*.test.ts'],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(?!(\\.\\.|${[...imports, ...types].join('|')})/)`,
            message: `src/${folder} may import ${imports.join(', ') || 'no other folder'}${types.length > 0 ? `, and types of ${types.join(', ')}` : ''}.`,
          },
          ...(types.length > 0
            ? [
                {
                  regex: `^\\.\\./(${types.join('|')})/`,
                  allowTypeImports: true,
                  message: `src/${folder} knows this folder by its types only.`,
                },
              ]
            : []),
          ...(pure
            ? [
                {
                  regex: inputOutput,
                  message: `src/${folder} is pure: no files, processes, network or runner.`,
                },
              ]
            : []),
        ],
      },
    ],
  },
}));

export default defineConfig(
  {
    ignores: [
      ...[
        'eslint.config.js',
        'eslint/',
        'dist/',
        'node_modules/',
        'coverage/',
        'pacegate-out/',
        'docs/picture/',
      ],
      'benchmarks/gate/.cache/',
      'benchmarks/fuzz/.cache/',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // tsc's noPropertyAccessFromIndexSignature wants the brackets.
      '@typescript-eslint/dot-notation': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: ['error', 'always'],
    },
  },
  { files: ['src/**/*.test.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/**/*.test.ts', 'src/**/*.test-support.ts'],
    plugins: { local: { rules: { 'outside-keys': outsideKeys } } },
    rules: { 'local/outside-keys': 'error' },
  },
  ...layering,
);
