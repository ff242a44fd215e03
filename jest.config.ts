import type { Config } from 'jest';

const config: Config = {
  testEnvironment: 'node',
  // x.test.ts is hermetic, x.itg.test.ts meets the real thing (engine, git, act), and x.nightly.test.ts takes minutes for it.
  testMatch: [
    '<rootDir>/src/**/*.test.ts',
    '<rootDir>/benchmarks/**/*.test.ts',
    '<rootDir>/release/**/*.test.ts',
    '<rootDir>/eslint/**/*.test.js',
  ],
  testPathIgnorePatterns: [
    '/node_modules/',
    ...(process.env['PACEGATE_NIGHTLY'] === '1' ? [] : ['\\.nightly\\.test\\.ts$']),
  ],
  setupFiles: ['<rootDir>/jest.lock-folder.ts'],
  setupFilesAfterEnv: ['<rootDir>/jest.second-attempt.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' } },
    ],
  },
  // Two cores: measurements of one test would be the noise of the next.
  maxWorkers: 2,
  // A guard against a test that hangs. A busy machine must not fail one that only takes its time.
  testTimeout: 120_000,
};

export default config;
