/**
 * Counts in which metric `pacegate gate` finds each loss of fixtures/losses, on real images.
 *
 * `node benchmarks/losses.ts --times 6 --write` counts and writes the table of fixtures/losses/README.md. `--keep DIR`
 * keeps each gate's answer there, and does not measure again what is there already. Needs a Docker engine with the
 * official image.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable } from 'markdown-table';
import { median } from 'simple-statistics';
import {
  gateWithLoss,
  JUDGED,
  judgedRows,
  PLANTED,
  regressedIn,
  type JudgedRow,
} from '../src/main/planted.test-support.ts';
import { removeTemporaryFolders } from '../src/source/repository.test-support.ts';

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '6' },
    keep: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const times = Number(values.times);
const kept = values.keep ?? mkdtempSync(join(tmpdir(), 'pacegate-losses-'));
mkdirSync(kept, { recursive: true });

const gates = new Map<string, (readonly JudgedRow[])[]>(Object.keys(PLANTED).map((loss) => [loss, []]));
// The losses take turns, so that an hour of a busy machine falls on all of them.
for (let round = 1; round <= times; round += 1)
  for (const [loss, found] of gates) {
    const file = join(kept, `${loss}.${round}.json`);
    if (!existsSync(file)) {
      const { out, log } = await gateWithLoss(loss);
      removeTemporaryFolders();
      if (out === '') throw new Error(log);
      writeFileSync(file, out);
    }
    const rows = judgedRows(readFileSync(file, 'utf8'));
    found.push(rows);
    process.stderr.write(
      `${round}/${times} ${loss}: regressed in ${regressedIn(rows).join(', ') || 'nothing'}; load ${(loadavg()[0] ?? 0).toFixed(1)}\n`,
    );
  }
if (values.keep === undefined) rmSync(kept, { recursive: true });

const percent = (fraction: number) => {
  const text = Math.abs(fraction * 100).toFixed(1);
  return `${text === '0.0' ? '±' : fraction < 0 ? '−' : '+'}${text}`;
};
const isRight = (loss: string, rows: readonly JudgedRow[]) =>
  regressedIn(rows).join() === (PLANTED[loss] ?? []).join();

/** Median of the estimated changes with the smallest and the largest, in per cent; in bold where the loss is. */
function estimates(loss: string, metric: string, found: readonly (readonly JudgedRow[])[]): string {
  const changes = found.flatMap((rows) => rows.find((row) => row.metric === metric)?.change.estimate ?? []);
  if (changes.length === 0) return '–';
  const text = `${percent(median(changes))} (${percent(Math.min(...changes))} … ${percent(Math.max(...changes))})`;
  return PLANTED[loss]?.includes(metric) === true ? `**${text}**` : text;
}

// An image's size does not vary, and no loss is in it.
const columns = JUDGED.filter((metric) => metric !== 'image_size_bytes');
const table = markdownTable([
  ['planted loss', 'found there and nowhere else', ...columns.map((metric) => `\`${metric}\``)],
  ...[...gates].map(([loss, found]) => [
    loss,
    `${found.filter((rows) => isRight(loss, rows)).length} of ${found.length}`,
    ...columns.map((metric) => estimates(loss, metric, found)),
  ]),
]);
const text = `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores; \`node benchmarks/losses.ts --times ${times} --write\` measures again.

${table}`;
process.stdout.write(`${text}\n`);
if (values.write) {
  const readme = join(import.meta.dirname, '..', 'fixtures', 'losses', 'README.md');
  const [before = '', rest = ''] = readFileSync(readme, 'utf8').split('<!-- found:begin -->');
  const after = rest.split('<!-- found:end -->')[1] ?? '';
  writeFileSync(readme, `${before}<!-- found:begin -->\n\n${text}\n\n<!-- found:end -->${after}`);
}
