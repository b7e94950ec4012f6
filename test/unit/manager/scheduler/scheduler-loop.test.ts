import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { startScheduler } from '../../../../manager/scheduler/scheduler-loop.js';
import type { NodeObject, TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Commit, Draft, Store } from '../../../../manager/store/store-types.js';
import { FakeClock, settle } from '../../../support/fake-clock.js';
import { MemoryDisk, memoryJournal } from '../../../support/memory-journal.js';
import { draftService, draftTask } from '../../../support/stored-objects.js';
import { GIB, nodeOf } from './scheduler-nodes.js';

const logger = createLogger('silent');
let clock: FakeClock;
let disk: MemoryDisk;
let store: Store;
let scheduler: { close(): Promise<void> } | undefined;
let suspects: Set<string>;
const commits: Commit[] = [];

const start = (): void => {
  scheduler = startScheduler({ store, clock, logger, avoid: () => suspects, allowed: new Set() });
};

beforeEach(async () => {
  clock = new FakeClock();
  suspects = new Set();
  disk = new MemoryDisk();
  store = await openStore({ journal: memoryJournal(disk), clock, logger });
  commits.length = 0;
  store.watch((commit) => commits.push(commit));
});
afterEach(async () => {
  await scheduler?.close();
  await store.close();
});

const put = (nodes: readonly NodeObject[], tasks: readonly Draft<TaskObject>[] = []): Promise<void> =>
  store.update((tx) => {
    for (const node of nodes) tx.put('node', node);
    for (const task of tasks) tx.put('task', task);
  });
const newTask = (slot: number, memory = 0): Draft<TaskObject> =>
  draftTask(`t${slot}`, 'web', {
    slot,
    status: { Timestamp: '', State: 'new', Message: 'created' },
    spec: { ContainerSpec: { Image: 'image' }, Resources: { Reservations: { MemoryBytes: memory } } },
  });
