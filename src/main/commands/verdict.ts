import { markerOf, renderMarkdown } from '../../report/markdown.ts';
import type { JudgedSessions } from '../../pipeline/judged-sessions.ts';
import type { OutFolder } from '../../out-folder/out-folder.ts';
import { writeResults } from '../../pipeline/results.ts';
import { logOutFolder, type CommandContext } from './command.ts';
import { comparisonText, timelinesFor, type Printed } from './formats.ts';

/** Writes the files of a verdict and prints it. */
export async function printVerdict(
  context: CommandContext,
  judged: JudgedSessions,
  remarks: readonly string[],
  out: OutFolder,
  options: Printed,
): Promise<void> {
  const { comparison, session, parts, file } = judged;
  await writeResults(out, file, comparison, () =>
    renderMarkdown(comparison, session, { marker: markerOf(session.configuration), remarks, parts }),
  );
  context.log.step('Verdict');
  const timelines = await timelinesFor(options, [out.path]);
  context.print(comparisonText(judged, remarks, options, context.colour, timelines));
  logOutFolder(context, out, session);
}
