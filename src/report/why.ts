import { markdownTable } from 'markdown-table';
import {
  explain,
  prominentFunctions,
  wantedProfiles,
  type Explained,
  type FunctionGrowth,
} from '../diagnosis/explain.ts';
import type { Comparison } from '../verdict/comparison.ts';
import { unitOfKind, type Explanation, type ProfileKind } from '../session/profile.ts';
import type { Session } from '../session/session.ts';
import type { Detail } from './details.ts';
import { clip, code, sentence, unbroken } from './escape.ts';
import { factsDifferences, hasFactsOfBothSides } from './facts.ts';
import type { Style } from './row-sentences.ts';
import { count, listed, metricWords, percent, quantity } from './verdict-wording.ts';
import { own } from '../session/record.ts';

/** Explains a regression from a profiled run of each side. The explanation helps the reader and is no evidence. */

const PROFILER_WORDS: Readonly<Record<string, string>> = { cprofile: 'cProfile' };
const profilerWords = (name: string) => own(PROFILER_WORDS, name) ?? name;

/** The wording for each kind of profile, by its quantity. `of` follows a function's own figure. */
const WORDS = {
  cpu: {
    one: 'function',
    own: 'own CPU time',
    calls: 'call',
    runs: 'One run of each side',
    verb: 'took',
    of: ' of its own',
    what: ' CPU',
  },
  time: {
    one: 'function',
    own: 'own time',
    calls: 'call',
    runs: 'One run of each side',
    verb: 'took',
    of: ' of its own',
    what: '',
  },
  memory: {
    one: 'function',
    own: 'memory held',
    calls: 'block',
    runs: 'One run of each side',
    verb: 'held',
    of: '',
    what: '',
  },
  imports: {
    one: 'module',
    own: 'own time',
    calls: 'import',
    runs: 'Seven starts of each side',
    verb: 'took',
    of: ' of its own',
    what: '',
  },
} as const satisfies Readonly<Record<ProfileKind, Readonly<Record<string, string>>>>;

/** The count of a function: calls, or samples for a sampling profiler, which records no calls. */
const timesOf = ({ kind, profiler }: Explanation): string =>
  profiler === 'py-spy' ? 'sample' : WORDS[kind].calls;

/** The number of functions in a sentence. */
const NAMED = 3;
/** The number of functions in the table. */
const SHOWN = 12;

interface Why {
  readonly explanation: Explanation;
  readonly metrics: readonly string[];
  readonly explained: Explained | undefined;
  readonly named: readonly FunctionGrowth[];
}

/** The rows that are still regressed. Regressions that a second session did not confirm need no explanation. */
function whys(comparison: Comparison, session: Session): readonly Why[] {
  const wanted = wantedProfiles(comparison, session.rules.metrics);
  return (session.explanations ?? []).flatMap((explanation) => {
    const asked = wanted.find(
      ({ variant, kind }) => variant === explanation.variant && kind === explanation.kind,
    );
    if (asked === undefined) return [];
    const explained = explain(explanation);
    const named = explained === undefined ? [] : prominentFunctions(explained);
    return [{ explanation, metrics: asked.metrics, explained, named }];
  });
}

/** A sentence for each variant and kind of profile, below the verdicts. */
export function whySentences(
  comparison: Comparison,
  session: Session | undefined,
  style: Style,
): readonly string[] {
  if (session === undefined) return [];
  return whys(comparison, session).map(
    (why) => `Why ${style.name(why.explanation.variant)} regressed: ${reason(why, session, style)}.`,
  );
}

/** The place that a regression's profile points to, with the file's path in the workload's run. */
export interface NamedPlace {
  readonly variant: string;
  readonly metrics: readonly string[];
  /** `service/run.py`, `packages/x/y.py`. */
  readonly file: string;
  readonly line: number;
  /** `check (pricing.py:14) took 310 ms more …` */
  readonly text: string;
}

/** The functions in the sentences above, if they have a line number. */
export const namedPlaces = (comparison: Comparison, session: Session, style: Style): readonly NamedPlace[] =>
  whys(comparison, session).flatMap(({ explanation, metrics, named }) =>
    named
      .filter(({ file, line }) => file !== '' && line > 0)
      .slice(0, NAMED)
      .map((one) => ({
        variant: explanation.variant,
        metrics,
        file: one.file,
        line: one.line,
        text: grown(one, explanation, style),
      })),
  );

function reason({ explanation, explained, named }: Why, session: Session, style: Style): string {
  const { kind, profiler, variant, problem } = explanation;
  if (explained === undefined)
    return `there is no profile${problem === undefined ? '' : ` (${style.text(clip(firstLine(problem), 300))})`}`;
  const words = WORDS[kind];
  const by = `${words.runs} under ${profilerWords(profiler)}: a hint, not evidence`;
  if (named.length > 0) {
    const more = named.length - NAMED;
    const rest = more > 0 ? `; ${count(more, words.one)} more` : '';
    return `${named
      .slice(0, NAMED)
      .map((one) => grown(one, explanation, style))
      .join('; ')}${rest}. ${by}`;
  }
  const { own } = explained;
  const whole = `${quantity(own.baseline, unitOfKind(kind))} → ${quantity(own.head, unitOfKind(kind))}`;
  if (own.head < own.baseline * (1 + SPREAD_FROM))
    return `no ${words.one} stands out, and all of them together did not grow (${whole}), so the loss is outside the code that this profiler measures. ${by}`;
  return `no ${words.one} stands out. All of them together grew by ${percent(own.head / own.baseline - 1).replace('+', '')} (${whole}), spread over everything, and that points ${pointsTo(session, variant)}. ${by}`;
}

