import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap } from '../../manager/scheduler/heap.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { misfitOf } from '../../manager/scheduler/misfit.js';
import { refusalOf } from '../../manager/scheduler/filters.js';
import { type Requirement, requirementOf, resourcesOf } from '../../manager/scheduler/requirement.js';
import { NodePool } from '../../manager/scheduler/node-pool.js';
import { nodeValue } from '../../manager/scheduler/node-value.js';
import { placeGroup } from '../../manager/scheduler/place.js';
import { generalKey } from '../../manager/scheduler/rank.js';
import { runPass } from '../../manager/scheduler/scheduling-pass.js';
import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { firstOf, groupKey, groupTasks } from '../../manager/scheduler/task-groups.js';
import type { NodeObject, TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Draft, Store } from '../../manager/store/store-types.js';
import { createLogger } from '../../core/logger.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { draftTask, ingressPort } from '../support/stored-objects.js';
import { candidate, GIB, nodeOf, placeOn, requirement } from '../unit/manager/scheduler/scheduler-nodes.js';

interface ServiceShape {
  readonly count: number;
  readonly cpus: number;
  readonly memory: number;
  readonly hostPort: number | undefined;
  readonly gpus: number;
  readonly maxReplicas: number;
  readonly constraints: readonly string[];
  readonly spreads: readonly string[];
}

const nodeShape = fc.record({
  cpus: fc.integer({ min: 0, max: 8 }),
  memory: fc.integer({ min: 0, max: 16 }).map((gib) => gib * GIB),
  state: fc.constantFrom('ready' as const, 'ready' as const, 'down' as const),
  generics: fc.constantFrom([], ['gpu=3'], ['gpu=u1,gpu=u2']),
  labels: fc.record({ zone: fc.constantFrom('a', 'b', 'c'), rack: fc.constantFrom('1', '2') }, { requiredKeys: [] }),
});
const serviceShape: fc.Arbitrary<ServiceShape> = fc.record({
  count: fc.integer({ min: 0, max: 12 }),
  cpus: fc.constantFrom(0, 0.5, 2),
  memory: fc.constantFrom(0, GIB / 2, 3 * GIB),
  hostPort: fc.option(fc.constantFrom(80, 443), { nil: undefined }),
  gpus: fc.constantFrom(0, 0, 1, 2),
  maxReplicas: fc.constantFrom(0, 0, 1, 3),
  constraints: fc.constantFrom([], ['node.labels.zone != c'], ['node.labels.zone in (a, b)', 'node.labels.rack == 1']),
  spreads: fc.constantFrom([], ['node.labels.zone'], ['node.labels.zone', 'node.labels.rack']),
});
interface ClusterShape {
  readonly nodes: readonly {
    readonly cpus: number;
    readonly memory: number;
    readonly state: 'ready' | 'down';
    readonly generics: readonly string[];
    readonly labels: { readonly zone?: string; readonly rack?: string };
  }[];
  readonly services: readonly ServiceShape[];
  /** Tasks (by number) that end between the first pass and the second. */
  readonly endings: readonly number[];
}
const cluster: fc.Arbitrary<ClusterShape> = fc.record({
  nodes: fc.array(nodeShape, { maxLength: 6 }),
  services: fc.array(serviceShape, { maxLength: 5 }),
  endings: fc.array(fc.nat(60), { maxLength: 10 }),
});

const tasksOf = (services: readonly ServiceShape[]): readonly Draft<TaskObject>[] =>
  services.flatMap(({ count, cpus, memory, hostPort, ...more }, service) =>
    Array.from({ length: count }, (_, index) =>
      draftTask(`s${service}.${index}`, `s${service}`, {
        slot: index + 1,
        hostPorts: hostPort === undefined ? [] : [{ ...ingressPort(hostPort, 80), PublishMode: 'host' as const }],
        spec: {
          ContainerSpec: { Image: 'image' },
          Resources: {
            Reservations: {
              NanoCPUs: cpus * 1e9,
              MemoryBytes: memory,
              GenericResources: more.gpus === 0 ? [] : [{ DiscreteResourceSpec: { Kind: 'gpu', Value: more.gpus } }],
            },
          },
          Placement: {
            Constraints: [...more.constraints],
            MaxReplicas: more.maxReplicas,
            Preferences: more.spreads.map((SpreadDescriptor) => ({ Spread: { SpreadDescriptor } })),
          },
        },
      }),
    ),
  );

