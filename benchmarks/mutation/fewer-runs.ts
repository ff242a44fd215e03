import fc from 'fast-check';

/** A mutant that a property kills is killed in the first tries; five hundred mutants times a hundred tries are hours. */
fc.configureGlobal({ numRuns: 25 });
