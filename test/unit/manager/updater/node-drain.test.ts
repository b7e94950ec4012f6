import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TaskObject } from '../../../../manager/store/objects.js';
import {
  drained,
  type DrainLimits,
  hurried,
  movingOff,
  overdue,
  withSpec,
} from '../../../../manager/updater/node-drain.js';
import type { ServiceSpec, UpdateConfig } from '../../../../proto/engine/service-spec.js';
import { RolloutBench } from '../../../support/rollout-bench.js';
import { ingressPort, storedNode, storedTask } from '../../../support/stored-objects.js';

const DRAIN = { Labels: {}, Role: 'worker', Availability: 'drain' } as const;
const ACTIVE = { ...DRAIN, Availability: 'active' } as const;

describe('the row of a node', () => {
  test('has a drain exactly while it is drained', () => {
    const node = storedNode('n1');
    const draining = { ...node, ...drained(node, { deadline: 60_000, maxParallel: 2 }, 1_000) };
    expect(draining).toMatchObject({
      spec: { Availability: 'drain' },
      drain: { since: 1_000, deadline: 61_000, maxParallel: 2 },
    });
    expect(withSpec(draining, { ...DRAIN, Labels: { a: '1' } }, 5_000).drain).toEqual(draining.drain);
    expect(withSpec(draining, ACTIVE, 5_000)).not.toHaveProperty('drain');
    expect(withSpec(node, DRAIN, 5_000).drain).toEqual({ since: 5_000 });
  });

  test('takes other limits while it drains, counted anew, and keeps its spec', () => {
    const node = { ...storedNode('n1', { spec: DRAIN }), drain: { since: 0, deadline: 10, maxParallel: 1 } };
    const again = drained(node, { deadline: 500 }, 1_000);
    expect(again.drain).toEqual({ since: 1_000, deadline: 1_500 });
    expect(again.spec).toBe(node.spec);
  });
});

const task = (id: string, over: Partial<TaskObject> = {}): TaskObject =>
  storedTask(id, 'web', { nodeId: 'n1', status: { Timestamp: '', State: 'running', Message: '' }, ...over });

test('a task is late once its node should be empty', () => {
  const node = { ...storedNode('n1', { spec: DRAIN }), drain: { since: 0, deadline: 60_000 } };
  expect(overdue(task('a'), () => node, 59_999)).toBeUndefined();
  expect(overdue(task('a'), () => node, 60_000)).toBe('node n1 was to be empty within 60 s');
  expect(overdue(task('a'), () => storedNode('n1'), 60_000)).toBeUndefined();
});

test('tasks that drain already get no longer than their node', () => {
  const draining = (deadline: number) => ({ since: 0, deadline, then: 'remove' as const, cause: '' });
  const tasks = [task('a'), task('b', { draining: draining(50) }), task('c', { draining: draining(500) })];
  expect(hurried(tasks, { since: 0, deadline: 100 })).toMatchObject([{ id: 'c', draining: { deadline: 100 } }]);
  expect(hurried(tasks, { since: 0 })).toEqual([]);
});

test('what is on its way off a node: what stops, and what has a successor that some node takes', () => {
  const stopping = task('stopping', { slot: 1, desiredState: 'remove' });
  const followed = task('followed', { slot: 2 });
  const stuck = task('stuck', { slot: 3 });
  const staying = task('staying', { slot: 4 });
  const ended = task('ended', { slot: 5, status: { Timestamp: '', State: 'shutdown', Message: '' } });
  const successor = (slot: number, from: string, over: Partial<TaskObject>): TaskObject =>
    task(`after ${from}`, { slot, takeover: { from, failures: 0 }, ...over });
  const pending = { Timestamp: '', State: 'pending' as const, Message: '', Err: 'no suitable node' };
  const successors = [successor(2, 'followed', { nodeId: 'n2' })];
  const { nodeId, ...unplaced } = successor(3, 'stuck', { status: pending });
  expect(nodeId).toBe('n1');
  const all = [stopping, followed, stuck, staying, ended, ...successors, unplaced];
  const onNode = [stopping, followed, stuck, staying, ended];
  expect(movingOff(onNode, ({ slot }) => all.filter((one) => one.slot === slot))).toBe(2);
});

