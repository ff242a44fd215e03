import { z } from 'zod';
import type { CallGraph, ProfileKind } from '../../session/profile.ts';
import { graphSums } from './call-graph.ts';

/** Larger than any real value; sums of such values are still finite. */
const figure = z.number().nonnegative().max(1e15);
const name = z.string().max(300);

/** What profiler/sitecustomize.py and profiler/imports.py leave, one a process; read like anything from outside. */
const dumpSchema = z.object({
  threads: z.int().positive(),
  /** All threads were seen as if they were one. */
  shared: z.boolean(),
  own: figure,
  // As many as sitecustomize.py leaves at most.
  functions: z.array(z.tuple([name, name, z.int().nonnegative(), figure, figure, figure])).max(1000),
  calls: z.array(z.tuple([z.int().nonnegative(), z.int().nonnegative(), figure, figure, figure])).max(4000),
});
const refusedSchema = z.object({ problem: z.string().max(300) });

/** The profile of a run, or the sentence that says why there is none. */
export type ReadProfile = CallGraph | string;

/** Adds up the profiles of a run's processes. @param leftOut number of files without room */
export function readDumps(texts: readonly string[], leftOut: number, kind: ProfileKind): ReadProfile {
  const read = texts.map(readDump);
  const refused = read.find((dump) => typeof dump === 'string');
  const dumps = read.flatMap((dump) => (typeof dump === 'object' ? [dump] : []));
  if (dumps.length === 0)
    return (
      refused ??
      (texts.length + leftOut === 0
        ? 'no process left a profile: an interpreter with -S, -I or -E does not load the profiler, and one that is killed or ends by os._exit leaves none'
        : 'the profiles of the processes cannot be read')
    );
  const graph = graphSums();
  for (const { functions, calls, own } of dumps) {
    const places = functions.map(([file, called, line, count, ownFigure, total]) =>
      graph.add({ file, name: called, line }, { calls: count, own: ownFigure, total }),
    );
    for (const [from, to, count, ownFigure, total] of calls) {
      const [caller, callee] = [places[from], places[to]];
      if (caller !== undefined && callee !== undefined)
        graph.addCall(caller, callee, { calls: count, own: ownFigure, total });
    }
    graph.addRest(own - functions.reduce((sum, row) => sum + row[4], 0));
  }
  const missing = leftOut + read.length - dumps.length;
  return graph.build(kind, dumps.length, [
    ...(missing === 0
      ? []
      : [`${missing} more of its processes left a profile that is too large or incomplete`]),
    ...(dumps.some(({ shared, threads }) => shared && threads > 1)
      ? [
          'from Python 3.12 on cProfile sees all threads as one: who called whom may be wrong, and a function’s own time holds what other threads did meanwhile (`profiler: py-spy` tells them apart)',
        ]
      : []),
  ]);
}

function readDump(text: string): z.infer<typeof dumpSchema> | string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const refused = refusedSchema.safeParse(value);
  if (refused.success) return refused.data.problem;
  return dumpSchema.safeParse(value).data;
}