async function withStore(body: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore({ journal: memoryJournal(), clock: new FakeClock(), logger: createLogger('silent') });
  try {
    await body(store);
  } finally {
    await store.close();
  }
}

/** Two passes with endings between them; a small budget, so that groups are cut in pieces. */
async function schedule(store: Store, { nodes, services, endings }: ClusterShape): Promise<void> {
  const ledger = new Ledger();
  const pass = async (): Promise<void> => {
    let keys: ReadonlySet<string> = new Set(store.view.unassignedTasks().map(groupKey));
    while (keys.size > 0) {
      const knowledge = {
        ledger,
        failures: new FailureWindow(),
        suspects: new Set<string>(),
        allowed: new Set<never>(),
      };
      const todo = keys;
      const report = await store.update((tx) => runPass(tx, todo, knowledge, 7));
      keys = new Set(report.unfinished);
    }
  };
  await store.update((tx) => {
    nodes.forEach((shape, index) => tx.put('node', nodeOf(`n${index}`, { ...shape, labels: { ...shape.labels } })));
    for (const task of tasksOf(services)) tx.put('task', task);
  });
  await pass();
  await store.update((tx) => {
    for (const pick of endings) {
      const task = tx.all('task')[pick];
      if (task?.nodeId !== undefined) tx.put('task', { ...task, status: { ...task.status, State: 'complete' } });
    }
  });
  for (const task of store.view.all('task')) ledger.set(task.id, task);
  await pass();
}

/** Things with and without names that a task was given. */
const genericCount = ({ genericResources = [] }: TaskObject): number =>
  genericResources.reduce((sum, { DiscreteResourceSpec: discrete }) => sum + (discrete?.Value ?? 1), 0);

const holding = (store: Store, nodeId: string): readonly TaskObject[] =>
  store.view.tasksByNode(nodeId).filter((task) => task.status.State !== 'complete');

describe('on a random cluster', () => {
  test('no node gives away more than it has, no host port twice, nothing goes to a node that is down', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, (shape) =>
        withStore(async (store) => {
          await schedule(store, shape);
          for (const node of store.view.all('node')) {
            const tasks = holding(store, node.id);
            if (node.status.state === 'down') expect(tasks).toEqual([]);
            const sum = (field: 'NanoCPUs' | 'MemoryBytes'): number =>
              tasks.reduce((total, task) => total + (task.spec.Resources?.Reservations?.[field] ?? 0), 0);
            expect(sum('NanoCPUs')).toBeLessThanOrEqual(node.description?.Resources.NanoCPUs ?? 0);
            expect(sum('MemoryBytes')).toBeLessThanOrEqual(node.description?.Resources.MemoryBytes ?? 0);
            const ports = tasks.flatMap((task) => task.hostPorts.map((port) => port.PublishedPort));
            expect(new Set(ports).size).toBe(ports.length);
            const given = tasks.flatMap((task) => task.genericResources ?? []);
            const names = given.flatMap(({ NamedResourceSpec: named }) => named?.Value ?? []);
            expect(new Set(names).size).toBe(names.length);
            expect(given.reduce((all, one) => all + (one.DiscreteResourceSpec?.Value ?? 0), 0)).toBeLessThanOrEqual(3);
            for (const task of tasks) {
              const { MaxReplicas: most = 0, Constraints = [] } = task.spec.Placement ?? {};
              const replicas = tasks.filter((other) => other.serviceId === task.serviceId).length;
              if (most > 0) expect(replicas).toBeLessThanOrEqual(most);
              expect(misfitOf(task.spec, node)).toBeUndefined();
              if (Constraints.length > 0) expect(node.spec.Labels.zone).not.toBe('c');
              const gpus = task.spec.Resources?.Reservations?.GenericResources?.[0]?.DiscreteResourceSpec?.Value ?? 0;
              expect(genericCount(task)).toBe(gpus);
            }
          }
        }),
      ),
      { numRuns: 150 },
    );
  });

  test('a task waits only when no node could take it, and says why', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, (shape) =>
        withStore(async (store) => {
          await schedule(store, shape);
          for (const task of store.view.unassignedTasks()) {
            expect(task.status).toMatchObject({ State: 'pending' });
            expect(task.status.Err).toMatch(/^no suitable node \(.+\)$/);
            const fitting = store.view.all('node').filter((node) => {
              const booked = new Ledger();
              for (const other of store.view.tasksByNode(node.id)) booked.set(other.id, other);
              const account = booked.account(node.id);
              const state = { node, account, suspect: false, serviceTasks: account.tasksOf(task.serviceId) };
              return refusalOf(requirementOf(task), state) === undefined;
            });
            expect(fitting.map((node) => node.id)).toEqual([]);
          }
        }),
      ),
      { numRuns: 150 },
    );
  });

  test('the same state gives the same choice', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, async (shape) => {
        const homes: string[] = [];
        for (let time = 0; time < 2; time += 1) {
          await withStore(async (store) => {
            await schedule(store, shape);
            homes.push(JSON.stringify(store.view.all('task').map((task) => [task.id, task.nodeId])));
          });
        }
        expect(homes[0]).toBe(homes[1]);
      }),
      { numRuns: 50 },
    );
  });
});

