/** docker's tables: columns padded by three spaces, at least ten wide, the last one not padded. */
const PADDING = 3;
const MIN_WIDTH = 10;

export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.slice(0, -1).forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? MIN_WIDTH, cell.length + PADDING);
    });
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('')
        .concat('\n'),
    )
    .join('');
}