const task = (id: string): TaskObject => {
  const found = store.view.get('task', id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
};

describe('what comes while a pass is under way', () => {
  /** Holds the journal, so that the pass and what is written after it become one commit. */
  const inOneCommit = async (later: () => Promise<unknown>): Promise<void> => {
    let release: () => void = () => undefined;
    disk.beforeAppend = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const earlier = put([nodeOf('other', { availability: 'pause' })]);
    await settle();
    start();
    await clock.advance(0);
    const written = later();
    disk.beforeAppend = undefined;
    release();
    await Promise.all([earlier, written]);
    await clock.advance(0);
  };

  test('a node is used by the tasks for which the pass found none', async () => {
    await put([], [newTask(1)]);
    await inOneCommit(() => put([nodeOf('h1')]));
    expect(task('t1').nodeId).toBe('h1');
  });

  test('tasks of a service that need wait no longer get their nodes', async () => {
    await put([nodeOf('h1')], [newTask(1)]);
    const web = draftService('web');
    await store.update((tx) => {
      tx.put('service', { ...web, awaiting: { reason: 'waits for db: 0 of 1 healthy' } });
    });
    await inOneCommit(() =>
      store.update((tx) => {
        tx.put('service', web);
      }),
    );
    expect(task('t1').nodeId).toBe('h1');
  });

  test('a node that is suspect no longer is looked at again', async () => {
    await put([nodeOf('h1')], [newTask(1)]);
    suspects.add('h1');
    disk.beforeAppend = () => {
      suspects.clear();
      return Promise.resolve();
    };
    start();
    await clock.advance(0);
    expect(task('t1').status.Err).toContain('h1 does not answer');
    await clock.advance(250);
    expect(task('t1').nodeId).toBe('h1');
  });
});

describe('the scheduler', () => {
  test('leaves tasks of a service that waits for others, and says for what', async () => {
    await store.update((tx) => {
      tx.put('service', { ...draftService('web'), awaiting: { reason: 'waits for db: 0 of 1 healthy' } });
    });
    await put([nodeOf('h1')], [newTask(1)]);
    start();
    await clock.advance(0);
    expect(task('t1')).toMatchObject({ status: { State: 'pending', Err: 'waits for db: 0 of 1 healthy' } });
    expect(task('t1').nodeId).toBeUndefined();
  });

  test('gives generic resources with the node, and knows them when it starts anew', async () => {
    const gpus = {
      Resources: { Reservations: { GenericResources: [{ DiscreteResourceSpec: { Kind: 'gpu', Value: 1 } }] } },
    };
    const wanting = (slot: number): Draft<TaskObject> => ({
      ...newTask(slot),
      spec: { ContainerSpec: { Image: 'image' }, ...gpus },
    });
    await put([nodeOf('h1', { generics: ['gpu=u1,gpu=u2'] })], [wanting(1)]);
    start();
    await clock.advance(0);
    expect(task('t1').genericResources).toEqual([{ NamedResourceSpec: { Kind: 'gpu', Value: 'u1' } }]);
    await scheduler?.close();
    start();
    await put([], [wanting(2), wanting(3)]);
    await clock.advance(0);
    expect(task('t2').genericResources).toEqual([{ NamedResourceSpec: { Kind: 'gpu', Value: 'u2' } }]);
    expect(task('t3').status.Err).toContain('needs 1 gpu, h1 has 0 free of 2, reserved by web');
    const ended = { ...task('t1'), status: { ...task('t1').status, State: 'failed' as const } };
    await put([], [ended]);
    await clock.advance(0);
    expect(task('t3').genericResources).toEqual([{ NamedResourceSpec: { Kind: 'gpu', Value: 'u1' } }]);
  });

  test('gives no node to a task whose power is not allowed any more, and says why', async () => {
    await put([nodeOf('h1')], [{ ...newTask(1), hostOptions: { privileged: true } }, draftTask('t2', 'other')]);
    start();
    await clock.advance(0);
    expect(task('t1').nodeId).toBeUndefined();
    expect(task('t1').status).toMatchObject({ State: 'pending' });
    expect(task('t1').status.Err).toMatch(
      /^label "bale.privileged" gives .* start its daemon with --allow privileged$/,
    );
    expect(task('t2').nodeId).toBe('h1');
    await scheduler?.close();
    scheduler = startScheduler({ store, clock, logger, avoid: () => suspects, allowed: new Set(['privileged']) });
    await clock.advance(0);
    expect(task('t1').nodeId).toBe('h1');
  });

  test('assigns new tasks in the turn after their commit, all in one commit', async () => {
    start();
    await put([nodeOf('h1'), nodeOf('h2')]);
    commits.length = 0;
    await put([], [newTask(1), newTask(2)]);
    await clock.advance(0);
    expect(commits).toHaveLength(2);
    expect([task('t1').nodeId, task('t2').nodeId]).toEqual(['h1', 'h2']);
    expect(task('t1').status).toEqual({
      Timestamp: new Date(clock.now()).toISOString(),
      State: 'assigned',
      Message: 'scheduler assigned task to node',
    });
  });

  test('takes up waiting tasks when it starts, and counts what is placed already', async () => {
    await put(
      [nodeOf('h1'), nodeOf('h2')],
      [{ ...newTask(1, 6 * GIB), nodeId: 'h1' }, newTask(2, 6 * GIB), newTask(3, 6 * GIB)],
    );
    start();
    await clock.advance(0);
    expect(task('t2').nodeId).toBe('h2');
    expect(task('t3').status).toMatchObject({ State: 'pending', Message: 'pending task scheduling' });
    expect(task('t3').status.Err).toContain(
      'needs 6 GiB of memory, h1 has the most, 2 GiB free of 8 GiB, reserved by web',
    );
  });

  test('assigns tasks that wait out a delay too, after those that shall run', async () => {
    start();
    await put([nodeOf('h1', { memory: GIB })], [{ ...newTask(1, GIB), desiredState: 'ready' }, newTask(2, GIB)]);
    await clock.advance(0);
    expect([task('t1').nodeId, task('t2').nodeId]).toEqual([undefined, 'h1']);
  });

  test('writes why a task waits only when that changes, and keeps since when', async () => {
    start();
    await put([], [newTask(1)]);
    await clock.advance(0);
    const since = task('t1').status.Timestamp;
    expect(task('t1').status.Err).toBe('no suitable node (the swarm has no nodes)');
    await clock.advance(5_000);
    await put([nodeOf('h1', { state: 'down' })]);
    await clock.advance(0);
    expect(task('t1').status).toMatchObject({
      Timestamp: since,
      Err: 'no suitable node (1 node not available for new tasks: h1 is down)',
    });
    commits.length = 0;
    await put([{ ...nodeOf('h1', { state: 'down' }), certificateExpiry: 1 }]);
    await clock.advance(1_000);
    expect(commits).toHaveLength(1);
  });

  test('places a waiting task when a node comes, and when room comes free', async () => {
    start();
    await put([], [newTask(1, 5 * GIB), newTask(2, 5 * GIB)]);
    await clock.advance(0);
    await put([nodeOf('h1')]);
    await clock.advance(0);
    expect([task('t1').nodeId, task('t2').nodeId]).toEqual(['h1', undefined]);
    await put([], [{ ...task('t1'), status: { ...task('t1').status, State: 'failed' } }]);
    await clock.advance(0);
    expect(task('t2').nodeId).toBe('h1');
  });

  test('gives a node to the tasks of two runs of a job at once', async () => {
    const run = (jobIteration: number): Draft<TaskObject> => ({
      ...newTask(0),
      id: `run${jobIteration}`,
      pinnedTo: 'h1',
      jobIteration,
    });
    await put([nodeOf('h1')], [run(0), run(1)]);
    start();
    await clock.advance(0);
    expect([task('run0').nodeId, task('run1').nodeId]).toEqual(['h1', 'h1']);
  });

  test('gives no work to a suspect node, and looks again when it is none any more', async () => {
    suspects.add('h1');
    start();
    await put([nodeOf('h1')], [newTask(1)]);
    await clock.advance(0);
    expect(task('t1').status.Err).toBe('no suitable node (1 node not available for new tasks: h1 does not answer)');
    suspects.clear();
    await clock.advance(250);
    expect(task('t1').nodeId).toBe('h1');
  });

  test('places thousands of tasks in batches', async () => {
    start();
    const many = Array.from({ length: 2_500 }, (_, index) => newTask(index + 1));
    await put([nodeOf('h1'), nodeOf('h2')], many);
    await clock.advance(0);
    expect(store.view.unassignedTasks()).toEqual([]);
    expect(store.view.tasksByNode('h1')).toHaveLength(1_250);
    expect(commits.slice(1).map((commit) => commit.changes.length)).toEqual([1_000, 1_000, 500]);
  });

  test('explains thousands of waiting tasks in batches', async () => {
    start();
    await put(
      [],
      Array.from({ length: 2_500 }, (_, index) => newTask(index + 1)),
    );
    await clock.advance(0);
    expect(new Set(store.view.unassignedTasks().map((waiting) => waiting.status.Err))).toEqual(
      new Set(['no suitable node (the swarm has no nodes)']),
    );
    expect(commits.slice(1).map((commit) => commit.changes.length)).toEqual([1_000, 1_000, 500]);
  });

  test('moves on from a node where a service keeps failing', async () => {
    start();
    await put([nodeOf('h1'), nodeOf('h2')], [draftTask('other', 'other', { nodeId: 'h2' })]);
    const homes: (string | undefined)[] = [];
    for (let slot = 1; slot <= 6; slot += 1) {
      await put([], [newTask(slot)]);
      await clock.advance(0);
      const placed = task(`t${slot}`);
      homes.push(placed.nodeId);
      await put([], [{ ...placed, desiredState: 'shutdown', status: { ...placed.status, State: 'failed' } }]);
    }
    expect(homes).toEqual(['h1', 'h1', 'h1', 'h1', 'h1', 'h2']);
  });
});
