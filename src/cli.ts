#!/usr/bin/env node
import { runTerminal } from './main/terminal.ts';

process.exitCode = await runTerminal(process.argv.slice(2));
