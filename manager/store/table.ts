import type { StoredObject } from './objects.js';
import { SortedRows } from './sorted-rows.js';

/** The rows that share a key. A row without a key (undefined) is not in the index. */
export class Index<Row extends StoredObject> {
  readonly #keyOf: (row: Row) => string | undefined;
  readonly #groups = new Map<string, { readonly rows: SortedRows<Row>; size: number }>();

  constructor(keyOf: (row: Row) => string | undefined) {
    this.#keyOf = keyOf;
  }

  list(key: string): readonly Row[] {
    return this.#groups.get(key)?.rows.list() ?? [];
  }

  update(id: string, before: Row | undefined, after: Row | undefined): void {
    const from = before === undefined ? undefined : this.#keyOf(before);
    const to = after === undefined ? undefined : this.#keyOf(after);
    if (from !== undefined && from !== to) this.#remove(from, id);
    if (to !== undefined && after !== undefined) this.#put(to, id, after, from !== to);
  }

  #put(key: string, id: string, row: Row, isNew: boolean): void {
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { rows: new SortedRows(), size: 0 };
      this.#groups.set(key, group);
    }
    group.rows.set(id, row);
    if (isNew) group.size += 1;
  }

  #remove(key: string, id: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    group.rows.set(id, undefined);
    group.size -= 1;
    // Services, nodes and slots come and go for years: an empty group must not stay behind.
    if (group.size === 0) this.#groups.delete(key);
  }
}

/** Rows by id with their indexes. Every index is brought up to date in the same call as the row. */
export class Table<Row extends StoredObject> {
  readonly #rows = new Map<string, Row>();
  readonly #sorted = new SortedRows<Row>();
  readonly #indexes: readonly Index<Row>[];

  constructor(indexes: readonly Index<Row>[]) {
    this.#indexes = indexes;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  all(): readonly Row[] {
    return this.#sorted.list();
  }

  /** Writes a row, or removes it when `row` is undefined. */
  set(id: string, row: Row | undefined): void {
    const before = this.#rows.get(id);
    if (row === undefined) this.#rows.delete(id);
    else this.#rows.set(id, row);
    this.#sorted.set(id, row);
    for (const index of this.#indexes) index.update(id, before, row);
  }
}
