import { compareSession } from '../../verdict/compare.ts';
import { isMerged } from '../../session/merged.ts';
import { judgedTogether } from '../../pipeline/judged-sessions.ts';
import { readSessionFile } from '../../out-folder/session-files.ts';
import type { Session } from '../../session/session.ts';
import type { Timeline } from '../../session/timeline.ts';
import { IMPLIED } from '../../session/purpose.ts';
import { foldersOf } from '../../out-folder/timeline-files.ts';
import type { AddCommand, CommandContext } from './command.ts';
import {
  comparisonText,
  measurementText,
  nightText,
  rankingText,
  timelinesFor,
  type Printed,
} from './formats.ts';
import { option } from './options.ts';

/** `pacegate report`: writes the report of a session again. */

export const addReport: AddCommand = (program, context, done) => {
  program
    .command('report')
    .description('write the report of a session again')
    .argument('<session>', 'a session.json, the runs.jsonl of a run that was killed, or a folder')
    .addOption(option.format())
    .action(async (file: string, options: Printed) => done(await reportCommand(context, file, options)));
};

export async function reportCommand(
  context: CommandContext,
  file: string,
  options: Printed,
): Promise<number> {
  const session = await readSessionFile(file);
  const timelines = await timelinesFor(options, foldersOf([file]));
  if (isMerged(session)) {
    const judged = judgedTogether(session.parts.map((part) => ({ session: part, file })));
    context.print(comparisonText(judged, [], options, context.colour, timelines));
    return 0;
  }
  printSession(context, session, options, timelines);
  return 0;
}

/** Prints the report that fits the session's purpose. */
export function printSession(
  context: CommandContext,
  session: Session,
  options: Printed,
  timelines: readonly Timeline[] = [],
): void {
  if (IMPLIED[session.purpose].sameCode)
    context.print(nightText(session, compareSession(session), [], options, context.colour, timelines));
  else if (session.purpose === 'ranking')
    context.print(rankingText(session, options, context.colour, timelines));
  // A session of `run` has no verdict, unless stored sessions can judge it.
  else if (session.sides.length > 1 || session.nights.length > 0 || session.rules.evidence === 'stored')
    context.print(
      comparisonText(
        { comparison: compareSession(session), session, parts: [session] },
        [],
        options,
        context.colour,
        timelines,
      ),
    );
  else context.print(measurementText(session, options, context.colour, timelines));
}
