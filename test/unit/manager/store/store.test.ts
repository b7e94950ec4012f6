import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Commit, Store, Transaction } from '../../../../manager/store/store-types.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal, MemoryDisk } from '../../../support/memory-journal.js';
import { draftNode, draftService, draftTask } from '../../../support/stored-objects.js';

const logger = createLogger('silent');

interface Bench {
  readonly store: Store;
  readonly disk: MemoryDisk;
  readonly clock: FakeClock;
  readonly commits: Commit[];
}

async function bench(disk = new MemoryDisk()): Promise<Bench> {
  const clock = new FakeClock(1_000);
  const store = await openStore({ journal: memoryJournal(disk), clock, logger });
  const commits: Commit[] = [];
  store.watch((commit) => commits.push(commit));
  return { store, disk, clock, commits };
}

const put =
  (id: string, name = id) =>
  (tx: Transaction): void => {
    tx.put('service', draftService(id, { name }));
  };

/** Holds appends back until released. */
function gate(disk: MemoryDisk): { release(): void } {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  disk.beforeAppend = () => held;
  return { release: () => release() };
}

test('tasks that are read back share their specs, with their service too', async () => {
  const { store, disk } = await bench();
  await store.update((tx) => {
    for (const id of ['a', 'b']) tx.put('service', draftService(id));
    const spec = tx.get('service', 'a')?.spec.TaskTemplate;
    for (const id of ['t1', 't2']) tx.put('task', draftTask(id, 'a', spec === undefined ? {} : { spec }));
    tx.put('task', draftTask('t3', 'b', { spec: { ContainerSpec: { Image: 'another' } } }));
  });
  const before = store.view.all('task');
  await store.close();
  const { view } = (await bench(disk)).store;
  expect(view.all('task')).toEqual(before);
  const spec = view.get('service', 'a')?.spec.TaskTemplate;
  for (const id of ['t1', 't2']) expect(view.get('task', id)?.spec).toBe(spec);
  expect(view.get('task', 't3')?.spec).not.toBe(spec);
});

