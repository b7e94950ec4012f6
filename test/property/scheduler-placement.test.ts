import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap } from '../../manager/scheduler/heap.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { placeGroup } from '../../manager/scheduler/place.js';
import { runPass } from '../../manager/scheduler/scheduling-pass.js';
import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { groupKey } from '../../manager/scheduler/task-groups.js';
import type { TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Draft, Store } from '../../manager/store/store-types.js';
import { createLogger } from '../../core/logger.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { draftTask, ingressPort } from '../support/stored-objects.js';
import { candidate, GIB, nodeOf, requirement } from '../unit/manager/scheduler/scheduler-nodes.js';

interface ServiceShape {
  readonly count: number;
  readonly cpus: number;
  readonly memory: number;
  readonly hostPort: number | undefined;
}

const nodeShape = fc.record({
  cpus: fc.integer({ min: 0, max: 8 }),
  memory: fc.integer({ min: 0, max: 16 }).map((gib) => gib * GIB),
  state: fc.constantFrom('ready' as const, 'ready' as const, 'down' as const),
});
const serviceShape: fc.Arbitrary<ServiceShape> = fc.record({
  count: fc.integer({ min: 0, max: 12 }),
  cpus: fc.constantFrom(0, 0.5, 2),
  memory: fc.constantFrom(0, GIB / 2, 3 * GIB),
  hostPort: fc.option(fc.constantFrom(80, 443), { nil: undefined }),
});
interface ClusterShape {
  readonly nodes: readonly { readonly cpus: number; readonly memory: number; readonly state: 'ready' | 'down' }[];
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
  services.flatMap(({ count, cpus, memory, hostPort }, service) =>
    Array.from({ length: count }, (_, index) =>
      draftTask(`s${service}.${index}`, `s${service}`, {
        slot: index + 1,
        hostPorts: hostPort === undefined ? [] : [{ ...ingressPort(hostPort, 80), PublishMode: 'host' as const }],
        spec: {
          ContainerSpec: { Image: 'image' },
          Resources: { Reservations: { NanoCPUs: cpus * 1e9, MemoryBytes: memory } },
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
      const knowledge = { ledger, failures: new FailureWindow(), suspects: new Set<string>() };
      const todo = keys;
      const report = await store.update((tx) => runPass(tx, todo, knowledge, 7));
      keys = new Set(report.unfinished);
    }
  };
  await store.update((tx) => {
    nodes.forEach((shape, index) => tx.put('node', nodeOf(`n${index}`, shape)));
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
            const { NanoCPUs = 0, MemoryBytes = 0 } = task.spec.Resources?.Reservations ?? {};
            const fitting = store.view.all('node').filter((node) => {
              const tasks = holding(store, node.id);
              const free = (field: 'NanoCPUs' | 'MemoryBytes'): number =>
                (node.description?.Resources[field] ?? 0) -
                tasks.reduce((total, other) => total + (other.spec.Resources?.Reservations?.[field] ?? 0), 0);
              const ports = new Set(tasks.flatMap((other) => other.hostPorts.map((port) => port.PublishedPort)));
              return (
                node.status.state === 'ready' &&
                (NanoCPUs + MemoryBytes === 0 ||
                  (free('NanoCPUs') >= NanoCPUs && free('MemoryBytes') >= MemoryBytes)) &&
                !task.hostPorts.some((port) => ports.has(port.PublishedPort))
              );
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
      const { placements } = placeGroup({ serviceId: 'web', requirement: requirement(), taskIds }, candidates);
      const counts = candidates.map(({ node }) => placements.filter(({ nodeId }) => nodeId === node.id).length);
      expect(counts.reduce((a, b) => a + b)).toBe(tasks);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
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
