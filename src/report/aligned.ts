/** Formats a table for a terminal. */

export type Alignment = 'left' | 'right';

/**
 * Formats each row as a line in which the cells of a column have the same width.
 * @param rows the header first; plain text without colours
 * @param alignmentOf the alignment of a column, from 0
 */
export function aligned(
  rows: readonly (readonly string[])[],
  alignmentOf: (column: number) => Alignment,
): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return alignmentOf(column) === 'left' ? cell.padEnd(width) : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
