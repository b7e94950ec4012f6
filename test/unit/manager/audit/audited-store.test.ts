import { beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { auditedStore, RECORDS_KEPT, writeRecords } from '../../../../manager/audit/audited-store.js';
import { changedPaths } from '../../../../manager/audit/changed-paths.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Store } from '../../../../manager/store/store-types.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal, MemoryDisk } from '../../../support/memory-journal.js';
import { draftService, draftTask } from '../../../support/stored-objects.js';

const REQUEST = { who: { kind: 'socket' }, request: 'POST /test' } as const;
let disk: MemoryDisk;
let store: Store;
const open = (): Promise<Store> =>
  openStore({ journal: memoryJournal(disk), clock: new FakeClock(), logger: createLogger('silent') });

beforeEach(async () => {
  disk = new MemoryDisk();
  store = await open();
  return () => store.close();
});

describe('a store of a request', () => {
  test('writes the record with the change', async () => {
    await auditedStore(store, REQUEST).update((tx) => tx.put('service', draftService('s', { name: 'web' })));
    expect(store.view.index).toBe(1);
    expect(store.view.all('audit').map(({ spec }) => spec)).toEqual([
      { ...REQUEST, action: 'create', object: 'service', objectId: 's', name: 'web', newVersion: 1, fields: [] },
    ]);
  });

  test('writes none for a change that fails, and none for what is as it was', async () => {
    const audited = auditedStore(store, REQUEST);
    const failing = audited.update((tx) => {
      tx.put('service', draftService('s'));
      throw new Error('refused');
    });
    await expect(failing).rejects.toThrow('refused');
    await audited.update((tx) => {
      tx.put('service', draftService('s'));
      tx.delete('service', 's');
    });
    expect(store.view.count('audit')).toBe(0);
  });

  test('keeps the records of requests that share a commit apart, in their order', async () => {
    const audited = auditedStore(store, REQUEST);
    const ids = Array.from({ length: 20 }, (_, number) => `s${String(number).padStart(2, '0')}`);
    await Promise.all(ids.map((id) => audited.update((tx) => tx.put('service', draftService(id)))));
    expect(store.view.index).toBe(1);
    expect(store.view.all('audit').map(({ spec }) => spec.objectId)).toEqual(ids);
  });

  test('records tasks as of their service, where nothing else changed', async () => {
    await store.update((tx) => tx.put('task', draftTask('t', 's')));
    const move = { since: 1, cause: 'asked' };
    await auditedStore(store, REQUEST).update((tx) => tx.put('task', { ...draftTask('t', 's'), move }));
    expect(store.view.all('audit').map(({ spec }) => [spec.object, spec.objectId, spec.fields])).toEqual([
      ['service', 's', ['tasks']],
    ]);
  });

  test('keeps the newest ten thousand, over restarts', async () => {
    const record = { ...REQUEST, action: 'remove', object: 'service', objectId: 's', name: 'web', fields: [] } as const;
    for (let round = 0; round < 102; round += 1) {
      await store.update((tx) => {
        writeRecords(
          tx,
          Array.from({ length: 100 }, (_, number) => ({ ...record, name: `${round}-${number}` })),
        );
      });
    }
    const kept = store.view.all('audit').map(({ spec }) => spec.name);
    expect(kept.length).toBeGreaterThanOrEqual(RECORDS_KEPT);
    expect(kept.length).toBeLessThanOrEqual(RECORDS_KEPT + 100);
    expect(kept.at(-1)).toBe('101-99');
    await store.close();
    store = await open();
    expect(store.view.all('audit').map(({ spec }) => spec.name)).toEqual(kept);
  });
});

describe('changed paths', () => {
  test.each([
    [{ a: 1 }, { a: 1 }, []],
    [{ a: { b: 1, c: 2 } }, { a: { b: 2, d: 3 } }, ['a.b', 'a.c', 'a.d']],
    [{ list: ['SECRET=1'] }, { list: ['SECRET=2'] }, ['list']],
    [{ a: { b: 1 } }, {}, ['a']],
    [{ Labels: {} }, { Labels: { 'com.x': 'y' } }, ['Labels.com.x']],
  ])('between %j and %j are %j', (before, after, paths) => {
    expect(changedPaths(before, after)).toEqual(paths);
  });

  test('are bounded, in number and length', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, number) => [`${'k'.repeat(500)}${number}`, 1]));
    const paths = changedPaths({}, many);
    expect(paths).toHaveLength(41);
    expect(paths.at(-1)).toBe('…');
    expect(Math.max(...paths.map((path) => path.length))).toBe(200);
  });
});
