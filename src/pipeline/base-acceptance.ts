import { ConfigurationError } from '../errors/errors.ts';
import { acceptedFileOf, readAcceptedFile } from '../plan/accepted-file.ts';
import { staleEntries, type Acceptance } from '../session/acceptance.ts';
import type { SideCommit, Sides } from '../source/sides.ts';
import type { Comparison } from '../verdict/comparison.ts';
import type { Occasion } from './occasion.ts';
import type { SourcePort } from './ports.ts';
import { isOutside, type Project } from './project.ts';

/** Finds the accepted losses: those in the base's file, and those of the label on the pull request. */

export interface BaseAcceptance {
  /** Absent if nothing is accepted. */
  readonly accepted: Acceptance | undefined;
  /** Sentences for the top of the report. */
  readonly remarks: readonly string[];
}

/**
 * Reads the accepted losses for a change. Also parses the head's file, so that a change cannot break the file for the
 * next change.
 * @throws ConfigurationError if the head's file is broken and differs from the base's
 */
export async function acceptanceFor(
  project: Project,
  { baseline, head }: Sides,
  occasion: Pick<Occasion, 'label' | 'mergeSha'>,
  source: Pick<SourcePort, 'readFileAt'>,
): Promise<BaseAcceptance> {
  const file = acceptedFileOf(project.file);
  const own = await textAt(project, head.tree, source);
  const base = 'unavailable' in baseline ? undefined : await textAt(project, baseline.tree, source);
  if (own !== undefined && own !== base) readAcceptedFile(own, file);
  const ofBase = base === undefined ? { entries: [], remarks: [] } : entriesOf(base, file);
  const { label, remarks } = labelOf(head, occasion);
  return {
    accepted:
      ofBase.entries.length === 0 && label === undefined
        ? undefined
        : { file, entries: [...ofBase.entries], label },
    remarks: [
      ...ofBase.remarks,
      ...remarks,
      ...(own === base || 'unavailable' in baseline
        ? []
        : [`This change edits ${file}. Its entries hold once they are in the base.`]),
    ],
  };
}

/**
 * The text of a side's file.
 * @returns undefined if the side has none
 */
async function textAt(
  { file, top }: Project,
  tree: string,
  source: Pick<SourcePort, 'readFileAt'>,
): Promise<string | undefined> {
  if (isOutside(file)) return undefined;
  const found = await source.readFileAt(top, tree, acceptedFileOf(file));
  if (found.kind === 'refused')
    throw new ConfigurationError(`${acceptedFileOf(file)} ${found.reason}. Put the file itself there.`);
  return found.kind === 'text' ? found.text : undefined;
}

/** A broken file of the base accepts nothing. It does not fail the change, because that change may repair the file. */
function entriesOf(
  text: string,
  file: string,
): Pick<Acceptance, 'entries'> & { readonly remarks: readonly string[] } {
  try {
    return { entries: readAcceptedFile(text, file).entries, remarks: [] };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return {
      entries: [],
      remarks: [`The base's ${file} cannot be read, so it accepts nothing. ${error.message}`],
    };
  }
}

function labelOf(
  head: SideCommit,
  { label, mergeSha }: Pick<Occasion, 'label' | 'mergeSha'>,
): Pick<Acceptance, 'label'> & { readonly remarks: readonly string[] } {
  if (label === undefined) return { remarks: [] };
  if (label.kind === 'refused') return { remarks: [label.reason] };
  const { author, commit } = label.accepting;
  // The runner's checkout of a pull request is the merge of that commit.
  if (!head.dirty && (head.commit === commit || head.commit === mergeSha))
    return { label: { author, commit }, remarks: [] };
  return {
    remarks: [
      `${author} accepts ${commit.slice(0, 10)}, but another commit was measured (${head.commit.slice(0, 10)}): nothing is accepted.`,
    ],
  };
}

/** The findings of a night about its commit's file. */
export async function staleAcceptance(
  project: Project,
  { tree }: SideCommit,
  { rows }: Comparison,
  at: string,
  source: Pick<SourcePort, 'readFileAt'>,
): Promise<readonly string[]> {
  const file = acceptedFileOf(project.file);
  try {
    const text = await textAt(project, tree, source);
    if (text === undefined) return [];
    return staleEntries(
      readAcceptedFile(text, file),
      at,
      rows.filter(({ gated }) => gated),
    );
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [`${file} accepts nothing until it is corrected. ${error.message}`];
  }
}
