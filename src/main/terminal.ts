import { Command } from 'commander';
import * as core from '@actions/core';
import { parse } from 'csv-parse/sync';
import { getExecOutput } from '@actions/exec';
import { sessionSchema } from '../session/session.ts';
import { resolvePlan } from '../plan/resolve.ts';
export async function runTerminal(args: readonly string[]): Promise<number> {
  console.log(new Command(), core.getInput('x'), parse(''), getExecOutput, sessionSchema, resolvePlan);
  return await Promise.resolve(args.length);
}
