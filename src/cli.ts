#!/usr/bin/env node
import { claimStandardOutput, tolerateLostOutput, sayAtOnce } from './main/output.ts';
import { placesFrom } from './main/places.ts';
import { runTerminal } from './main/terminal.ts';
import { endOnUnexpected } from './process/unexpected.ts';

/** The program of the terminal. */

endOnUnexpected(sayAtOnce);
tolerateLostOutput();
process.exitCode = await runTerminal(process.argv.slice(2), placesFrom(import.meta.dirname), {
  out: claimStandardOutput(),
  log: process.stderr,
});