test('on equal nodes no node has more than one task of a service beyond another', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 100 }), (nodes, tasks) => {
      const candidates = Array.from({ length: nodes }, (_, index) => candidate(nodeOf(`n${index}`)));
      const taskIds = Array.from({ length: tasks }, (_, index) => `t${index}`);
      const { placements } = placeOn(candidates, { serviceId: 'web', requirement: requirement(), taskIds });
      const counts = candidates.map(({ node }) => placements.filter(({ nodeId }) => nodeId === node.id).length);
      expect(counts.reduce((a, b) => a + b)).toBe(tasks);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

/** What the scheduler shall choose, looked for the slow way: every node, for every task. */
function chooseSlowly(nodes: readonly NodeObject[], ledger: Ledger, task: TaskObject): string | undefined {
  const needs = requirementOf(task);
  const countUnder = (values: readonly string[]): number =>
    nodes
      .filter((node) => values.every((value, level) => valueAt(node, needs, level) === value))
      .reduce((sum, node) => sum + ledger.account(node.id).tasksOf(task.serviceId), 0);
  const rankOf = (node: NodeObject): readonly number[] => {
    const account = ledger.account(node.id);
    const serviceTasks = account.tasksOf(task.serviceId);
    const total = resourcesOf(node.description?.Resources);
    return [serviceTasks, generalKey(total, account.reserved, account.tasks, nodes.indexOf(node))];
  };
  let open = nodes.filter((node) => {
    const account = ledger.account(node.id);
    const state = { node, account, suspect: false, serviceTasks: account.tasksOf(task.serviceId) };
    return refusalOf(needs, state) === undefined;
  });
  const values: string[] = [];
  for (const level of needs.spreads.keys()) {
    const branches = [...new Set(open.map((node) => valueAt(node, needs, level)))];
    const fewest = Math.min(...branches.map((value) => countUnder([...values, value])));
    const tied = open.filter((node) => countUnder([...values, valueAt(node, needs, level)]) === fewest);
    // Of equal branches the one whose own choice, further down, is best: found by looking in each.
    const heads = [...new Set(tied.map((node) => valueAt(node, needs, level)))].map((value) => ({
      value,
      head: headOf(
        tied.filter((node) => valueAt(node, needs, level) === value),
        [...values, value],
        level + 1,
      ),
    }));
    const chosen = heads.sort((a, b) => compareLists(rankOf(a.head), rankOf(b.head)))[0];
    if (chosen === undefined) return undefined;
    values.push(chosen.value);
    open = tied.filter((node) => valueAt(node, needs, level) === chosen.value);
  }
  return [...open].sort((a, b) => compareLists(rankOf(a), rankOf(b)))[0]?.id;

  function headOf(within: readonly NodeObject[], above: readonly string[], level: number): NodeObject {
    const byRank = (some: readonly NodeObject[]): NodeObject => {
      const [first] = [...some].sort((a, b) => compareLists(rankOf(a), rankOf(b)));
      if (first === undefined) throw new Error('a branch without nodes');
      return first;
    };
    if (level >= needs.spreads.length) return byRank(within);
    const branches = [...new Set(within.map((node) => valueAt(node, needs, level)))];
    const fewest = Math.min(...branches.map((value) => countUnder([...above, value])));
    const tied = branches.filter((value) => countUnder([...above, value]) === fewest);
    return byRank(
      tied.map((value) =>
        headOf(
          within.filter((node) => valueAt(node, needs, level) === value),
          [...above, value],
          level + 1,
        ),
      ),
    );
  }
}

const valueAt = (node: NodeObject, { spreads }: Requirement, level: number): string => {
  const spread = spreads[level];
  return spread === undefined ? '' : nodeValue(node, spread);
};

const compareLists = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((order, value, index) => order || value - (b[index] ?? 0), 0);

test('each task goes where a look at every node for every task would put it', () => {
  fc.assert(
    fc.property(cluster, ({ nodes: shapes, services }) => {
      const nodes = shapes.map((shape, index) => nodeOf(`n${index}`, { ...shape, labels: { ...shape.labels } }));
      const slow = new Ledger();
      const fast = new Ledger();
      const pool = new NodePool(nodes, fast, new Set());
      const all = tasksOf(services).map((draft): TaskObject => ({ ...draft, version: 1, createdAt: 0, updatedAt: 0 }));
      for (const group of groupTasks(all, new Set(all.map(groupKey)))) {
        const taskIds = firstOf(group.tasks, 5);
        const placed = new Map(
          placeGroup({ ...group, taskIds }, pool, () => 0).placements.map((one) => [one.taskId, one]),
        );
        for (const id of taskIds) {
          const task = all.find((one) => one.id === id);
          if (task === undefined) throw new Error(`no task ${id}`);
          const nodeId = chooseSlowly(nodes, slow, task);
          const placement = placed.get(id);
          expect(placement?.nodeId).toBe(nodeId);
          if (nodeId === undefined || placement === undefined) continue;
          const given = placement.generics === undefined ? {} : { genericResources: placement.generics };
          slow.set(id, { ...task, nodeId, ...given });
          fast.set(id, { ...task, nodeId, ...given });
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('each level of a spread is within one of even where there is room', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  fc.assert(
    fc.property(fc.array(fc.tuple(label, label), { minLength: 1, maxLength: 12 }), fc.nat(60), (labels, count) => {
      const candidates = labels.map(([zone, rack], index) =>
        candidate(nodeOf(`n${index}`, { labels: { zone, rack } })),
      );
      const spreads = [
        { kind: 'node-label', label: 'zone' },
        { kind: 'node-label', label: 'rack' },
      ] as const;
      const taskIds = Array.from({ length: count }, (_, index) => `t${index}`);
      const { placements } = placeOn(candidates, { serviceId: 'web', requirement: requirement({ spreads }), taskIds });
      expect(placements).toHaveLength(count);
      const numbers = (keys: readonly string[]): readonly number[] =>
        [...new Set(keys)].map(
          (key) => placements.filter(({ nodeId }) => keys[Number(nodeId.slice(1))] === key).length,
        );
      const isEven = (some: readonly number[]): boolean => Math.max(...some) - Math.min(...some) <= 1;
      expect(isEven(numbers(labels.map(([zone]) => zone)))).toBe(true);
      for (const zone of new Set(labels.map(([own]) => own))) {
        const inZone = labels.flatMap(([own, rack], index) => (own === zone ? [{ rack, id: `n${index}` }] : []));
        const perRack = [...new Set(inZone.map(({ rack }) => rack))].map(
          (rack) =>
            placements.filter(({ nodeId }) => inZone.some((node) => node.rack === rack && node.id === nodeId)).length,
        );
        expect(isEven(perRack)).toBe(true);
      }
    }),
  );
});

test('a heap gives its items in order, also while its first is lowered', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50))), (pairs) => {
      const items = pairs.map(([value, more]) => ({ value, more }));
      const heap = new Heap(items, (a, b) => a.value - b.value);
      const out: number[] = [];
      for (let first = heap.first; first !== undefined; first = heap.first) {
        expect(first.value).toBe(Math.min(...items.filter((item) => item.more >= 0).map((item) => item.value)));
        if (first.more > 0) {
          first.value += first.more;
          first.more = 0;
          heap.lowerFirst();
        } else {
          first.more = -1;
          out.push(first.value);
          heap.removeFirst();
        }
      }
      expect(out).toEqual([...out].sort((a, b) => a - b));
      expect(out.length).toBe(pairs.length);
    }),
  );
});
