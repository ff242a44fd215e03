import { interpreterFactsSchema, type InterpreterFacts } from './facts.ts';

/** What an interpreter is, for tests: as an older version wrote it, with what the test is about. */
export const facts = (change: Partial<InterpreterFacts> = {}): InterpreterFacts => ({
  ...interpreterFactsSchema.parse({
    python: '3.13.5',
    implementation: 'CPython',
    executable: '/usr/local/bin/python3.13',
    compiler: 'GCC 14.2.0',
    libc: 'glibc 2.41',
  }),
  ...change,
});
