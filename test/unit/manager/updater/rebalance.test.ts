import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeObject, ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import { decideRebalance, requestedMoves } from '../../../../manager/updater/rebalance.js';
import type { ServiceSpec, UpdateConfig } from '../../../../proto/engine/service-spec.js';
import type { Placement } from '../../../../proto/engine/task-spec.js';
import { RolloutBench } from '../../../support/rollout-bench.js';
import { ingressPort, storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const service = (placement?: Placement): ServiceObject => {
  const row = storedService('web', { replicas: 6 });
  if (placement === undefined) return row;
  return { ...row, spec: { ...row.spec, TaskTemplate: { ...row.spec.TaskTemplate, Placement: placement } } };
};

/** `on('n1', 'n1', 'n2')`: the nodes of the slots 1, 2, 3. */
const on = (nodes: readonly string[], own = service()): readonly TaskObject[] =>
  nodes.map((nodeId, index) =>
    storedTask(`t${index + 1}`, 'web', {
      slot: index + 1,
      nodeId,
      spec: own.spec.TaskTemplate,
      status: { Timestamp: '', State: 'running', Message: '' },
    }),
  );

const node = (id: string, over: Partial<NodeObject> = {}): NodeObject => ({ ...storedNode(id), ...over });
const THREE = ['n1', 'n2', 'n3'].map((id) => node(id));

const decide = (tasks: readonly TaskObject[], nodes: readonly NodeObject[] = THREE, own = service()) =>
  decideRebalance({ service: own, tasks, allTasks: tasks, nodes });
const moves = (...args: Parameters<typeof decide>): readonly string[] =>
  decide(...args).map(({ task, from, to }) => `${task.slot} ${from.id}-${to.id}`);

describe('what is moved', () => {
  test('is nothing while no two nodes differ by more than one task', () => {
    expect(moves(on(['n1', 'n2', 'n3', 'n1', 'n2']))).toEqual([]);
    expect(moves(on(['n3', 'n3', 'n1', 'n2']))).toEqual([]);
    expect(moves([])).toEqual([]);
  });

  test('is the surplus alone, from the fullest node, the highest slots, with the reason', () => {
    const decided = decide(on(['n1', 'n1', 'n1', 'n1', 'n2', 'n2']));
    expect(decided.map(({ task, from, to }) => `${task.slot} ${from.id}-${to.id}`)).toEqual(['4 n1-n3', '3 n1-n3']);
    expect(decided[0]?.reason).toBe('node n1 has 4 tasks of the service, node n3 has 0');
  });

  test('goes only to nodes that take it', () => {
    const spec = { Labels: {}, Role: 'worker', Availability: 'pause' } as const;
    expect(moves(on(['n1', 'n1', 'n1', 'n1']), [node('n1'), node('n2', { spec })])).toEqual([]);
    const down = { state: 'down', message: '', addr: '' } as const;
    expect(moves(on(['n1', 'n1']), [node('n1'), node('n2', { status: down })])).toEqual([]);
    const ssd = service({ Constraints: ['node.labels.disk==ssd'] });
    const labelled = (id: string) =>
      node(id, { spec: { Labels: { disk: 'ssd' }, Role: 'worker', Availability: 'active' } });
    const tasks = on(['n1', 'n1', 'n1', 'n1'], ssd);
    expect(moves(tasks, [labelled('n1'), node('n2'), labelled('n3')], ssd)).toEqual(['4 n1-n3', '3 n1-n3']);
  });

  test('is no task with a volume: its data would stay behind', () => {
    const Mounts = [{ Type: 'volume' as const, Source: 'data', Target: '/data' }];
    const kept = on(['n1', 'n1', 'n1', 'n1']).map((task) =>
      task.slot === 4 ? { ...task, spec: { ContainerSpec: { Image: 'image', Mounts } } } : task,
    );
    expect(moves(kept)).toEqual(['3 n1-n2', '2 n1-n3']);
  });

  test('is no task in the middle of a change, and none that must leave its node anyway', () => {
    const [a, b, c, d] = on(['n1', 'n1', 'n1', 'n1']);
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('no tasks');
    const starting = { ...d, status: { ...d.status, State: 'starting' as const } };
    const opened = { ...c, takeover: { failures: 0 } };
    expect(moves([a, b, opened, starting])).toEqual(['2 n1-n2', '1 n1-n3']);
    const spec = { Labels: {}, Role: 'worker', Availability: 'drain' } as const;
    expect(moves([a, b, c, d], [node('n1', { spec }), node('n2')])).toEqual([]);
  });
});

test('a request supersedes the one before', () => {
  const [a, b] = on(['n1', 'n1']);
  if (a === undefined || b === undefined) throw new Error('no tasks');
  const marked = { ...a, move: { since: 0, cause: 'earlier' } };
  const move = { task: b, from: node('n1'), to: node('n2'), reason: 'now' };
  const rows = requestedMoves([marked, b], [move], 7);
  expect(rows.map(({ id, move: wish }) => [id, wish])).toEqual([
    ['t1', undefined],
    ['t2', { since: 7, cause: 'now' }],
  ]);
});

describe('on a cluster', () => {
  let bench: RolloutBench;
  beforeEach(async () => {
    bench = await RolloutBench.start(['n1', 'n2', 'n3']);
  });
  afterEach(() => bench.close());

  const until = async (done: () => boolean): Promise<void> => {
    for (let round = 0; round < 200 && !done(); round += 1) await bench.round(500);
    expect(done()).toBe(true);
  };
  const labels = (id: string, Labels: Record<string, string>): Promise<void> =>
    bench.setNode(id, { spec: { Labels, Role: 'worker', Availability: 'active' } });
  const start = async (replicas: number, placement: Placement, UpdateConfig?: UpdateConfig): Promise<void> => {
    const spec: ServiceSpec = {
      Name: 'web',
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: 'v1' }, Placement: placement },
      Mode: { Replicated: { Replicas: replicas } },
      ...(UpdateConfig === undefined ? {} : { UpdateConfig }),
    };
    await bench.create(spec, [ingressPort(8080, 80)]);
    await until(() => bench.serving.length === replicas);
  };
  const place = (placement: Placement): Promise<void> =>
    bench.update((spec) => ({ ...spec, TaskTemplate: { ...spec.TaskTemplate, Placement: placement } }));
  const nodesOf = (tasks: readonly TaskObject[]): readonly string[] => tasks.map(({ nodeId = '' }) => nodeId).sort();
  /** Runs on until nothing changes any more; the fewest that served and the most containers on the way. */
  const settle = async (): Promise<readonly [number, number]> => {
    let [least, most] = [Infinity, 0];
    for (let round = 0; round < 60; round += 1) {
      await bench.round(500);
      least = Math.min(least, bench.serving.length);
      most = Math.max(most, bench.containers.length);
    }
    expect(bench.violations).toEqual([]);
    return [least, most];
  };

  test('surplus tasks move one by one, start-first; the others stay', async () => {
    for (const id of ['n2', 'n3'])
      await bench.setNode(id, { spec: { Labels: {}, Role: 'worker', Availability: 'pause' } });
    await start(6, {});
    for (const id of ['n2', 'n3']) await labels(id, {});
    const before = bench.serving.map(({ id }) => id);
    await bench.store.update((tx) => {
      const tasks = tx.tasksByService('web');
      const decided = decideRebalance({ service: bench.service, tasks, allTasks: tasks, nodes: tx.all('node') });
      expect(decided).toHaveLength(4);
      for (const row of requestedMoves(tasks, decided, tx.now)) tx.put('task', row);
    });
    expect(await settle()).toEqual([6, 7]);
    expect(nodesOf(bench.serving)).toEqual(['n1', 'n1', 'n2', 'n2', 'n3', 'n3']);
    expect(bench.serving.filter(({ id }) => before.includes(id))).toHaveLength(2);
    expect(bench.service.updateStatus).toBeUndefined();
  });

  test('a node that comes back changes nothing by itself', async () => {
    for (const id of ['n2', 'n3'])
      await bench.setNode(id, { spec: { Labels: {}, Role: 'worker', Availability: 'pause' } });
    await start(3, {});
    for (const id of ['n2', 'n3']) await labels(id, {});
    await settle();
    expect(nodesOf(bench.serving)).toEqual(['n1', 'n1', 'n1']);
  });

  test('a change of constraints alone replaces the tasks that no longer fit, rolling', async () => {
    for (const id of ['n1', 'n2']) await labels(id, { disk: 'ssd' });
    await start(6, {});
    const fitting = bench.serving.filter(({ nodeId }) => nodeId !== 'n3').map(({ id }) => id);
    expect(fitting).toHaveLength(4);
    await place({ Constraints: ['node.labels.disk==ssd'] });
    expect(bench.service.updateStatus?.State).toBe('updating');
    expect(await settle()).toEqual([6, 7]);
    expect(nodesOf(bench.serving)).toEqual(['n1', 'n1', 'n1', 'n2', 'n2', 'n2']);
    expect(bench.serving.map(({ id }) => id)).toEqual(expect.arrayContaining(fitting));
    expect(bench.service.updateStatus?.State).toBe('completed');
  });

  test('a change of placement that all tasks meet restarts nothing and leaves no status', async () => {
    await start(3, {});
    const before = bench.serving.map(({ id }) => id);
    await place({ Constraints: ['node.role==worker'], MaxReplicas: 2 });
    await settle();
    expect(bench.serving.map(({ id }) => id)).toEqual(before);
    expect(bench.service.updateStatus).toBeUndefined();
  });

  test('fewer replicas per node replace those that are too many', async () => {
    await bench.setNode('n3', { spec: { Labels: {}, Role: 'worker', Availability: 'pause' } });
    await start(3, {});
    await labels('n3', {});
    const before = bench.serving.map(({ id }) => id);
    await place({ MaxReplicas: 1 });
    await until(() => new Set(nodesOf(bench.serving)).size === 3);
    expect(bench.serving.filter(({ id }) => before.includes(id))).toHaveLength(2);
    await until(() => bench.service.updateStatus?.State === 'completed');
  });

  test('tasks that no node took are placed anew when the constraint is taken back', async () => {
    await bench.create({
      Name: 'web',
      Labels: {},
      TaskTemplate: { ContainerSpec: { Image: 'v1' }, Placement: { Constraints: ['node.labels.disk==ssd'] } },
      Mode: { Replicated: { Replicas: 2 } },
    });
    await bench.round();
    expect(bench.serving).toEqual([]);
    await place({});
    await until(() => bench.serving.length === 2);
  });

  test('a label that goes moves the tasks that need it, and nothing else', async () => {
    for (const id of ['n1', 'n2']) await labels(id, { disk: 'ssd' });
    await start(4, { Constraints: ['node.labels.disk==ssd'] });
    const staying = bench.serving.filter(({ nodeId }) => nodeId === 'n1').map(({ id }) => id);
    await labels('n3', { disk: 'ssd' });
    await labels('n2', { disk: 'hdd' });
    expect(await settle()).toEqual([4, 5]);
    expect(nodesOf(bench.serving)).toEqual(['n1', 'n1', 'n3', 'n3']);
    expect(bench.serving.map(({ id }) => id)).toEqual(expect.arrayContaining(staying));
    expect(bench.service.updateStatus).toBeUndefined();
  });

  test('a label that no node has leaves the tasks where they are, and says why', async () => {
    await labels('n1', { disk: 'ssd' });
    await start(1, { Constraints: ['node.labels.disk==ssd'] });
    await labels('n1', {});
    await settle();
    expect(nodesOf(bench.serving)).toEqual(['n1']);
    const waiting = bench.tasks.find(({ nodeId }) => nodeId === undefined);
    expect(waiting?.status.Err).toContain('node.labels.disk==ssd');
    await labels('n1', { disk: 'ssd' });
    await settle();
    expect(bench.containers).toHaveLength(1);
  });
});