describe('a node that is emptied within limits', () => {
  let bench: RolloutBench;
  beforeEach(async () => {
    bench = await RolloutBench.start(['n1', 'n2', 'n3']);
  });
  afterEach(() => bench.close());

  const until = async (done: () => boolean): Promise<void> => {
    for (let round = 0; round < 200 && !done(); round += 1) await bench.round(500);
    expect(done()).toBe(true);
  };
  const start = async (replicas: number, UpdateConfig?: UpdateConfig): Promise<void> => {
    const spec: ServiceSpec = {
      Name: 'web',
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: 'v1' } },
      Mode: { Replicated: { Replicas: replicas } },
      ...(UpdateConfig === undefined ? {} : { UpdateConfig }),
    };
    await bench.create(spec, [ingressPort(8080, 80)]);
    await until(() => bench.serving.length === replicas);
  };
  const drain = (limits: DrainLimits, id = 'n1'): Promise<void> => {
    const node = bench.store.view.get('node', id);
    if (node === undefined) throw new Error('no node');
    return bench.setNode(id, drained(node, limits, bench.clock.now()));
  };
  const on = (nodeId: string): readonly TaskObject[] => bench.containers.filter((one) => one.nodeId === nodeId);
  const newcomers = (): number => bench.tasks.filter(({ takeover }) => takeover !== undefined).length;

  test('moves as many tasks at once as it may', async () => {
    await start(12);
    expect(on('n1')).toHaveLength(4);
    await drain({ maxParallel: 3 });
    await bench.clock.advance(20);
    expect(newcomers()).toBe(3);
    let [most, least] = [0, 12];
    await until(() => {
      most = Math.max(most, bench.containers.length);
      least = Math.min(least, bench.serving.length);
      return on('n1').length === 0;
    });
    expect([least, most]).toEqual([12, 15]);
    expect(bench.violations).toEqual([]);
  });

  test('a service that stops first never misses more than one task', async () => {
    await start(6, { Parallelism: 1, Order: 'stop-first' });
    await drain({ maxParallel: 2 });
    let least = 6;
    await until(() => {
      least = Math.min(least, bench.serving.length);
      return on('n1').length === 0;
    });
    expect(least).toBe(5);
  });

  test('at its deadline what is left is stopped, with requests under way and without a successor', async () => {
    await start(3);
    // Nobody else takes anything: the successor finds no room.
    for (const id of ['n2', 'n3']) await bench.setNode(id, { spec: { ...ACTIVE, Availability: 'pause' } });
    const [left] = on('n1');
    if (left === undefined) throw new Error('nothing on n1');
    bench.meshes.get('n2')?.inFlight.set(left.id, 2);
    await drain({ deadline: 20_000 });
    await bench.clock.advance(19_000);
    expect(bench.store.view.get('task', left.id)).toMatchObject({ desiredState: 'running' });
    expect(bench.store.view.get('task', left.id)?.draining).toBeUndefined();
    await bench.clock.advance(1_100);
    expect(bench.store.view.get('task', left.id)?.desiredState).toBe('shutdown');
    await bench.observe(left, 'shutdown');
    expect(on('n1')).toEqual([]);
    expect(bench.tasks.filter(({ slot }) => slot === left.slot).length).toBeGreaterThan(1);
  });

  test('at its deadline a task whose requests are waited for is stopped', async () => {
    await start(3);
    const [left] = on('n1');
    if (left === undefined) throw new Error('nothing on n1');
    await drain({ deadline: 10_000 });
    for (const other of bench.tasks) await bench.step(other);
    const settle = async (): Promise<void> => {
      for (const one of bench.tasks) await bench.step(one);
      for (const id of bench.meshes.keys()) await bench.apply(id);
    };
    bench.meshes.get('n2')?.inFlight.set(left.id, 1);
    for (let step = 0; step < 8; step += 1) await settle();
    expect(bench.store.view.get('task', left.id)).toMatchObject({ draining: { then: 'shutdown' } });
    await bench.clock.advance(10_000);
    expect(bench.store.view.get('task', left.id)?.desiredState).toBe('shutdown');
  });

  test('one that takes tasks again before it is empty keeps the rest', async () => {
    await start(6);
    await drain({ maxParallel: 1, deadline: 60_000 });
    const node = bench.store.view.get('node', 'n1');
    if (node === undefined) throw new Error('no node');
    await bench.replaceNode(withSpec(node, ACTIVE, bench.clock.now()));
    for (let round = 0; round < 140; round += 1) await bench.round(500);
    expect(on('n1').length).toBeGreaterThan(0);
    expect(bench.serving).toHaveLength(6);
  });
});
