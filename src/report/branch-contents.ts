import type { BranchContents, BranchFile, Pruned, StoredSession } from '../session/branch-contents.ts';
import { aligned } from './aligned.ts';
import { clip, oneLine } from './escape.ts';
import { count, quantity } from './verdict-wording.ts';

/** What is on the baseline branch, for a terminal. */

const ofKind = <Kind extends BranchFile['kind']>({ files }: BranchContents, kind: Kind) =>
  files.filter((file): file is Extract<BranchFile, { kind: Kind }> => file.kind === kind);

const HEADER = ['configuration', 'session', 'started', 'baseline', 'variants', 'runs', 'size', 'file'];

/** The sessions, oldest first in each configuration, and the number of files of each kind. */
export function renderBranchList(contents: BranchContents): string {
  const sessions = ofKind(contents, 'session');
  const rows = sessions.map(({ configuration, folder, session, bytes, path }) => [
    configuration,
    folder === 'anchors' ? 'anchor' : 'night',
    oneLine(session.started).slice(0, 16).replace('T', ' '),
    oneLine(session.source.baseline?.commit.slice(0, 10) ?? '–'),
    String(session.variants.length),
    String(session.runs.length),
    quantity(bytes, 'bytes'),
    path.slice(path.lastIndexOf('/') + 1, -'.json'.length),
  ]);
  return [
    ...(rows.length === 0
      ? []
      : [...aligned([HEADER, ...rows], (column) => (column > 3 && column < 7 ? 'right' : 'left')), '']),
    ...problemLines(contents),
    summaryLine(contents),
    '',
  ].join('\n');
}

/** The damaged and foreign files, and whether the branch can be read whole. */
export function renderBranchProblems(contents: BranchContents): string {
  const damaged = ofKind(contents, 'damaged').length;
  return [
    ...problemLines(contents),
    summaryLine(contents),
    damaged === 0
      ? 'Every file that Pacegate wrote can be read.'
      : `${count(damaged, 'file')} cannot be used. Gates and nights leave ${damaged === 1 ? 'it' : 'them'} out.`,
    '',
  ].join('\n');
}

const problemLines = (contents: BranchContents): readonly string[] => [
  ...ofKind(contents, 'damaged').map(({ path, reason }) => `${clip(oneLine(path), 200)} ${oneLine(reason)}.`),
  ...ofKind(contents, 'foreign').map(
    ({ path }) => `${clip(oneLine(path), 200)} is not a file of Pacegate and is left alone.`,
  ),
];

function summaryLine(contents: BranchContents): string {
  const sessions = ofKind(contents, 'session');
  const inFolder = (folder: StoredSession['folder']) =>
    sessions.filter((one) => one.folder === folder).length;
  const older = ofKind(contents, 'summaries').reduce((sum, { nights }) => sum + nights, 0);
  const bytes = contents.files.reduce((sum, file) => sum + file.bytes, 0);
  return `${contents.branch} at ${contents.commit.slice(0, 10)}: ${count(inFolder('sessions'), 'night')}, ${count(inFolder('anchors'), 'session')} of the anchor, ${count(older, 'older night')} as summaries; ${count(contents.files.length, 'file')}, ${quantity(bytes, 'bytes')}.`;
}

/** What a prune changed, or would change. */
export function renderPruned({ branch, commit, pushed, configurations }: Pruned): string {
  return [
    ...configurations.map(
      ({ configuration, kept, summarised, dropped }) =>
        `${configuration}: ${count(kept, 'session')} in full, ${count(summarised, 'night')} to ${summarised === 1 ? 'a summary' : 'summaries'}${dropped === 0 ? '' : `, ${count(dropped, 'session')} of the anchor dropped`}.`,
    ),
    pushed
      ? `${branch} is one commit now: ${commit.slice(0, 10)}. The server deletes the files of the earlier commits when it next collects garbage.`
      : `Nothing was written. With --yes the branch ${branch} is replaced by one commit, and the earlier commits are dropped.`,
    '',
  ].join('\n');
}
