import { join } from 'node:path';
import type { Comparison } from '../verdict/comparison.ts';
import { exitStatus } from '../verdict/exit-status.ts';
import { comparisonJson } from '../verdict/comparison-json.ts';
import { compareSession } from '../verdict/compare.ts';
import { ConfigurationError, PacegateError, StoreError } from '../errors/errors.ts';
import type { Overrides } from '../plan/resolve.ts';
import { doctorJson, findingsJson, renderDoctor } from '../report/doctor.ts';
import { renderFindings } from '../report/machine-findings.ts';
import { factsJson, renderFactsMarkdown, renderFactsTerminal } from '../report/facts-table.ts';
import { markerOf, renderMarkdown } from '../report/markdown.ts';
import { renderMeasurementMarkdown, renderMeasurementTerminal } from '../report/measurement.ts';
import { renderNightlyMarkdown, renderNightlyTerminal } from '../report/nightly.ts';
import { renderOpenMetrics } from '../report/openmetrics.ts';
import { renderTerminal } from '../report/terminal.ts';
import { isMerged } from '../session/merged.ts';
import type { EvidenceRequest, Verdict } from '../session/rules.ts';
import type { Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import type { ShardRequest } from '../session/shard.ts';
import type { Timeline } from '../session/timeline.ts';
import { renderTimings } from '../session/timings.ts';
import { runDemo } from './demo.ts';
import { examine } from './doctor.ts';
import { inspectMachine } from './machine-inspection.ts';
import { askTargets } from './facts.ts';
import { gateRepository, type RunContext } from './gate-repository.ts';
import { measureTree } from './measure-tree.ts';
import { endOf, measureNight } from './nightly.ts';
import { openOutFolder, type OutFolder } from './out-folder.ts';
import type { Places } from './places.ts';
import { duration, type ProgressLog } from './progress.ts';
import { openProject } from './project.ts';
import { rankingText, rankTree } from './rank-job.ts';
import { compareFiles, type ComparedFiles } from './read-sides.ts';
import { jsonText, statusOfFiles, writeResults } from './results.ts';
import { judgedTogether, readSessionFile, readSessions, type JudgedSessions } from './session-files.ts';
import { newSessionId } from './session-id.ts';
import { foldersOf, TIMELINE_FILE, timelinesIn, timelinesText } from './timeline-files.ts';
import { openWorkFolder, removeWorkFolder } from './work-folder.ts';

export const FORMATS = ['markdown', 'json', 'csv', 'openmetrics'] as const;
type Format = (typeof FORMATS)[number];

/** What every command has: where things lie, where to write, and the signal that ends it. */
export interface CommandContext {
  readonly places: Places;
  readonly print: (text: string) => void;
  readonly colour: boolean;
  /** Columns that a table may take. */
  readonly width: number;
  readonly log: ProgressLog;
  readonly signal: AbortSignal;
}

interface Printed {
  readonly format?: Format;
}

interface Planned extends Printed {
  readonly config?: string;
  readonly out: string;
  readonly variants?: string[];
  readonly budget?: string;
  readonly seed?: number;
  readonly baselineBranch?: string;
  readonly evidence?: EvidenceRequest;
  readonly failOn?: Verdict[];
}

const TERMINAL = { event: 'terminal', gitEnvironment: {} } as const;
/** A run that was cancelled has no verdict to give. */
const COULD_NOT_BE_MEASURED = 3;

export async function demoCommand(
  context: CommandContext,
  options: { readonly out: string; readonly seed?: number; readonly host?: boolean },
): Promise<number> {
  const { log, signal, places } = context;
  return await withRun(context, options.out, async (run) => {
    const { session, comparison, introduction, conclusion } = await runDemo(
      { host: options.host ?? false, ...(options.seed === undefined ? {} : { seed: options.seed }) },
      { ...run, places },
      signal,
    );
    await writeResults(run.out, session, comparison, () =>
      renderMarkdown(comparison, session, { marker: markerOf('demo') }),
    );
    log.step('Verdict');
    context.print(renderTerminal(comparison, session, { colour: context.colour }));
    context.print(`\n${introduction}\n${conclusion}\n`);
    sayWhere(context, run.out, session);
    // A demonstration that shows a regression has done its work; only one that could not measure has not.
    return exitStatus(comparison, []);
  });
}

/** `run`: one side alone. The name `run` is the process's in this code base, so the function says more. */
export async function runCommandOfOneSide(
  context: CommandContext,
  options: Planned & { readonly side: Side },
): Promise<number> {
  const project = await openProjectHere(options);
  return await withRun(context, options.out, async (run) => {
    const request = { side: options.side, event: TERMINAL.event };
    const { session, interrupted } = await measureTree(project, request, run, context.signal);
    await keepMeasurement(run.out, session);
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(measurementText(session, options, context.colour, timelines));
    sayWhere(context, run.out, session);
    return interrupted || isIncomplete(session) ? COULD_NOT_BE_MEASURED : 0;
  });
}

/** Something failed, or a variant has no run that ended well: the budget may have left no time for one. */
const isIncomplete = ({ failures, variants, runs }: Session): boolean =>
  failures.length > 0 ||
  !variants.every((name) => runs.some(({ variant, outcome }) => variant === name && outcome === 'ok'));

/** `rank`: the variants of the configuration against one of them. */
export async function rankCommand(
  context: CommandContext,
  options: Planned & {
    readonly reference?: string;
    readonly work?: string;
    readonly blocks?: number;
    readonly coldBuilds?: boolean;
  },
): Promise<number> {
  const project = await openProjectHere(options);
  const { reference, work, blocks, coldBuilds = false } = options;
  return await withRun(context, options.out, async (run) => {
    const { session, interrupted } = await rankTree(
      project,
      { reference, work, blocks, coldBuilds },
      run,
      context.signal,
    );
    context.log.step('Ranking');
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(rankingText(session, options.format, context.colour, timelines));
    sayWhere(context, run.out, session);
    return interrupted || isIncomplete(session) ? COULD_NOT_BE_MEASURED : 0;
  });
}

export async function gateCommand(
  context: CommandContext,
  options: Planned & {
    readonly baseline?: string;
    readonly shard?: ShardRequest;
    readonly confirm?: readonly string[];
    readonly coldBuilds?: boolean;
  },
): Promise<number> {
  const { shard, confirm, coldBuilds = false } = options;
  if (shard !== undefined && confirm !== undefined)
    throw new ConfigurationError(
      `--shard ${shard.index}/${shard.of} and --confirm were both given; legal: one of them. What regressed in any shard is confirmed by one job.`,
    );
  const project = await openProjectHere(options);
  const first = confirm === undefined ? undefined : await readSessions(confirm);
  return await withRun(context, options.out, async (run) => {
    const judged = await gateRepository(
      project,
      overridesOf(options),
      {
        ...TERMINAL,
        secretsOnPullRequests: true,
        ...(options.baseline === undefined ? {} : { baselineRef: options.baseline }),
      },
      run,
      context.signal,
      {
        coldBuilds,
        ...(shard === undefined ? {} : { shard }),
        ...(first === undefined ? {} : { confirm: first }),
      },
    );
    const { comparison, remarks, plan, interrupted } = judged;
    await deliver(context, judged, remarks, run.out, options);
    return interrupted ? COULD_NOT_BE_MEASURED : exitStatus(comparison, plan.rules.failOn);
  });
}

/** `merge`: sessions of several jobs to one verdict, and to one file that gives it again. */
export async function mergeCommand(
  context: CommandContext,
  paths: readonly string[],
  options: Printed & { readonly out: string; readonly failOn?: readonly Verdict[] },
): Promise<number> {
  const named = await readSessions(paths);
  const judged = judgedTogether(named);
  const timelines = await timelinesIn(foldersOf(named.map(({ file }) => file))).catch((error: unknown) => {
    // They are in no verdict, so one that cannot be read stops none.
    context.log.warn(error instanceof Error ? error.message : String(error));
    return [];
  });
  return await withOut(context, options.out, async (out) => {
    if (timelines.length > 0) await out.write(TIMELINE_FILE, timelinesText(timelines));
    await deliver(context, judged, [], out, options);
    return exitStatus(judged.comparison, options.failOn ?? judged.session.rules.failOn);
  });
}

/** Writes the files of a verdict and says it. */
async function deliver(
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
  sayWhere(context, out, session);
}

export async function baselineCommand(
  context: CommandContext,
  options: Planned & { readonly anchor?: boolean },
): Promise<number> {
  const project = await openProjectHere(options);
  return await withRun(context, options.out, async (run) => {
    const night = await measureNight(
      project,
      { ...TERMINAL, anchorNow: options.anchor ?? false },
      run,
      context.signal,
      async ({ session, comparison }) => {
        await writeResults(run.out, session, comparison, () => renderNightlyMarkdown(session, comparison));
      },
    );
    const { session, comparison, stored } = night;
    const { remarks, status, failure } = endOf(night, project.plan.baselineBranch);
    await writeResults(run.out, session, comparison, () =>
      renderNightlyMarkdown(session, comparison, remarks),
    );
    const timelines = await timelinesFor(options, [run.out.path]);
    context.print(nightText(session, comparison, remarks, options, context.colour, timelines));
    sayWhere(context, run.out, session);
    if (failure === undefined) return status;
    throw stored.kind === 'refused' || status === 3
      ? new StoreError(failure)
      : new ConfigurationError(failure);
  });
}

export async function doctorCommand(
  context: CommandContext,
  options: {
    readonly config?: string;
    readonly variants?: string[];
    readonly budget?: string;
    readonly seed?: number;
    readonly blocks: number;
    readonly format?: 'json';
  },
): Promise<number> {
  const project = await openProjectHere(options);
  const workFolder = await openWorkFolder();
  try {
    // Its files are nobody's: they go with the temporary folder.
    const out = await openOutFolder(join(workFolder, 'out'));
    const run = { ...context, sessionId: newSessionId(new Date()), workFolder, out };
    const json = options.format === 'json';
    const look = await inspectMachine(project.plan, context.places);
    // At once: whatever becomes of the measuring, and for who waits for it.
    if (!json) context.print(renderFindings(look.findings, context));
    const report = await examine(project, options.blocks, look, run, context.signal).catch(
      (error: unknown) => {
        if (json && error instanceof PacegateError)
          context.print(jsonText(findingsJson(look.findings, error.message)));
        throw error;
      },
    );
    context.print(json ? jsonText(doctorJson(report)) : renderDoctor(report, context));
    await out.close();
    return report.checkup.rows.length === 0 || report.interrupted ? COULD_NOT_BE_MEASURED : 0;
  } finally {
    await removeWorkFolder(workFolder, context.signal);
  }
}

/** `facts`: what the interpreters of images and of this machine are. */
export async function factsCommand(
  { places, log, signal, print, width }: CommandContext,
  targets: readonly string[],
  { format }: { readonly format?: 'json' | 'markdown' },
): Promise<number> {
  const { answers, failure } = await askTargets(targets, places, log, signal);
  if (format === 'json') print(jsonText(factsJson(answers)));
  else if (answers.length > 0)
    print(format === 'markdown' ? renderFactsMarkdown(answers) : renderFactsTerminal(answers, width));
  if (failure !== undefined) throw failure;
  return 0;
}

/** The report says whether the verdict stops anybody, so it must know by which list. */
const withFailOn = <Compared extends { readonly session: Session | undefined }>(
  compared: Compared,
  failOn: readonly Verdict[],
): Compared =>
  compared.session === undefined
    ? compared
    : {
        ...compared,
        session: { ...compared.session, rules: { ...compared.session.rules, failOn: [...failOn] } },
      };

export async function compareCommand(
  context: CommandContext,
  files: readonly string[],
  options: Printed & {
    readonly baseline: readonly string[];
    readonly head: readonly string[];
    readonly sameMachine: boolean;
    readonly config?: string;
    readonly failOn?: readonly Verdict[];
  },
): Promise<number> {
  const { baseline, head, sameMachine, config } = options;
  const project =
    config === undefined ? undefined : await openProject({ directory: process.cwd(), config, overrides: {} });
  const compared = await compareFiles({
    files,
    baseline,
    head,
    sameMachine,
    ...(project === undefined ? {} : { rules: project.plan.rules }),
  });
  const failOn = options.failOn ??
    project?.plan.rules.failOn ??
    compared.session?.rules.failOn ?? ['regressed'];
  const timelines = await timelinesFor(options, foldersOf([...files, ...baseline, ...head]));
  context.print(comparisonText(withFailOn(compared, failOn), [], options, context.colour, timelines));
  return exitStatus(compared.comparison, failOn);
}

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
  if (session.purpose === 'nightly')
    context.print(nightText(session, compareSession(session), [], options, context.colour, timelines));
  else if (session.purpose === 'ranking')
    context.print(rankingText(session, options.format, context.colour, timelines));
  // What `run` measured is a measurement, unless there was something to judge it by.
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
  return 0;
}

