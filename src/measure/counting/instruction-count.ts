import type { Workload } from '../../plan/plan.ts';
import type { Outcome } from '../../session/run.ts';
import type { CountingTool } from '../../session/session.ts';
import type { Counted, Engine, Runnable } from '../engine.ts';
import type { Valgrind } from './valgrind.ts';

/** Counts the instructions of one repetition of a workload. */

export interface CountRequest {
  readonly runnable: Runnable;
  readonly workload: Workload;
  readonly tool: CountingTool;
  /** Wall time that it may take, in seconds. */
  readonly secondsAtMost: number;
  /** Whether callgrind's files are kept: those of the first count of a side are enough. */
  readonly keepProfiles: boolean;
}

export type CountResult =
  | ({ readonly kind: 'counted'; readonly version: string; readonly seconds: number } & Pick<
      Counted,
      'instructions' | 'processes'
    >)
  | { readonly kind: 'failed'; readonly message: string };

/** Counts of both sides have one seed, and so the same sets and the same order in them. */
const HASH_SEED = 1;

export interface InstructionCounterOptions {
  readonly engines: { readonly container: Engine; readonly host: Engine };
  /** The tool on this machine, or why there is none; asked once for each tool. */
  readonly find: (tool: CountingTool) => Promise<Valgrind | string>;
  /** Keeps a file of callgrind's under a name that is safe as a file's. */
  readonly keep: (name: string, text: string) => Promise<void>;
}

/** Counts the instructions of one repetition of the workload, in a fresh container or process. */
export function instructionCounter({ engines, find, keep }: InstructionCounterOptions) {
  const found = new Map<CountingTool, Promise<Valgrind | string>>();
  return async (
    { runnable, workload, tool, secondsAtMost, keepProfiles }: CountRequest,
    signal: AbortSignal,
  ): Promise<CountResult> => {
    // The base's configuration may ask for it, and the change make a server of the workload.
    if (workload.server !== undefined)
      return {
        kind: 'failed',
        message: 'a server is not counted: that is for a command which ends by itself',
      };
    const known = found.get(tool) ?? find(tool);
    found.set(tool, known);
    const valgrind = await known;
    if (typeof valgrind === 'string') return { kind: 'failed', message: valgrind };
    const { variant, side, engine } = runnable.image;
    const began = performance.now();
    const { counted, outcome, message } = await engines[engine].run(
      {
        runnable,
        workload: { ...workload, timeoutSeconds: secondsAtMost },
        repetitions: 1,
        hashSeed: HASH_SEED,
        counting: valgrind,
      },
      signal,
    );
    if (counted === undefined) {
      const [what = '', ...output] = (message ?? 'it left no count').split('\n');
      const advice = what.includes('SIGILL') ? NOT_KNOWN : (ADVICE[outcome] ?? '');
      const reason = `under ${tool} (${valgrind.version}) ${what}${advice}`;
      return { kind: 'failed', message: [reason, ...output].join('\n') };
    }
    const seconds = (performance.now() - began) / 1000;
    for (const { name, text } of keepProfiles ? counted.profiles : [])
      // KCachegrind's own pattern of names; what has a number behind a full stop it takes for a part of the file without.
      await keep(`callgrind.out.${variant}-${side}-${name}`, text);
    const { instructions, processes } = counted;
    return { kind: 'counted', version: valgrind.version, seconds, instructions, processes };
  };
}

const NOT_KNOWN =
  '. Under valgrind it may as well be an instruction that valgrind does not know: it knows none of AVX-512';

/** In the first line, for what is below it is the workload's. */
const ADVICE: Partial<Record<Outcome, string>> = {
  timeout:
    '. Valgrind makes a workload 30 to 60 times slower: give it less to do, or raise workload.timeout and rules.budget',
  oom: '. Valgrind takes memory of its own: raise workload.memory',
};
