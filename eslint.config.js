import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { outsideKeys } from './eslint/outside-keys.js';

export default defineConfig(
  {
    ignores: [
      ...[
        'eslint.config.js',
        '.dependency-cruiser.mjs',
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
);
