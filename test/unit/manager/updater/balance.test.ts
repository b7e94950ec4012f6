import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NodeObject, ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import { decideRebalance, requestedMoves } from '../../../../manager/updater/rebalance.js';
import type { UpdateConfig } from '../../../../proto/engine/service-spec.js';
import type { Placement } from '../../../../proto/engine/task-spec.js';
import { RolloutBench } from '../../../support/rollout-bench.js';
import { ingressPort, storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const SPREAD_ZONES: Placement = { Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }] };

const serviceOf = (placement: Placement): ServiceObject => {
  const row = storedService('web', { replicas: 6 });
  return { ...row, spec: { ...row.spec, TaskTemplate: { ...row.spec.TaskTemplate, Placement: placement } } };
};

const nodeIn = (id: string, Labels: Record<string, string>): NodeObject => ({
  ...storedNode(id),
  spec: { Labels, Role: 'worker', Availability: 'active' },
});

/** `{ n1: 3 }`: three tasks on n1. */
const spread = (service: ServiceObject, counts: Readonly<Record<string, number>>): readonly TaskObject[] =>
  Object.entries(counts)
    .flatMap(([nodeId, count]) => Array.from({ length: count }, () => nodeId))
    .map((nodeId, index) =>
      storedTask(`t${index + 1}`, 'web', {
        slot: index + 1,
        nodeId,
        spec: service.spec.TaskTemplate,
        status: { Timestamp: '', State: 'running', Message: '' },
      }),
    );

/** The counts after all moves, and how many there were. */
function rebalanced(
  placement: Placement,
  nodes: readonly NodeObject[],
  counts: Readonly<Record<string, number>>,
): readonly [Readonly<Record<string, number>>, number] {
  const service = serviceOf(placement);
  const tasks = spread(service, counts);
  const moves = decideRebalance({ service, tasks, allTasks: tasks, nodes });
  const after: Record<string, number> = { ...counts };
  for (const { from, to } of moves) {
    after[from.id] = (after[from.id] ?? 0) - 1;
    after[to.id] = (after[to.id] ?? 0) + 1;
  }
  return [Object.fromEntries(Object.entries(after).filter(([, count]) => count > 0)), moves.length];
}

describe('with spread preferences', () => {
  const [A1, A2, A3] = ['a1', 'a2', 'a3'].map((id) => nodeIn(id, { zone: 'a' }));
  const [B1, B2] = ['b1', 'b2'].map((id) => nodeIn(id, { zone: 'b' }));
  if (A1 === undefined || A2 === undefined || A3 === undefined || B1 === undefined || B2 === undefined) {
    throw new Error('no nodes');
  }
  const TWO_ONE = [A1, A2, B1];

  test.each<[string, readonly NodeObject[], Record<string, number>, Record<string, number>, number]>([
    ['as the scheduler would have placed them: nothing', TWO_ONE, { a1: 2, a2: 1, b1: 3 }, { a1: 2, a2: 1, b1: 3 }, 0],
    ['even over nodes, not over zones', TWO_ONE, { a1: 2, a2: 2, b1: 2 }, { a1: 1, a2: 2, b1: 3 }, 1],
    ['all in one zone', TWO_ONE, { a1: 3, a2: 3 }, { a1: 1, a2: 2, b1: 3 }, 3],
    ['all on one node', TWO_ONE, { a1: 6 }, { a1: 2, a2: 1, b1: 3 }, 4],
    ['even over zones, not within one', [A1, A2, B1, B2], { a1: 2, b1: 1 }, { a1: 1, a2: 1, b1: 1 }, 1],
    ['an odd number, even within its bounds', [A1, A2, B1, B2], { a1: 1, a2: 1, b1: 1 }, { a1: 1, a2: 1, b1: 1 }, 0],
    ['ten, five on each side', [A1, A2, A3, B1, B2], { a1: 10 }, { a1: 2, a2: 2, a3: 1, b1: 3, b2: 2 }, 8],
  ])('%s', (_what, nodes, counts, after, moves) => {
    expect(rebalanced(SPREAD_ZONES, nodes, counts)).toEqual([after, moves]);
    expect(rebalanced(SPREAD_ZONES, nodes, after)).toEqual([after, 0]);
  });

  test('of two levels the wider one comes first', () => {
    const racks = [
      nodeIn('n1', { zone: 'a', rack: '1' }),
      nodeIn('n2', { zone: 'a', rack: '2' }),
      nodeIn('n3', { zone: 'b', rack: '1' }),
    ];
    const levels = ['node.labels.zone', 'node.labels.rack'].map((SpreadDescriptor) => ({
      Spread: { SpreadDescriptor },
    }));
    expect(rebalanced({ Preferences: levels }, racks, { n1: 5, n2: 1, n3: 2 })).toEqual([{ n1: 2, n2: 2, n3: 4 }, 3]);
  });

  test('the reason names the branches, or the nodes within one', () => {
    const service = serviceOf(SPREAD_ZONES);
    const reasons = (nodes: readonly NodeObject[], counts: Record<string, number>) => {
      const tasks = spread(service, counts);
      return decideRebalance({ service, tasks, allTasks: tasks, nodes }).map(({ reason }) => reason);
    };
    expect(reasons(TWO_ONE, { a1: 2, a2: 2, b1: 2 })).toEqual([
      'node.labels.zone=a has 4 tasks of the service, node.labels.zone=b has 2',
    ]);
    expect(reasons(TWO_ONE, { a1: 3, b1: 3 })).toEqual(['node a1 has 3 tasks of the service, node a2 has 0']);
  });

  test('constraints and limits of replicas narrow down where tasks can go', () => {
    const ssd = [
      nodeIn('a1', { zone: 'a', disk: 'ssd' }),
      nodeIn('a2', { zone: 'a' }),
      nodeIn('b1', { zone: 'b', disk: 'ssd' }),
    ];
    const constrained = { ...SPREAD_ZONES, Constraints: ['node.labels.disk==ssd'] };
    expect(rebalanced(constrained, ssd, { a1: 6 })).toEqual([{ a1: 3, b1: 3 }, 3]);
    expect(rebalanced({ ...SPREAD_ZONES, MaxReplicas: 4 }, TWO_ONE, { a1: 4, a2: 4 })).toEqual([
      { a1: 2, a2: 2, b1: 4 },
      4,
    ]);
    expect(rebalanced({ ...SPREAD_ZONES, MaxReplicas: 1 }, TWO_ONE, { a1: 1, a2: 1 })).toEqual([{ a2: 1, b1: 1 }, 1]);
  });
});

