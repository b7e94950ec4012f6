import type { Change } from './journal.js';
import { netChange } from './net-change.js';
import type { TableName } from './objects.js';
import type { State } from './state.js';
import type { CommittedChange } from './store-types.js';

/** The rows that one batch of transactions wrote, each once, in the order they were first written. */
export class Batch {
  readonly #rows = new Map<string, { readonly table: TableName; readonly id: string }>();

  touch(table: TableName, id: string): void {
    const key = `${table}!${id}`;
    if (!this.#rows.has(key)) this.#rows.set(key, { table, id });
  }

  /** The net change of each row between the two states; a row that is back where it was is left out. */
  changes(committed: State, tip: State): readonly CommittedChange[] {
    return [...this.#rows.values()].flatMap(({ table, id }) =>
      netChange(table, id, committed.get(table, id), tip.get(table, id)),
    );
  }
}

/** What the journal must keep of a committed change. */
export const toJournal = (change: CommittedChange): Change =>
  // As above: the value is a row of the change's own table.
  (change.after === undefined
    ? { table: change.table, id: change.id }
    : { table: change.table, id: change.id, value: change.after }) as Change;
