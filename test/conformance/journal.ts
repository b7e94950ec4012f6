import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, Journal } from '../../manager/store/journal.js';
import { storedNode, storedService } from '../support/stored-objects.js';

/** The disk below a journal: each `open` is a process that finds what the earlier ones left. */
export interface JournalDisk {
  open(): Promise<Journal>;
  dispose(): Promise<void>;
}

/** What every journal must do. Run it once per implementation. */
export function journalConformance(name: string, newDisk: () => Promise<JournalDisk>): void {
  describe(`${name} journal`, () => {
    let disk: JournalDisk;
    let open: Journal[];

    beforeEach(async () => {
      disk = await newDisk();
      open = [];
    });
    afterEach(async () => {
      for (const journal of open) await journal.close();
      await disk.dispose();
    });

    const opened = async (): Promise<Journal> => {
      const journal = await disk.open();
      open.push(journal);
      return journal;
    };
    const reopened = async (): Promise<Journal> => {
      for (const journal of open) await journal.close();
      open = [];
      return opened();
    };
    const load = (journal: Journal) => journal.load(new AbortController().signal);

    test('a new journal is empty and at index 0', async () => {
      expect(await load(await opened())).toEqual({ index: 0, objects: [] });
    });

    test('what was appended is there after reopening, with its index', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(1, [put('service', 'a', 1), put('node', 'b', 1)]);
      await journal.append(2, [put('service', 'a', 2)]);
      const content = await load(await reopened());
      expect(content.index).toBe(2);
      expect(sorted(content.objects)).toEqual([put('node', 'b', 1), put('service', 'a', 2)]);
    });

    test('the same id in two tables is two rows', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(1, [put('service', 'same', 1), put('node', 'same', 1)]);
      await journal.append(2, [{ table: 'service', id: 'same' }]);
      expect((await load(await reopened())).objects).toEqual([put('node', 'same', 1)]);
    });

    test('a removed row stays away, and removing what is not there is no error', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(1, [put('service', 'a', 1)]);
      await journal.append(2, [
        { table: 'service', id: 'a' },
        { table: 'service', id: 'never' },
      ]);
      expect(await load(await reopened())).toEqual({ index: 2, objects: [] });
    });

    test('a row removed and written again is there', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(1, [put('node', 'a', 1)]);
      await journal.append(2, [{ table: 'node', id: 'a' }]);
      await journal.append(3, [put('node', 'a', 3)]);
      expect((await load(await reopened())).objects).toEqual([put('node', 'a', 3)]);
    });

    test('text of any language and any JSON value survives', async () => {
      const journal = await opened();
      await load(journal);
      const row = storedService('ünïcode-🐢', { name: 'line\nbreak "quoted" \u0000 日本' });
      await journal.append(1, [{ table: 'service', id: row.id, value: row }]);
      expect((await load(await reopened())).objects).toEqual([{ table: 'service', id: row.id, value: row }]);
    });

    test('a batch of 5,000 rows is one append', async () => {
      const journal = await opened();
      await load(journal);
      const rows = Array.from({ length: 5_000 }, (_, number) => put('node', `n${number}`, 1));
      await journal.append(1, rows);
      const content = await load(await reopened());
      expect(content.index).toBe(1);
      expect(content.objects.length).toBe(5_000);
    });

    test('an index that does not grow is refused and changes nothing', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(5, [put('node', 'a', 5)]);
      await expect(journal.append(5, [put('node', 'a', 6)])).rejects.toThrow();
      await expect(journal.append(4, [put('node', 'a', 6)])).rejects.toThrow();
      expect(await load(await reopened())).toEqual({ index: 5, objects: [put('node', 'a', 5)] });
    });

    test('an append that cannot be written whole leaves nothing behind', async () => {
      const journal = await opened();
      await load(journal);
      await journal.append(1, [put('node', 'a', 1)]);
      // A value without JSON stands last, so that the rows before it were ready to go.
      const broken = { toJSON: () => 1n };
      const unwritable = { ...storedNode('c'), spec: { ...storedNode('c').spec, Labels: { broken: '' }, broken } };
      const changes: Change[] = [put('node', 'b', 2), { table: 'node', id: 'c', value: unwritable }];
      await expect(journal.append(2, changes)).rejects.toThrow();
      expect(await load(await reopened())).toEqual({ index: 1, objects: [put('node', 'a', 1)] });
    });

    test('an aborted load rejects', async () => {
      const journal = await opened();
      await expect(journal.load(AbortSignal.abort())).rejects.toThrow();
    });

    test('a closed journal takes no appends, and closing twice is fine', async () => {
      const journal = await opened();
      await load(journal);
      await journal.close();
      await journal.close();
      await expect(journal.append(1, [put('node', 'a', 1)])).rejects.toThrow();
    });
  });
}

const put = (table: 'service' | 'node', id: string, version: number): Change =>
  table === 'service'
    ? { table, id, value: { ...storedService(id), version } }
    : { table, id, value: { ...storedNode(id), version } };

const sorted = (changes: readonly Change[]): readonly Change[] =>
  [...changes].sort((a, b) => (`${a.table}!${a.id}` < `${b.table}!${b.id}` ? -1 : 1));
