import type { Store, Transaction } from '../store/store-types.js';
import type { AuditRecord, ChangeRequest } from './audit-record.js';
import { describeChange } from './describe-change.js';
import { RecordingTransaction } from './recording-transaction.js';

/** The newest records, which are kept. */
export const RECORDS_KEPT = 10_000;
/** Beyond them, so that the oldest are cleared away by the hundred and not one with each change. */
const SLACK = 100;

/**
 * The store as one request sees it: what it changes is recorded in the same transaction, so that there is
 * no change without its record and no record of a change that failed.
 */
export const auditedStore = (store: Store, request: ChangeRequest): Store => ({
  get view() {
    return store.view;
  },
  update: (body) =>
    store.update((tx) => {
      const recording = new RecordingTransaction(tx);
      const result = body(recording);
      writeRecords(tx, describeChange(recording.changes(), request));
      return result;
    }),
  watch: (listener) => store.watch(listener),
  failed: store.failed,
  close: () => store.close(),
});

/** To be called in the transaction of what they tell. */
export function writeRecords(tx: Transaction, records: readonly AuditRecord[]): void {
  let number = 0;
  for (const spec of records) {
    // Others of the same commit have the same index.
    while (tx.get('audit', recordId(tx.index, number)) !== undefined) number += 1;
    tx.put('audit', { id: recordId(tx.index, number), spec });
  }
  const surplus = tx.count('audit') - RECORDS_KEPT;
  if (surplus < SLACK) return;
  for (const { id } of tx.all('audit').slice(0, surplus)) tx.delete('audit', id);
}

/** Ids in the order of the records. */
const recordId = (index: number, number: number): string =>
  `${String(index).padStart(15, '0')}-${String(number).padStart(6, '0')}`;
