import { unitOfKind, type CallGraph } from '../session/profile.ts';

/** Paths with a smaller share are left out, because their number grows exponentially with the depth. */
const SHARE_DRAWN = 0.0005;
const MOST_STACKS = 20_000;
const DEEPEST = 200;
/** The maximum number of steps, because a crafted graph can have too many paths. */
const MOST_STEPS = 200_000;

interface Stack {
  readonly frames: readonly number[];
  readonly own: number;
}

/**
 * A call graph as a flame graph for speedscope: stacks with their weights.
 *
 * cProfile records callers and no whole stacks. Therefore a function's time is divided among its callers in proportion
 * to its total. This is right if the function costs the same for every caller. The profile's name states that it is an
 * estimate.
 * @see https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources
 */
export function renderSpeedscope(graph: CallGraph, name: string): string {
  const seen = graph.stacks.length > 0;
  const stacks = seen ? graph.stacks : estimatedStacks(graph);
  const profile = {
    type: 'sampled',
    name: seen ? name : `${name} (stacks estimated from callers and callees)`,
    unit: unitOfKind(graph.kind) === 'bytes' ? 'bytes' : 'seconds',
    startValue: 0,
    endValue: stacks.reduce((sum, { own }) => sum + own, 0),
    samples: stacks.map(({ frames }) => frames),
    weights: stacks.map(({ own }) => own),
  };
  return `${JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'Pacegate',
    activeProfileIndex: 0,
    shared: {
      frames: graph.functions.map((one) => ({
        name: one.name,
        file: one.file === '' ? undefined : one.file,
        line: one.line === 0 ? undefined : one.line,
      })),
    },
    profiles: [profile],
  })}\n`;
}

function estimatedStacks({ functions, calls, own }: CallGraph): readonly Stack[] {
  const least = SHARE_DRAWN * own;
  const between = calls.filter(({ caller, callee }) => caller !== callee);
  const callees = new Map<number, (typeof between)[number][]>();
  const fromCallers = new Map<number, number>();
  for (const call of between) {
    const known = callees.get(call.caller);
    if (known === undefined) callees.set(call.caller, [call]);
    else known.push(call);
    fromCallers.set(call.callee, (fromCallers.get(call.callee) ?? 0) + call.total);
  }
  const stacks: Stack[] = [];
  let steps = 0;
  const walk = (index: number, weight: number, above: readonly number[]) => {
    const { total = 0, own: self = 0 } = functions[index] ?? {};
    steps += 1;
    if (weight <= least || total <= 0 || stacks.length >= MOST_STACKS) return;
    if (above.length >= DEEPEST || steps > MOST_STEPS) return;
    const part = Math.min(1, weight / total);
    const frames = [...above, index];
    if (self * part > 0) stacks.push({ frames, own: self * part });
    for (const { callee, total: called } of callees.get(index) ?? [])
      if (!frames.includes(callee)) walk(callee, called * part, frames);
  };
  // Time without a recorded caller belongs to a root: the program, a thread, or code that ran before the profiler.
  functions.forEach(({ total }, index) => walk(index, total - (fromCallers.get(index) ?? 0), []));
  return stacks;
}