describe('a move that was asked for, and has no target any more', () => {
  let bench: RolloutBench;
  beforeEach(async () => {
    bench = await RolloutBench.start(['n1', 'n2']);
  });
  afterEach(() => bench.close());

  const availability = (id: string, Availability: 'active' | 'pause'): Promise<void> =>
    bench.setNode(id, { spec: { Labels: {}, Role: 'worker', Availability } });
  const rounds = async (many: number): Promise<void> => {
    for (let round = 0; round < many; round += 1) await bench.round(500);
  };
  const start = async (replicas: number, over: { UpdateConfig?: UpdateConfig; Resources?: object } = {}) => {
    const { UpdateConfig, Resources } = over;
    await availability('n2', 'pause');
    const TaskTemplate = { ContainerSpec: { Image: 'v1' }, ...(Resources === undefined ? {} : { Resources }) };
    await bench.create(
      {
        Name: 'web',
        Labels: {},
        TaskTemplate,
        Mode: { Replicated: { Replicas: replicas } },
        ...(UpdateConfig === undefined ? {} : { UpdateConfig }),
      },
      [ingressPort(8080, 80)],
    );
    await rounds(10);
    expect(bench.serving).toHaveLength(replicas);
    await availability('n2', 'active');
    return bench.serving.map(({ id }) => id).sort();
  };
  /** As the API writes it; the target is gone before anything was begun when `vanish` says so. */
  const ask = (vanish: boolean): Promise<number> =>
    bench.store.update((tx) => {
      const tasks = tx.tasksByService('web');
      const moves = decideRebalance({ service: bench.service, tasks, allTasks: tasks, nodes: tx.all('node') });
      for (const row of requestedMoves(tasks, moves, tx.now)) tx.put('task', row);
      const n2 = tx.get('node', 'n2');
      if (vanish && n2 !== undefined) tx.put('node', { ...n2, spec: { ...n2.spec, Availability: 'pause' } });
      return moves.length;
    });
  const untouched = (before: readonly string[]): void => {
    expect(bench.serving.map(({ id }) => id).sort()).toEqual(before);
    expect(bench.tasks.map(({ id }) => id).sort()).toEqual(before);
    expect(bench.tasks.filter(({ move }) => move !== undefined)).toEqual([]);
  };

  test.each<NonNullable<UpdateConfig['Order']>>(['start-first', 'stop-first'])(
    'before it began (%s) touches no task',
    async (Order) => {
      const before = await start(4, { UpdateConfig: { Parallelism: 1, Order } });
      expect(await ask(true)).toBe(2);
      await rounds(20);
      untouched(before);
    },
  );

  test('after its new task was placed there leaves the old task where it is', async () => {
    const before = await start(2);
    expect(await ask(false)).toBe(1);
    await bench.clock.advance(100);
    expect(bench.tasks.find(({ nodeId }) => nodeId === 'n2')).toBeDefined();
    await bench.setNode('n2', { status: { state: 'down', message: '', addr: '' } });
    await rounds(30);
    expect(bench.serving.map(({ id }) => id).sort()).toEqual(before);
    expect(bench.tasks.filter(({ move }) => move !== undefined)).toEqual([]);
    expect(bench.containers.filter(({ nodeId }) => nodeId === 'n1')).toHaveLength(2);
  });

  test('goes on while there is one, and the rest stays', async () => {
    const before = await start(6, { UpdateConfig: { Parallelism: 1, Delay: 0 } });
    expect(await ask(false)).toBe(3);
    for (let round = 0; round < 100 && bench.serving.filter(({ nodeId }) => nodeId === 'n2').length < 1; round += 1) {
      await bench.round(500);
    }
    await availability('n2', 'pause');
    await rounds(30);
    const kept = bench.serving.filter(({ id }) => before.includes(id));
    expect(kept.length).toBeGreaterThanOrEqual(4);
    expect(bench.serving).toHaveLength(6);
    expect(bench.serving.filter(({ move }) => move !== undefined)).toEqual([]);
    expect(bench.violations).toEqual([]);
  });
});