function pointsTo(session: Session, variant: string): string {
  if (factsDifferences(session, variant).length > 0)
    return 'to the other differences, which are listed below';
  return hasFactsOfBothSides(session, variant)
    ? 'away from any single function: interpreter, system and packages are the same on both sides, so look at what all code shares (flags, environment, hooks, the garbage collector)'
    : 'to the interpreter or the base image';
}

/** A smaller growth of the total may be noise. */
const SPREAD_FROM = 0.02;

/** `check` (pricing.py:14) took 310 ms more (110 ms → 420 ms of its own, 100 → 400 calls). */
function grown(
  { file, name, line, own, calls, growth }: FunctionGrowth,
  explanation: Explanation,
  style: Style,
): string {
  const { kind } = explanation;
  const { verb, of, what } = WORDS[kind];
  const noun = timesOf(explanation);
  const figure = (value: number) => quantity(value, unitOfKind(kind));
  const place = file === '' ? '' : ` (${style.text(line > 0 ? `${file}:${line}` : file)})`;
  const counted = kind !== 'imports';
  if (own.baseline === 0)
    return `${style.name(name)}${place}, absent from the baseline's profile, ${verb} ${figure(own.head)}${what === '' ? '' : ` of${what}`}${counted ? ` in ${count(calls.head, noun)}` : ''}`;
  const times =
    counted && calls.baseline !== calls.head ? `, ${calls.baseline} → ${count(calls.head, noun)}` : '';
  return `${style.name(name)}${place} ${verb} ${figure(growth)} more${what} (${figure(own.baseline)} → ${figure(own.head)}${of}${times})`;
}

/** Tables of the functions behind the sentences, with baseline and head, in one folded part for each profile. */
export function whyDetails(comparison: Comparison, session: Session): Detail[] {
  return whys(comparison, session).map((why) => {
    const { explanation, metrics, explained } = why;
    const { variant, profiler, problem } = explanation;
    const title = `Why ${code(variant)} regressed in ${listed(metrics.map((metric) => sentence(metricWords(metric))))}: ${profilerWords(profiler)}`;
    return {
      title: title.replaceAll('`', ''),
      body: explained === undefined ? sentence(problem ?? 'no profile') : tableOf(why, explained),
    };
  });
}

function tableOf({ explanation, named }: Why, explained: Explained): string {
  const { kind, sides, profiler } = explanation;
  const words = WORDS[kind];
  const figure = (value: number) => quantity(value, unitOfKind(kind));
  const shown = [
    ...named,
    ...explained.functions.filter((one) => !named.includes(one) && one.growth > 0),
  ].slice(0, SHOWN);
  const rows = shown.map((one) => [
    `${named.includes(one) ? '**' : ''}${code(one.name)}${named.includes(one) ? '**' : ''}${one.waits ? ' (waits)' : ''}`,
    one.file === '' ? '–' : code(one.line > 0 ? `${one.file}:${one.line}` : one.file),
    ...(kind === 'imports' ? [] : [unbroken(`${one.calls.baseline} → ${one.calls.head}`)]),
    unbroken(`${figure(one.own.baseline)} → ${figure(one.own.head)}`),
    unbroken(`+${figure(one.growth)}`),
  ]);
  const header = [
    words.one,
    'where',
    ...(kind === 'imports' ? [] : [`${timesOf(explanation)}s`]),
    `${words.own}: baseline → head`,
    'grew by',
  ];
  const notes = [
    `All of it: ${figure(explained.own.baseline)} → ${figure(explained.own.head)} outside the measured blocks and with all its repetitions. ${words.runs} under ${profilerWords(profiler)}. ${own(SLOWER, profiler) ?? ''}`.trim(),
    `A ${words.one} stands out (in bold) where it grew beyond what all have in common (× ${explained.common.toFixed(2)}) by more than they scatter (or by a tenth of the whole), and by at least 1 % of the whole; what is named explains at least a quarter of the growth, and what is no tenth of the largest is left out. It is help, no evidence: the verdict does not know it.`,
    ...new Set(
      Object.values(sides).flatMap(({ notes: said }) => said.map((note) => capitalised(sentence(note)))),
    ),
    `The folder ${code('profiles')} of the run’s files has all of it for KCachegrind (${code('.callgrind')}) and speedscope (${code('.speedscope.json')}).`,
  ];
  const table =
    rows.length === 0
      ? `No ${words.one} grew.`
      : markdownTable([header, ...rows], {
          align: ['l', 'l', ...header.slice(2).map(() => 'r')],
          alignDelimiters: false,
        });
  return `${table}\n\n${notes.map((note) => `- ${note}`).join('\n')}`;
}

const SLOWER: Readonly<Record<string, string>> = {
  cprofile: 'cProfile makes each call dearer, so what calls often looks larger than it is.',
  'py-spy': 'Samples are how often a function was met at work, not how often it was called.',
  tracemalloc: 'It counts what Python’s allocators gave out, when most of it was held.',
};

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const firstLine = (text: string) => text.split('\n')[0] ?? '';
