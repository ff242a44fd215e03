#!/usr/bin/env node
import { claimStandardOutput, endOnUnexpected, endureLostOutput } from './main/unexpected.ts';
import { placesFrom } from './main/places.ts';
import { runTerminal } from './main/terminal.ts';

endOnUnexpected();
endureLostOutput();
process.exitCode = await runTerminal(process.argv.slice(2), placesFrom(import.meta.dirname), {
  out: claimStandardOutput(),
  log: process.stderr,
});