describe('a transaction', () => {
  test('resolves with the result of its body once the row is durable and visible', async () => {
    const { store, disk } = await bench();
    const result = await store.update((tx) => {
      put('a')(tx);
      return 'done';
    });
    expect(result).toBe('done');
    expect(disk.rows.size).toBe(1);
    expect(store.view.get('service', 'a')?.spec.Name).toBe('a');
  });

  test('sees its own writes and removals, in rows, lists, counts and indexes', async () => {
    const { store } = await bench();
    await store.update(put('a', 'web'));
    await store.update((tx) => {
      tx.delete('service', 'a');
      tx.put('service', draftService('b', { name: 'web' }));
      tx.put('task', draftTask('t', 'b', { nodeId: 'n' }));
      expect(tx.get('service', 'a')).toBeUndefined();
      expect(tx.all('service').map(({ id }) => id)).toEqual(['b']);
      expect(tx.count('service')).toBe(1);
      expect(tx.serviceByName('web')?.id).toBe('b');
      expect(tx.tasksByNode('n').map(({ id }) => id)).toEqual(['t']);
    });
  });

  test('that throws undoes its own writes only, and rejects with its error', async () => {
    const { store, commits } = await bench();
    const first = store.update(put('a'));
    const second = store.update((tx) => {
      put('b')(tx);
      tx.delete('service', 'a');
      tx.put('service', draftService('a', { name: 'renamed' }));
      throw new Error('no');
    });
    const third = store.update((tx) => tx.all('service').map(({ spec }) => spec.Name));
    await first;
    await expect(second).rejects.toThrow('no');
    expect(await third).toEqual(['a']);
    expect(store.view.serviceByName('renamed')).toBeUndefined();
    expect(commits.map(({ changes }) => changes.map(({ id }) => id))).toEqual([['a']]);
  });

  test('cannot be written to after its body has returned', async () => {
    const { store } = await bench();
    const leaked = await store.update((tx) => tx);
    expect(() => leaked.put('service', draftService('a'))).toThrow('body had returned');
    expect(() => leaked.delete('service', 'a')).toThrow('body had returned');
  });

  test('is not seen by the view of others before it is durable', async () => {
    const { store, disk } = await bench();
    const { release } = gate(disk);
    const update = store.update((tx) => {
      put('a')(tx);
      expect(store.view.get('service', 'a')).toBeUndefined();
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(store.view.count('service')).toBe(0);
    release();
    await update;
    expect(store.view.count('service')).toBe(1);
  });
});

describe('group commit', () => {
  test('transactions that come during an append share the next one', async () => {
    const { store, disk, commits } = await bench();
    const { release } = gate(disk);
    const first = store.update(put('first'));
    await Promise.resolve();
    await Promise.resolve();
    const rest = Array.from({ length: 50 }, (_, number) => store.update(put(`s${number}`)));
    release();
    await Promise.all([first, ...rest]);
    expect(disk.appends).toBe(2);
    expect(commits.map(({ index, changes }) => [index, changes.length])).toEqual([
      [1, 1],
      [2, 50],
    ]);
  });

  test('a commit holds the net change of each row', async () => {
    const { store, commits } = await bench();
    await store.update(put('a', 'one'));
    await Promise.all([store.update(put('a', 'two')), store.update(put('a', 'three')), store.update(put('b'))]);
    const [change, other] = commits[1]?.changes ?? [];
    expect(change).toMatchObject({ id: 'a', before: { spec: { Name: 'one' } }, after: { spec: { Name: 'three' } } });
    expect(other).toMatchObject({ table: 'service', id: 'b' });
    expect(other).not.toHaveProperty('before');
  });

  test('changes that cancel out make no append and no commit', async () => {
    const { store, disk, commits } = await bench();
    await store.update((tx) => {
      put('a')(tx);
      tx.delete('service', 'a');
      tx.delete('service', 'never');
    });
    expect([disk.appends, commits.length, store.view.index]).toEqual([0, 0, 0]);
  });

  test('a body without writes waits until what it read is durable, and costs no append', async () => {
    const { store, disk } = await bench();
    const { release } = gate(disk);
    const order: string[] = [];
    const write = store.update(put('a')).then(() => order.push('write'));
    const read = store.update((tx) => tx.count('service')).then((count) => order.push(`read ${count}`));
    release();
    await Promise.all([write, read]);
    expect(order).toEqual(['write', 'read 1']);
    expect(disk.appends).toBe(1);
  });

  test('watchers hear of a commit before its callers do', async () => {
    const { store } = await bench();
    const order: string[] = [];
    store.watch(() => order.push('watcher'));
    await store.update(put('a'));
    order.push('caller');
    expect(order).toEqual(['watcher', 'caller']);
  });

  test('a watcher that throws does not disturb the others, and one that left hears no more', async () => {
    const { store } = await bench();
    const heard: number[] = [];
    store.watch(() => {
      throw new Error('mistake');
    });
    const leave = store.watch(({ index }) => heard.push(index));
    await store.update(put('a'));
    leave();
    await store.update(put('b'));
    expect(heard).toEqual([1]);
  });

  test('a watcher may start a transaction', async () => {
    const { store, commits } = await bench();
    const followed = new Promise<void>((resolve) => {
      store.watch(({ index }) => {
        if (index === 1) void store.update(put('b')).then(resolve);
      });
    });
    await store.update(put('a'));
    await followed;
    expect(commits.map(({ index }) => index)).toEqual([1, 2]);
  });
});

describe('versions', () => {
  test('version and updatedAt move with the spec, not with other fields', async () => {
    const { store, clock } = await bench();
    await store.update((tx) => tx.put('node', draftNode('n')));
    await clock.advance(500);
    await store.update((tx) => {
      const node = tx.get('node', 'n');
      if (node) tx.put('node', { ...node, status: { ...node.status, state: 'down' } });
    });
    expect(store.view.get('node', 'n')).toMatchObject({ version: 1, createdAt: 1_000, updatedAt: 1_000 });
    await store.update((tx) => {
      const node = tx.get('node', 'n');
      if (node) tx.put('node', { ...node, spec: { ...node.spec, Availability: 'drain' } });
    });
    expect(store.view.get('node', 'n')).toMatchObject({ version: 3, createdAt: 1_000, updatedAt: 1_500 });
  });

  test('the version a body can foretell is the index of the commit', async () => {
    const { store } = await bench();
    const foretold = await Promise.all(
      [1, 2, 3].map((number) => store.update((tx) => (put(`s${number}`)(tx), tx.index))),
    );
    expect(foretold).toEqual([1, 1, 1]);
    expect(store.view.all('service').map(({ version }) => version)).toEqual([1, 1, 1]);
  });

  test('a row whose every field is the same object is not a change', async () => {
    const { store, commits } = await bench();
    await store.update((tx) => tx.put('node', draftNode('n', { meshAddr: 'a:1' })));
    const before = store.view.get('node', 'n');
    await store.update((tx) => {
      const node = tx.get('node', 'n');
      const stale = { ...node, ...draftNode('n', { meshAddr: 'a:1' }), version: 99, updatedAt: 99 };
      if (node) tx.put('node', { ...stale, spec: node.spec, status: node.status, portErrors: node.portErrors });
    });
    expect(commits.length).toBe(1);
    expect(store.view.get('node', 'n')).toBe(before);
    await store.update((tx) => tx.put('node', draftNode('n')));
    expect(store.view.get('node', 'n')).not.toHaveProperty('meshAddr');
  });

  test('rows are frozen, so that nobody changes the truth behind the back of the store', async () => {
    const { store } = await bench();
    const draft = draftService('a');
    await store.update((tx) => tx.put('service', draft));
    expect(() => {
      draft.spec.Labels.x = 'y';
    }).toThrow(TypeError);
  });
});

describe('reopening', () => {
  test('gives the same rows, index and versions', async () => {
    const { store, disk } = await bench();
    await store.update(put('a'));
    await store.update((tx) => tx.put('node', draftNode('n')));
    const rows = [store.view.all('service'), store.view.all('node')];
    await store.close();
    const again = await bench(disk);
    expect(again.store.view.index).toBe(2);
    expect([again.store.view.all('service'), again.store.view.all('node')]).toEqual(rows);
    await again.store.update(put('b'));
    expect(again.commits[0]?.index).toBe(3);
  });

  test('closing finishes what was asked before and refuses what comes after', async () => {
    const { store, disk } = await bench();
    const before = store.update(put('a'));
    const closing = store.close();
    await expect(store.update(put('b'))).rejects.toMatchObject({ code: 'BALE_STORE_CLOSED' });
    await Promise.all([before, closing, store.close()]);
    expect(disk.index).toBe(1);
  });
});

describe('a failed append', () => {
  test('rejects its batch, what is queued and all that comes later, and shows nothing', async () => {
    const { store, disk, commits } = await bench();
    await store.update(put('kept'));
    const { release } = gate(disk);
    disk.failure = new Error('no space left on device');
    const inBatch = store.update(put('a'));
    const threwInBatch = store.update(() => {
      throw new Error('saw a state that never came to be');
    });
    await Promise.resolve();
    await Promise.resolve();
    const queued = store.update(put('b'));
    const outcomes = Promise.allSettled([inBatch, threwInBatch, queued]);
    release();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'BALE_STORE_FAILED', message: expect.stringContaining('no space left on device') as string },
      });
    }
    expect(await store.failed).toMatchObject({ code: 'BALE_STORE_FAILED' });
    await expect(store.update(put('c'))).rejects.toMatchObject({ code: 'BALE_STORE_FAILED' });
    expect(store.view.all('service').map(({ id }) => id)).toEqual(['kept']);
    expect(commits.length).toBe(1);
    await store.close();
  });
});
