import type { Change, Journal, JournalContent } from '../../manager/store/journal.js';

/** What survives the closing of a memory journal: the stand-in for a disk. */
export class MemoryDisk {
  index = 0;
  /** Changes as JSON by `table!id`: what is read back is never the object that was written. */
  readonly rows = new Map<string, string>();
  /** When set, the next append fails with it and writes nothing. */
  failure: Error | undefined;
  /** Number of appends so far. */
  appends = 0;
  /** When set, each append waits for the promise it returns before it writes. */
  beforeAppend: (() => Promise<void>) | undefined;
}

/** A journal without durability, for tests. Journals over one disk see the same content one after another. */
export function memoryJournal(disk: MemoryDisk = new MemoryDisk()): Journal {
  let closed = false;
  return {
    async load(signal): Promise<JournalContent> {
      await Promise.resolve();
      signal.throwIfAborted();
      const objects = [...disk.rows.values()].map((row) => JSON.parse(row) as Change);
      return { index: disk.index, objects };
    },
    async append(index, changes): Promise<void> {
      if (closed) throw new Error('the journal is closed');
      if (index <= disk.index) throw new Error(`append ${index} after ${disk.index}`);
      const rows = changes.map((change) => ({
        key: `${change.table}!${change.id}`,
        json: change.value === undefined ? undefined : JSON.stringify(change),
      }));
      await disk.beforeAppend?.();
      if (disk.failure !== undefined) throw disk.failure;
      for (const { key, json } of rows) {
        if (json === undefined) disk.rows.delete(key);
        else disk.rows.set(key, json);
      }
      disk.index = index;
      disk.appends += 1;
    },
    close(): Promise<void> {
      closed = true;
      return Promise.resolve();
    },
  };
}
