import { markdownTable } from 'markdown-table';
import type { Comparison, Row } from '../verdict/comparison.ts';
import type { Session } from '../session/session.ts';
import { clip, code, fence, sentence } from './escape.ts';
import { noise } from './noise.ts';
import { hasFigures, ruledOut } from './row-sentences.ts';
import {
  isDetail,
  listed,
  metricWords,
  quantity,
  share,
  SIGNS,
  sorted,
  VERDICT_SENTENCES,
  VERDICT_WORDS,
} from './verdict-wording.ts';

/** A folded part of the comment. */
export interface Detail {
  readonly title: string;
  readonly body: string;
  readonly open?: boolean;
}

const list = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n');

/** The failures, each with the last lines of its output. */
export function failureDetails({ failures }: Session): Detail[] {
  if (failures.length === 0) return [];
  const shown = failures.slice(0, 12);
  const body = shown.map(
    ({ variant, side, stage, message }) =>
      `**${code(variant)}, ${side}** (${stage})\n\n${fence(message, 2000)}`,
  );
  if (failures.length > shown.length)
    body.push(`… and ${failures.length - shown.length} more in the artifact.`);
  return [{ title: 'What failed', body: body.join('\n\n'), open: true }];
}

export function meaningDetail({ rows }: Comparison): Detail {
  const verdicts = [...new Set(sorted(rows).map(({ verdict }) => verdict))];
  return {
    title: 'What the verdicts mean, and what to do',
    body: list(
      verdicts.map((verdict) => {
        const { next } = VERDICT_SENTENCES[verdict];
        const means = meansHere(
          verdict,
          rows.filter((row) => row.verdict === verdict),
        );
        const word = VERDICT_WORDS[verdict];
        // The configuration and JSON have other names for some verdicts.
        const machine = word === verdict || verdict === 'info' ? '' : ` (${code(verdict)})`;
        return `${SIGNS[verdict]} **${word}**${machine}: ${means} ${next}`;
      }),
    ),
  };
}

/** The explanation of a verdict, with this report's figures if one figure holds for all rows. */
function meansHere(verdict: Row['verdict'], rows: readonly Row[]): string {
  const loss = verdict === 'unchanged' ? ruledOut(rows) : undefined;
  return loss === undefined
    ? VERDICT_SENTENCES[verdict].means
    : `No loss that matters: one of ${share(loss)} or more is ruled out. Smaller changes are possible.`;
}

/** The warnings of rows whose sentences do not contain them, and the session's notes. */
export function remarkDetails({ rows }: Comparison, notes: readonly string[]): Detail[] {
  // The rows of a variant often share a reason, which is printed once.
  const remarks = new Map<string, Set<string>>();
  let open = false;
  for (const row of rows.filter((one) => !isDetail(one))) {
    const told = row.verdict !== 'unchanged' && row.verdict !== 'info' && !hasFigures(row);
    open ||=
      !told && row.warnings.length > 0 && (row.verdict === 'regressed' || row.verdict === 'inconclusive');
    for (const warning of told ? [] : row.warnings) {
      const key = `${code(row.variant)}: ${sentence(clip(warning, 300))}`;
      remarks.set(key, (remarks.get(key) ?? new Set()).add(metricWords(row.metric)));
    }
  }
  if (remarks.size + notes.length === 0) return [];
  return [
    {
      title: 'Remarks',
      // Open if a remark qualifies an alarm, or explains why there is no result.
      open,
      body: list([
        ...[...remarks].map(([remark, metrics]) => `${remark} (${listed([...metrics].map(sentence))})`),
        ...notes.map((note) => sentence(clip(note, 500))),
      ]),
    },
  ];
}

export function environmentDetail(session: Session): Detail {
  const { machine, source, tool, sides } = session;
  const commit = (side: Session['source']['head']) =>
    side === undefined
      ? 'a folder'
      : `${code(side.commit.slice(0, 10))}${side.dirty ? ' with uncommitted changes' : ''}`;
  return {
    title: 'Environment',
    body: list([
      `${sentence(machine.cpuModel)}, ${machine.cores} cores, ${quantity(machine.memoryBytes, 'bytes')}, kernel ${sentence(machine.kernel)}, ${sentence(machine.engine)}${machine.runnerImage === '' ? '' : `, ${sentence(machine.runnerImage)}`}`,
      `Machine during the runs: ${noise(session)}`,
      `Sides: ${sides.map((side) => `${side} ${commit(source[side])}`).join(', ')}; Pacegate ${sentence(tool.version)}, session ${code(session.id)}`,
      ...hostRemark(session),
    ]),
  };
}

/** A host process shares its control group with others, so the kernel cannot count its CPU time separately. */
function hostRemark({ images }: Session): readonly string[] {
  const names = [...new Set(images.flatMap(({ variant, engine }) => (engine === 'host' ? [variant] : [])))];
  return names.length === 0
    ? []
    : [
        `CPU time of ${names.map(code).join(', ')} comes from the probe only: a host variant has no container whose CPU time the kernel counts`,
      ];
}

export function imageDetails({ images }: Session): Detail[] {
  if (images.length === 0) return [];
  const rows = images.map((image) => [
    code(image.variant),
    image.side,
    image.facts === undefined
      ? '–'
      : sentence(
          `${image.facts.implementation} ${image.facts.python}, ${image.facts.compiler}, ${image.facts.libc}`,
        ),
    code(clip(image.digest ?? image.id, 90)),
    quantity(image.sizeBytes ?? null, 'bytes'),
    image.origin + (image.buildSeconds === undefined ? '' : ` in ${image.buildSeconds.toFixed(1)} s`),
  ]);
  return [
    {
      title: 'Interpreters and images',
      body: markdownTable([['variant', 'side', 'interpreter', 'image', 'unpacked size', 'origin'], ...rows], {
        align: ['l', 'l', 'l', 'l', 'r', 'l'],
        alignDelimiters: false,
        padding: true,
      }),
    },
  ];
}

/** The notes of a session, in a report without a verdict. */
export const noteDetails = ({ notes }: Session): Detail[] =>
  notes.length === 0 ? [] : [{ title: 'Notes', body: list(notes.map((note) => sentence(clip(note, 500)))) }];

/** The stored nights next to the pairs, for orientation, with a note if the baseline has left their range. */
export function storedDetails({ rows }: Comparison): Detail[] {
  const withNights = rows.filter(({ stored }) => stored !== null);
  if (withNights.length === 0) return [];
  const position = { inside: 'inside', below: '**below**', above: '**above**', unknown: '–' };
  const body = withNights.flatMap(({ variant, metric, unit, stored, baseline }) =>
    stored === null
      ? []
      : [
          [
            code(variant),
            sentence(metricWords(metric)),
            quantity(stored.median, unit),
            stored.low === null || stored.high === null
              ? '–'
              : `${quantity(stored.low, unit)} … ${quantity(stored.high, unit)}`,
            quantity(baseline.median, unit),
            position[stored.position],
            `${stored.sessions}${stored.sameMachine ? '' : ', another machine'}`,
          ],
        ],
  );
  return [
    {
      title: 'Stored nights',
      body: `${markdownTable(
        [
          [
            'variant',
            'metric',
            'median of the nights',
            '95 % interval for one session',
            'baseline here',
            'position',
            'sessions',
          ],
          ...body,
        ],
        { align: ['l', 'l', 'r', 'r', 'r', 'l', 'r'], alignDelimiters: false },
      )}\n\nNights do not judge pairs. A baseline outside the interval means that this machine or the base has changed.`,
    },
  ];
}
