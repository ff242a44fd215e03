/**
 * A coverage-guided run over every parser, or over those that are named: `npm run fuzz -- --seconds 120 results session`.
 *
 * Starts from fixtures/fuzz/<parser>/ and from what earlier runs found. It prints the folder of the new inputs at the end.
 * An input that crashes a parser, hangs it or exhausts memory is kept in the parent folder: `crash-…`, `timeout-…`, `oom-…`.
 * See fixtures/fuzz/README.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';
import { PARSERS } from '../../src/main/parsers.test-support.ts';

const TOP = join(import.meta.dirname, '..', '..');
/** Longest time of one input, in seconds: some hundred times what the largest of these sizes takes. */
const SECONDS_AN_INPUT = 5;
const MEMORY_MIB = 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    longest: { type: 'string', default: '8192' },
    out: { type: 'string', default: join(import.meta.dirname, '.cache') },
  },
});
const unknown = positionals.filter((name) => !Object.hasOwn(PARSERS, name));
if (unknown.length > 0)
  throw new Error(`There is no parser ${unknown.join(', ')}; there are ${Object.keys(PARSERS).join(', ')}.`);

mkdirSync(values.out, { recursive: true });
const bundle = await rolldown({ input: join(import.meta.dirname, 'target.ts'), platform: 'node' });
const target = join(values.out, 'pacegate-fuzz-target.cjs');
await bundle.write({ file: target, format: 'cjs', codeSplitting: false });

/** Keys and signs of the formats, which a fuzzer would have to guess: those of the inputs that there are. */
function dictionary(parser: string): string {
  const file = join(values.out, `${parser}.dict`);
  const words = new Set(
    seedsOf(parser).flatMap((text) => text.match(/"[\w-]{1,30}":|[A-Za-z_][\w-]{2,30}:?/g) ?? []),
  );
  const hostile = ['__proto__', 'constructor', '1e999', '-0', 'NaN', '\\xef\\xbb\\xbf', '[[[[[[[['];
  const entries = [...words].slice(0, 400).map((word) => word.replaceAll('"', '\\"'));
  writeFileSync(file, [...hostile, ...entries].map((word) => `"${word}"\n`).join(''));
  return file;
}

function seedsOf(parser: string): readonly string[] {
  const folder = join(TOP, 'fixtures/fuzz', parser);
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
}

let failed = false;
for (const parser of positionals.length > 0 ? positionals : Object.keys(PARSERS)) {
  const found = join(values.out, parser);
  mkdirSync(found, { recursive: true });
  console.log(`\n== ${parser}`);
  const { status } = spawnSync(
    process.execPath,
    [
      join(import.meta.dirname, 'node_modules/@jazzer.js/core/dist/cli.js'),
      ...[target, found, join(TOP, 'fixtures/fuzz', parser)],
      ...['--sync', '--includes', 'pacegate-fuzz-target', '--timeout', String(SECONDS_AN_INPUT * 1000)],
      ...['--', `-max_total_time=${values.seconds}`, `-max_len=${values.longest}`, '-print_final_stats=1'],
      ...[`-rss_limit_mb=${MEMORY_MIB}`, `-artifact_prefix=${values.out}/${parser}-`],
      ...[`-dict=${dictionary(parser)}`, '-reload=0', '-len_control=20'],
    ],
    { stdio: 'inherit', env: { ...process.env, FUZZ_PARSER: parser } },
  );
  failed ||= status !== 0;
}
console.log(`\nWhat was found lies in ${values.out}.`);
process.exitCode = failed ? 1 : 0;
