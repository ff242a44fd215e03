import type { ProfileKind } from '../../session/profile.ts';
import { graphSums, type Place } from './call-graph.ts';
import type { ReadProfile } from './dumps.ts';

/** Samples a second that py-spy is asked for: a run of a second has a hundred, and its pauses cost a few per cent. */
export const SAMPLES_A_SECOND = 100;

const NAME_LIMIT = 300;
const MOST_FRAMES = 1000;
const MOST_CHARACTERS = 1000;

/**
 * Reads py-spy's `raw` format: a line for each stack that was met, the outermost function first, and how often.
 *
 *     process 8:"python bench.py";<module> (bench.py:7);work (bench.py:3) 22
 */
export function readStacks(text: string, kind: ProfileKind): ReadProfile {
  const graph = graphSums();
  const processes = new Set<string>();
  let samples = 0;
  for (const line of text.split('\n')) {
    const found = /^(.+) (\d{1,9})$/.exec(line);
    if (found?.[1] === undefined) continue;
    const times = Number(found[2]);
    const stack: Place[] = [];
    for (const frame of found[1].split(';')) {
      const process = /^process (\d+):/.exec(frame)?.[1];
      if (process !== undefined) processes.add(process);
      else if (!frame.startsWith('thread (')) stack.push(placeOf(frame));
    }
    if (stack.length === 0 || stack.length > MOST_FRAMES) continue;
    samples += times;
    graph.addStack(stack, times, times / SAMPLES_A_SECOND);
  }
  if (samples === 0)
    return 'py-spy found no running code: the run was too short for its samples, or py-spy could not read the process';
  return graph.build(kind, Math.max(1, processes.size), [
    `py-spy took ${SAMPLES_A_SECOND} samples a second and found running code in ${samples} of them; a function in fewer than ten samples is a guess`,
  ]);
}

/** `work (bench.py:3)`; the line is where it was met, not where the function begins. */
function placeOf(frame: string): Place {
  // A longer one is no function's, and is not searched through.
  const text = frame.slice(0, MOST_CHARACTERS);
  const open = text.indexOf(' (');
  if (open === -1 || !text.endsWith(')')) return { file: '', name: frame.slice(0, NAME_LIMIT), line: 0 };
  const place = text.slice(open + 2, -1);
  const line = /:\d{1,7}$/.exec(place)?.[0] ?? '';
  return {
    file: place.slice(0, place.length - line.length).slice(-NAME_LIMIT),
    name: text.slice(0, open).slice(0, NAME_LIMIT),
    line: Number(line.slice(1)),
  };
}