const openProjectHere = async (options: Omit<Planned, 'out'>) =>
  await openProject({
    directory: process.cwd(),
    config: options.config,
    overrides: overridesOf(options),
  });

function overridesOf({
  variants,
  budget,
  seed,
  baselineBranch,
  evidence,
  failOn,
}: Omit<Planned, 'out'>): Overrides {
  return {
    ...(variants === undefined ? {} : { variants }),
    ...(budget === undefined ? {} : { budget }),
    ...(seed === undefined ? {} : { seed }),
    ...(baselineBranch === undefined ? {} : { baselineBranch }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(failOn === undefined ? {} : { failOn }),
  };
}

/** Opens the folders of a run, and removes the temporary one whatever happens. */
async function withRun(
  { places, log, signal }: CommandContext,
  folder: string,
  use: (run: RunContext) => Promise<number>,
): Promise<number> {
  return await withOut({ log }, folder, async (out) => {
    const workFolder = await openWorkFolder();
    try {
      return await use({ sessionId: newSessionId(new Date()), workFolder, places, out, log });
    } finally {
      await removeWorkFolder(workFolder, signal);
    }
  });
}

/** Opens the folder that a run leaves its files in, and gives it back; what was lost of them is said, and in the status. */
async function withOut(
  { log }: Pick<CommandContext, 'log'>,
  folder: string,
  use: (out: OutFolder) => Promise<number>,
): Promise<number> {
  const out = await openOutFolder(folder);
  try {
    return statusOfFiles(out, await use(out), (text) => log.warn(text));
  } catch (error) {
    statusOfFiles(out, 0, (text) => log.warn(text));
    const [session] = await out.existing(['session.json']);
    if (session !== undefined) log.warn(`What was measured is kept in ${session}.`);
    throw error;
  } finally {
    await out.close();
  }
}

async function keepMeasurement(out: OutFolder, session: Session): Promise<void> {
  await writeResults(out, session, undefined, () => renderMeasurementMarkdown(session));
}

function sayWhere({ log }: CommandContext, out: OutFolder, { budget }: Session): void {
  log.info(`${duration(budget.spentSeconds)}; report.md, session.json and timings.csv are in ${out.path}`);
}

/** The timelines in folders, where the format has a place for them. */
const timelinesFor = async ({ format }: Printed, folders: readonly string[]): Promise<readonly Timeline[]> =>
  format === 'openmetrics' ? await timelinesIn(folders) : [];

/** A comparison in the format that was asked for; without one, the table for a terminal. */
function comparisonText(
  { comparison, session, parts }: ComparedFiles,
  remarks: readonly string[],
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  switch (format) {
    case 'json':
      return jsonText(comparisonJson(comparison));
    case 'csv':
      if (session === undefined)
        throw new ConfigurationError(
          '--format csv writes the timings of one session, and several files were compared. Legal here: markdown, json.',
        );
      return renderTimings(...parts);
    case 'openmetrics':
      if (session === undefined)
        throw new ConfigurationError(
          '--format openmetrics needs the times of the runs, which a timings.csv does not hold: name session.json files. Legal here: markdown, json.',
        );
      return renderOpenMetrics({ sessions: parts, comparison, timelines });
    case 'markdown': {
      const marker = session === undefined ? {} : { marker: markerOf(session.configuration) };
      return renderMarkdown(comparison, session, { ...marker, remarks, parts });
    }
    default:
      return renderTerminal(comparison, session, { colour, remarks });
  }
}

/** The same for a night of the baseline against itself. */
function nightText(
  session: Session,
  comparison: Comparison,
  remarks: readonly string[],
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  return sessionText(session, format, {
    openMetrics: () => renderOpenMetrics({ sessions: [session], comparison, timelines }),
    markdown: () => renderNightlyMarkdown(session, comparison, remarks),
    terminal: () => renderNightlyTerminal(session, comparison, { colour, remarks }),
  });
}

/** The same for a session of one side. */
function measurementText(
  session: Session,
  { format }: Printed,
  colour: boolean,
  timelines: readonly Timeline[],
): string {
  return sessionText(session, format, {
    openMetrics: () => renderOpenMetrics({ sessions: [session], timelines }),
    markdown: () => renderMeasurementMarkdown(session),
    terminal: () => renderMeasurementTerminal(session, { colour }),
  });
}

/** What has no verdict of its own is, for machines, the session itself. */
function sessionText(
  session: Session,
  format: Printed['format'],
  words: Readonly<Record<'markdown' | 'openMetrics' | 'terminal', () => string>>,
): string {
  switch (format) {
    case 'json':
      return jsonText(session);
    case 'csv':
      return renderTimings(session);
    case 'openmetrics':
      return words.openMetrics();
    case 'markdown':
      return words.markdown();
    default:
      return words.terminal();
  }
}
