/** Changes that may wait before they are merged, beyond the number of rows. Bounds memory when nobody reads. */
const SLACK = 32;

/**
 * Rows in the order of their ids, kept as an immutable array that readers may hold on to.
 *
 * Writes wait in a map and are merged when the array is next read: a read costs what it returns,
 * a write costs a map entry, and thousands of writes between two reads cost one merge.
 */
export class SortedRows<Row extends { readonly id: string }> {
  #rows: readonly Row[] = [];
  /** Rows written (or removed: undefined) since `#rows` was made. */
  #changes: Map<string, Row | undefined> | undefined;

  set(id: string, row: Row | undefined): void {
    this.#changes ??= new Map();
    this.#changes.set(id, row);
    if (this.#changes.size > this.#rows.length + SLACK) this.list();
  }

  list(): readonly Row[] {
    if (this.#changes !== undefined) {
      this.#rows = merge(this.#rows, this.#changes);
      this.#changes = undefined;
    }
    return this.#rows;
  }
}

/** `rows` without those in `changes`, and the written ones of `changes`, in the order of ids. */
function merge<Row extends { readonly id: string }>(
  rows: readonly Row[],
  changes: ReadonlyMap<string, Row | undefined>,
): readonly Row[] {
  const written = [...changes.values()].filter((row) => row !== undefined).sort(byId);
  const merged: Row[] = [];
  let next = 0;
  for (const row of rows) {
    if (changes.has(row.id)) continue;
    for (let other = written[next]; other !== undefined && other.id < row.id; other = written[next]) {
      merged.push(other);
      next += 1;
    }
    merged.push(row);
  }
  return merged.concat(written.slice(next));
}

const byId = (a: { readonly id: string }, b: { readonly id: string }): number =>
  a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
