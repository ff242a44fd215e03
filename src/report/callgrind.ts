import { unitOfKind, type CallGraph } from '../session/profile.ts';

/** KCachegrind's counts are whole numbers: nanoseconds or bytes. */
const EVENTS = {
  s: { name: 'ns', words: 'Time in nanoseconds', steps: 1e9 },
  bytes: { name: 'bytes', words: 'Bytes held', steps: 1 },
} as const;

/**
 * A call graph in callgrind's format, which KCachegrind, QCachegrind and callgrind_annotate read.
 * @see https://valgrind.org/docs/manual/cl-format.html
 * @param command the profiled command, as a title
 */
export function renderCallgrind(graph: CallGraph, command: string): string {
  const event = EVENTS[unitOfKind(graph.kind)];
  const cost = (figure: number) => Math.round(figure * event.steps);
  const files = new Map(
    [...new Set(graph.functions.map(({ file }) => file))].map((file, at) => [file, at + 1]),
  );
  const seen = new Set<string>();
  /** Writes a name once, and refers to it by its number afterwards. */
  const named = (key: string, number: number, text: string) => {
    const id = `${key.replace(/^c/, '')}(${number})`;
    if (seen.has(id)) return `${key}=(${number})`;
    seen.add(id);
    return `${key}=(${number}) ${printed(text)}`;
  };
  const place = (index: number, prefix: '' | 'c') => {
    const { file = '', name = '' } = graph.functions[index] ?? {};
    return [
      named(`${prefix}fl`, files.get(file) ?? 0, file === '' ? '<built in>' : file),
      named(`${prefix}fn`, index + 1, name),
    ];
  };
  const called = new Map<number, CallGraph['calls'][number][]>();
  for (const call of graph.calls) {
    const known = called.get(call.caller);
    if (known === undefined) called.set(call.caller, [call]);
    else known.push(call);
  }
  const bodies = graph.functions.flatMap(({ own, line }, index) => [
    '',
    ...place(index, ''),
    `${line} ${cost(own)}`,
    ...(called.get(index) ?? []).flatMap(({ callee, calls, total }) => [
      ...place(callee, 'c'),
      `calls=${Math.max(1, Math.round(calls))} ${graph.functions[callee]?.line ?? 0}`,
      `${line} ${cost(total)}`,
    ]),
  ]);
  return [
    '# callgrind format',
    'version: 1',
    'creator: Pacegate',
    `cmd: ${printed(command)}`,
    'positions: line',
    `event: ${event.name} : ${event.words}`,
    `events: ${event.name}`,
    `summary: ${cost(graph.functions.reduce((sum, { own }) => sum + own, 0))}`,
    ...bodies,
    '',
  ].join('\n');
}

/** Control characters become spaces, because a name ends at the end of its line. */
const printed = (text: string) => text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
