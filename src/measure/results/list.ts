import type { Benchmark, Benchmarks } from './benchmark.ts';

/** Longer ones are no measurement. */
const LONGEST_LINE = 500;
/** A name that ends in `:` or `=` belongs to another format. */
const LINE =
  /^(?<name>\S*[^\s:=,;])\s+(?<value>[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)(\s+(?<unit>\S{1,30}))?$/;

/** A plain list: `name value unit` a line, the unit may be missing; empty lines and `#` comments are passed over. */
export function readList(text: string): Benchmarks {
  const found: Benchmark[] = [];
  const met = new Map<string, number>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const comment = line.search(/(?:^|\s)#/);
    const written = (comment === -1 ? line : line.slice(0, comment)).trim();
    if (written === '') continue;
    const place = `line ${index + 1}`;
    const {
      name,
      value: digits,
      unit,
    } = (written.length > LONGEST_LINE ? undefined : LINE.exec(written)?.groups) ?? {};
    const value = Number(digits);
    if (name === undefined || !Number.isFinite(value))
      return `${place}: must be \`name value unit\`, such as \`parse 12.5 ms\`, with a finite number; found ${JSON.stringify(written.slice(0, 120))}`;
    const before = met.get(name);
    if (before !== undefined) return `${place}: ${name} is in line ${before} already`;
    met.set(name, index + 1);
    found.push({ name, value, unit });
  }
  return found;
}
