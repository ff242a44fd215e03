#!/usr/bin/env node
import { placesFrom } from './main/places.ts';
import { runTerminal } from './main/terminal.ts';

process.exitCode = await runTerminal(process.argv.slice(2), placesFrom(import.meta.dirname));
