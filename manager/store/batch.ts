import type { Change } from './journal.js';
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
    const changes: CommittedChange[] = [];
    for (const { table, id } of this.#rows.values()) {
      const before = committed.get(table, id);
      const after = tip.get(table, id);
      if (before === after) continue;
      // Both rows come from `table`; the compiler loses that link when the table is a variable.
      changes.push({
        table,
        id,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      } as CommittedChange);
    }
    return changes;
  }
}

/** What the journal must keep of a committed change. */
export const toJournal = (change: CommittedChange): Change =>
  // As above: the value is a row of the change's own table.
  (change.after === undefined
    ? { table: change.table, id: change.id }
    : { table: change.table, id: change.id, value: change.after }) as Change;
