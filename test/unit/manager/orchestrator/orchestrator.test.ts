import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { startOrchestrator } from '../../../../manager/orchestrator/orchestrator.js';
import { startReaper } from '../../../../manager/orchestrator/reaper-loop.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Commit, Store } from '../../../../manager/store/store-types.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { draftNode, draftService } from '../../../support/stored-objects.js';

const logger = createLogger('silent');
let clock: FakeClock;
let store: Store;
let loops: { close(): Promise<void> }[] = [];
const commits: Commit[] = [];

const start = (): void => {
  loops = [startOrchestrator({ store, clock, logger }), startReaper({ store, clock, logger })];
};
const stop = async (): Promise<void> => {
  for (const loop of loops) await loop.close();
  loops = [];
};

beforeEach(async () => {
  clock = new FakeClock();
  store = await openStore({ journal: memoryJournal(), clock, logger });
  commits.length = 0;
  store.watch((commit) => commits.push(commit));
});
afterEach(async () => {
  await stop();
  await store.close();
});

const setReplicas = (replicas: number): Promise<void> =>
  store.update((tx) => {
    tx.put('service', draftService('web', { replicas }));
  });
const setNode = (id: string, state: 'ready' | 'down'): Promise<void> =>
  store.update((tx) => {
    tx.put('node', draftNode(id, { status: { state, message: '', addr: '' } }));
  });
/** What scheduler and agent would write. */
const observe = (task: TaskObject, state: TaskState, nodeId = 'n1'): Promise<void> =>
  store.update((tx) => {
    const current = tx.get('task', task.id) ?? task;
    tx.put('task', { ...current, nodeId, status: { ...current.status, State: state } });
  });
const tasks = (): readonly TaskObject[] => store.view.tasksByService('web');
const live = (): readonly TaskObject[] => tasks().filter((task) => ['ready', 'running'].includes(task.desiredState));

async function runningService(replicas: number): Promise<void> {
  await setNode('n1', 'ready');
  await setNode('n2', 'ready');
  await setReplicas(replicas);
  await clock.advance(0);
  for (const task of live()) await observe(task, 'running');
  await clock.advance(0);
}

describe('the orchestrator', () => {
  test('makes the tasks of a service in the turn after its commit', async () => {
    start();
    await setReplicas(3);
    await clock.advance(0);
    expect(tasks().map((task) => task.slot)).toHaveLength(3);
    expect(commits).toHaveLength(2);
  });

  test('makes thousands of tasks in batches, until all are there', async () => {
    start();
    await setReplicas(2_500);
    await clock.advance(0);
    expect(new Set(tasks().map((task) => task.slot)).size).toBe(2_500);
    expect(Math.max(...commits.map((commit) => commit.changes.length))).toBe(1_000);
  });

  test('takes up what is in the store when it starts', async () => {
    await setReplicas(2);
    start();
    await clock.advance(0);
    expect(tasks()).toHaveLength(2);
  });

  test('replaces a task that ended, and lets the replacement run after its delay', async () => {
    start();
    await runningService(1);
    const [old] = live();
    if (old === undefined) throw new Error('no task');
    await observe(old, 'failed');
    await clock.advance(0);
    const [replacement] = live();
    expect(replacement).toMatchObject({ slot: 1, desiredState: 'ready', startAfter: clock.now() + 100 });
    await clock.advance(99);
    expect(live()).toMatchObject([{ desiredState: 'ready' }]);
    await clock.advance(1);
    expect(live()).toMatchObject([{ id: replacement?.id, desiredState: 'running' }]);
  });

  test('a manager that comes back waits out only the rest of a delay', async () => {
    start();
    await runningService(1);
    for (const task of live()) await observe(task, 'failed');
    await clock.advance(60);
    await stop();
    start();
    await clock.advance(39);
    expect(live()).toMatchObject([{ desiredState: 'ready' }]);
    await clock.advance(1);
    expect(live()).toMatchObject([{ desiredState: 'running' }]);
  });

  test('replaces the tasks of a node that goes down in one commit, without delay', async () => {
    start();
    await runningService(2);
    commits.length = 0;
    await setNode('n1', 'down');
    await clock.advance(0);
    expect(commits).toHaveLength(2);
    expect(live().map((task) => [task.slot, task.desiredState, task.nodeId])).toEqual(
      expect.arrayContaining([
        [1, 'running', undefined],
        [2, 'running', undefined],
      ]),
    );
    const lost = tasks().filter((task) => task.desiredState === 'shutdown');
    expect(lost).toMatchObject([
      { lostReason: 'node n1 is down', status: { State: 'running' } },
      { lostReason: 'node n1 is down', status: { State: 'running' } },
    ]);
  });

  test('writes nothing for the ordinary way of a task to running', async () => {
    start();
    await setReplicas(1);
    await clock.advance(0);
    commits.length = 0;
    for (const state of ['assigned', 'accepted', 'preparing', 'ready', 'starting', 'running'] as const) {
      for (const task of live()) await observe(task, state);
      await clock.advance(1_000);
    }
    expect(commits).toHaveLength(6);
  });

  test('makes a task anew that somebody deleted', async () => {
    start();
    await runningService(1);
    await store.update((tx) => {
      for (const task of tasks()) tx.delete('task', task.id);
    });
    await clock.advance(0);
    expect(live()).toMatchObject([{ slot: 1 }]);
  });
});

describe('the reaper', () => {
  test('forgets the tasks of a removed service as they stop', async () => {
    start();
    await runningService(2);
    await store.update((tx) => {
      tx.delete('service', 'web');
    });
    await clock.advance(1_000);
    expect(tasks().map((task) => task.desiredState)).toEqual(['remove', 'remove']);
    for (const task of tasks()) await observe(task, 'shutdown');
    await clock.advance(100);
    expect(tasks()).toEqual([]);
  });

  test('keeps five tasks of a slot that keeps failing', async () => {
    start();
    await runningService(1);
    for (let failure = 0; failure < 12; failure += 1) {
      for (const task of live()) await observe(task, 'failed');
      await clock.advance(6_000);
    }
    expect(tasks()).toHaveLength(5);
    expect(live()).toHaveLength(1);
  });

  test('gives up the removed tasks of a node after a day of its being down', async () => {
    start();
    await runningService(1);
    await setNode('n1', 'down');
    await store.update((tx) => {
      tx.delete('service', 'web');
    });
    await clock.advance(24 * 3_600_000 - 1);
    expect(tasks()).toMatchObject([{ desiredState: 'remove' }]);
    await clock.advance(1_000);
    expect(tasks()).toEqual([]);
  });

  test('forgets removed tasks when their node is removed', async () => {
    start();
    await runningService(1);
    await setNode('n1', 'down');
    await store.update((tx) => {
      tx.delete('service', 'web');
    });
    await clock.advance(200);
    await store.update((tx) => {
      tx.delete('node', 'n1');
    });
    await clock.advance(200);
    expect(tasks()).toEqual([]);
  });
});
