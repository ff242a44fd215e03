import type { CallGraph, ProfiledFunction, ProfileKind } from '../../session/profile.ts';

/** A function before it has its place among the others. */
export type Place = Pick<ProfiledFunction, 'file' | 'name' | 'line'>;
type Figures = Record<'calls' | 'own' | 'total', number>;

/** A function's figures while they are added up. */
export interface Sums extends Figures {
  readonly place: Place;
}

export interface GraphSums {
  add(place: Place, figures: Figures): Sums;
  /** @param figures the callee's, for this caller */
  addCall(caller: Sums, callee: Sums, figures: Figures): void;
  /** A stack as it was met, the outermost function first, how often, and what it stands for. */
  addStack(places: readonly Place[], times: number, own: number): void;
  /** The sum of functions without a name. */
  addRest(own: number): void;
  build(kind: ProfileKind, processes: number, notes: readonly string[]): CallGraph;
}

/**
 * Adds up what several processes, or many samples, say of functions. A function is the same by its file and its name: its
 * line may differ between the sides.
 */
export function graphSums(): GraphSums {
  const functions = new Map<string, Sums>();
  const calls = new Map<string, Figures & { caller: Sums; callee: Sums }>();
  const stacks = new Map<string, { frames: Sums[]; own: number }>();
  let rest = 0;
  const keyOf = ({ file, name }: Place) => `${file}\0${name}`;
  const sumsOf = (place: Place): Sums =>
    entry(functions, keyOf(place), () => ({ place, calls: 0, own: 0, total: 0 }));
  const addCall: GraphSums['addCall'] = (caller, callee, figures) => {
    const key = `${keyOf(caller.place)}\0${keyOf(callee.place)}`;
    const sums = entry(calls, key, () => ({ caller, callee, calls: 0, own: 0, total: 0 }));
    sums.calls += figures.calls;
    sums.own += figures.own;
    sums.total += figures.total;
  };
  return {
    add: (place, figures) => {
      const sums = sumsOf(place);
      sums.calls += figures.calls;
      sums.own += figures.own;
      sums.total += figures.total;
      return sums;
    },
    addCall,
    addStack: (places, times, own) => {
      const frames = places.map(sumsOf);
      entry(stacks, frames.map(({ place }) => keyOf(place)).join('\0'), () => ({ frames, own: 0 })).own +=
        own;
      frames.forEach((frame, depth) => {
        const innermost = depth === frames.length - 1;
        if (innermost) {
          frame.own += own;
          frame.calls += times;
        }
        // A recursive function is in a stack twice, but its time counts once.
        if (frames.indexOf(frame) === depth) frame.total += own;
        const caller = frames[depth - 1];
        if (caller !== undefined)
          addCall(caller, frame, { calls: times, own: innermost ? own : 0, total: own });
      });
    },
    addRest: (own) => {
      rest += Math.max(0, own);
    },
    build: (kind, processes, notes) => {
      const ordered = [...functions.values()].sort((a, b) => b.own - a.own);
      const index = new Map(ordered.map((sums, position) => [sums, position]));
      const at = (sums: Sums) => index.get(sums) ?? 0;
      return {
        kind,
        functions: ordered.map(({ place, ...figures }) => ({ ...place, ...figures })),
        calls: [...calls.values()].map(({ caller, callee, ...sums }) => ({
          caller: at(caller),
          callee: at(callee),
          ...sums,
        })),
        stacks: [...stacks.values()].map(({ frames, own }) => ({ frames: frames.map(at), own })),
        own: rest + ordered.reduce((sum, { own }) => sum + own, 0),
        processes,
        notes,
      };
    },
  };
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
