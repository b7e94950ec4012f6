import type { TableName, Tables } from './objects.js';

/** One row written, or removed when `value` is absent. */
export type Change = {
  readonly [Name in TableName]: { readonly table: Name; readonly id: string; readonly value?: Tables[Name] };
}[TableName];

/** Everything a journal holds. `index` is that of the last append (0 = nothing yet). */
export interface JournalContent {
  readonly index: number;
  readonly objects: readonly Change[];
}

/**
 * The durability of the store behind a narrow interface. Implementations pass
 * test/conformance/journal.ts.
 *
 * Contract: `append` is atomic and durable: when it resolves, a crash at any later instruction
 * keeps all of its changes; when the process dies before, `load` shows all of them or none.
 * Appends come one at a time with growing `index`. A failed append means the journal must not be used again.
 */
export interface Journal {
  load(signal: AbortSignal): Promise<JournalContent>;
  append(index: number, changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}
