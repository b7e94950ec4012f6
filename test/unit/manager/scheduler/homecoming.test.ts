import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { startScheduler } from '../../../../manager/scheduler/scheduler-loop.js';
import type { NodeObject, TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Draft, Store } from '../../../../manager/store/store-types.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { draftTask } from '../../../support/stored-objects.js';
import { GIB, nodeOf } from './scheduler-nodes.js';

const logger = createLogger('silent');
const CONTAINER = { ContainerID: 'c', PID: 1, ExitCode: 0 };
let clock: FakeClock;
let store: Store;
let scheduler: { close(): Promise<void> } | undefined;
let suspects: Set<string>;

beforeEach(async () => {
  clock = new FakeClock();
  suspects = new Set();
  store = await openStore({ journal: memoryJournal(), clock, logger });
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
const pass = async (): Promise<void> => {
  scheduler ??= startScheduler({ store, clock, logger, avoid: () => suspects, allowed: new Set() });
  await clock.advance(0);
};
afterEach(() => {
  scheduler = undefined;
});

const spec = (memory = 0): TaskObject['spec'] => ({
  ContainerSpec: { Image: 'image', Mounts: [{ Type: 'volume', Source: 'data', Target: '/data' }] },
  Resources: { Reservations: { MemoryBytes: memory } },
});
const newTask = (id: string, slot = 1, memory = 0): Draft<TaskObject> =>
  draftTask(id, 'web', { slot, spec: spec(memory), status: { Timestamp: '', State: 'new', Message: '' } });
const ended = (id: string, nodeId: string, slot = 1): Draft<TaskObject> =>
  draftTask(id, 'web', {
    slot,
    nodeId,
    spec: spec(),
    desiredState: 'shutdown',
    status: { Timestamp: '', State: 'failed', Message: '', ContainerStatus: CONTAINER },
  });
const task = (id: string): TaskObject => {
  const found = store.view.get('task', id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
};
const filler = (id: string, nodeId: string): Draft<TaskObject> =>
  draftTask(id, 'other', { nodeId, status: { Timestamp: '', State: 'running', Message: '' } });

describe('a task with volumes', () => {
  test('goes back to the node of its slot, however full that is', async () => {
    await put([nodeOf('h1'), nodeOf('h2')], [ended('old1', 'h2'), ended('old2', 'h2', 2)]);
    await put([], [filler('f1', 'h2'), filler('f2', 'h2')]);
    await put([], [newTask('t1'), newTask('t2', 2), newTask('t3', 3)]);
    await pass();
    expect(['t1', 't2', 't3'].map((id) => task(id).nodeId)).toEqual(['h2', 'h2', 'h1']);
    expect(['t1', 't2', 't3'].map((id) => task(id).volumesLeft)).toEqual([undefined, undefined, undefined]);
  });

  test.each<[string, NodeObject | undefined, string]>([
    ['down', nodeOf('h2', { state: 'down' }), 'h2, which is down'],
    ['drained', nodeOf('h2', { availability: 'drain' }), 'h2, which is drained'],
    [
      'full',
      nodeOf('h2', { memory: GIB }),
      'h2, which does not take it (insufficient resources on 1 node: needs 2 GiB of memory, h2 has 1 GiB free of 1 GiB)',
    ],
    ['gone', undefined, 'node h2, which was removed from the swarm'],
  ])('goes elsewhere with a warning when the node is %s', async (_state, node, cause) => {
    await put([nodeOf('h1'), nodeOf('h3'), ...(node === undefined ? [] : [node])], [ended('old', 'h2')]);
    await put([], [filler('f1', 'h1'), newTask('t1', 1, 2 * GIB)]);
    await pass();
    const warning = `volume data of web.1 (data) is on ${cause}: started on h3 without it`;
    expect(task('t1')).toMatchObject({ nodeId: 'h3', volumesLeft: { nodeId: 'h2', volumes: ['data'], warning } });
    expect(task('t1').status.Message).toBe(`scheduler assigned task to node; ${warning}`);
  });

  test('waits for its old task, which holds the room on the node', async () => {
    const old = draftTask('old', 'web', {
      nodeId: 'h2',
      spec: spec(6 * GIB),
      desiredState: 'shutdown',
      status: { Timestamp: '', State: 'running', Message: '' },
    });
    await put([nodeOf('h1'), nodeOf('h2')], [old]);
    await put([], [newTask('t1', 1, 6 * GIB), newTask('t2', 2, GIB)]);
    await pass();
    expect(task('t1').nodeId).toBeUndefined();
    expect(task('t1').status).toMatchObject({
      State: 'pending',
      Err: 'h2 has its volume data; the old task of its slot is still stopping there',
    });
    expect(task('t2').nodeId).toBe('h1');
    await put([], [{ ...old, status: { ...old.status, State: 'shutdown', ContainerStatus: CONTAINER } }]);
    await pass();
    expect(task('t1').nodeId).toBe('h2');
    expect(task('t1').volumesLeft).toBeUndefined();
  });

  test('waits for a node that may be lost until that is known', async () => {
    suspects.add('h2');
    await put([nodeOf('h1'), nodeOf('h2')], [ended('old', 'h2')]);
    await put([], [newTask('t1')]);
    await pass();
    expect(task('t1').status.Err).toContain('h2 has its volume data and does not answer');
    suspects.clear();
    await clock.advance(250);
    expect(task('t1').nodeId).toBe('h2');
  });

  test('waits for a node whose daemon was stopped, until the node is lost or emptied', async () => {
    await put([nodeOf('h1'), nodeOf('h2', { state: 'disconnected' })], [ended('old', 'h2')]);
    await put([], [newTask('t1')]);
    await pass();
    expect(task('t1').nodeId).toBeUndefined();
    expect(task('t1').status.Err).toBe('h2 has its volume data; its daemon was stopped and is waited for');
    await put([nodeOf('h2', { state: 'disconnected', availability: 'drain' })]);
    await pass();
    expect(task('t1').nodeId).toBe('h1');
    expect(task('t1').volumesLeft?.nodeId).toBe('h2');
  });

  test('stays where it ran last, though its data was elsewhere before', async () => {
    await put([nodeOf('h1'), nodeOf('h2')], [ended('old', 'h2')]);
    await put([], [{ ...ended('away', 'h1'), volumesLeft: { nodeId: 'h2', volumes: ['data'], warning: '' } }]);
    await put([], [newTask('t1')]);
    await pass();
    expect(task('t1').nodeId).toBe('h1');
    expect(task('t1').volumesLeft).toBeUndefined();
  });
});
