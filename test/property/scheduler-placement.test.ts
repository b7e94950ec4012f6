import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import { Backlog } from '../../manager/scheduler/backlog.js';
import { FailureWindow } from '../../manager/scheduler/failure-window.js';
import { refusalOf } from '../../manager/scheduler/filters.js';
import { Heap } from '../../manager/scheduler/heap.js';
import { KeptPool } from '../../manager/scheduler/kept-pool.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { misfitOf } from '../../manager/scheduler/misfit.js';
import { requirementOf } from '../../manager/scheduler/requirement.js';
import { runPass } from '../../manager/scheduler/scheduling-pass.js';
import type { TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Store } from '../../manager/store/store-types.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { cluster, type ClusterShape, tasksOf } from '../support/scheduler-shapes.js';
import { storedTask } from '../support/stored-objects.js';
import { candidate, nodeOf, placeOn, requirement } from '../unit/manager/scheduler/scheduler-nodes.js';

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
  const backlog = new Backlog();
  const pool = new KeptPool();
  store.watch(({ changes }) => {
    for (const { table, id, after } of changes) if (table === 'task') backlog.set(id, after);
  });
  const pass = async (): Promise<void> => {
    let keys: ReadonlySet<string> = new Set(backlog.keys());
    while (keys.size > 0) {
      const unknown = { failures: new FailureWindow(), suspects: new Set<string>(), allowed: new Set<never>() };
      const knowledge = { backlog, ledger, pool, ...unknown };
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
              if (task.pinnedTo !== undefined) expect(task.pinnedTo).toBe(node.id);
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
            expect(task.status.Err).toMatch(/^no suitable node \(.+\)$|^its node was removed/);
            const fitting = store.view.all('node').filter((node) => {
              if (task.pinnedTo !== undefined && task.pinnedTo !== node.id) return false;
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

test('whatever was there before and fills up, each level gives the next task to a branch with fewest of those with room', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const site = fc.record({ zone: label, rack: label, before: fc.nat(4) });
  fc.assert(
    fc.property(
      fc.array(site, { minLength: 1, maxLength: 10 }),
      fc.nat(40),
      fc.integer({ min: 1, max: 4 }),
      (sites, count, most) => {
        const ledger = new Ledger();
        const here = sites.map(({ before }) => Math.min(before, most));
        const nodes = sites.map(({ zone, rack }, index) => nodeOf(`n${index}`, { labels: { zone, rack } }));
        for (const [index, before] of here.entries())
          for (let task = 0; task < before; task += 1)
            ledger.set(`old${index}.${task}`, storedTask(`old${index}.${task}`, 'web', { nodeId: `n${index}` }));
        const spreads = ['zone', 'rack'].map((name) => ({ kind: 'node-label', label: name }) as const);
        const taskIds = Array.from({ length: count }, (_, index) => `t${index}`);
        const { placements } = placeOn(
          nodes.map((node) => candidate(node, ledger)),
          { serviceId: 'web', requirement: requirement({ spreads, maxReplicas: most }), taskIds },
        );
        const room = here.reduce((sum, before) => sum + most - before, 0);
        expect(placements).toHaveLength(Math.min(count, room));
        for (const { nodeId } of placements) {
          const chosen = Number(nodeId.slice(1));
          const { zone, rack } = sites[chosen] ?? { zone: '', rack: '' };
          const inZone = sites.flatMap((own, index) => (own.zone === zone ? index : []));
          const all = sites.map((_, index) => index);
          expect(fewest(all, (index) => sites[index]?.zone ?? '')).toContain(zone);
          expect(fewest(inZone, (index) => sites[index]?.rack ?? '')).toContain(rack);
          here[chosen] = (here[chosen] ?? 0) + 1;
        }

        /** The values with fewest tasks, of those with a node that takes one more. */
        function fewest(among: readonly number[], valueOf: (index: number) => string): readonly string[] {
          const values = [...new Set(among.filter((index) => (here[index] ?? 0) < most).map(valueOf))];
          const tasksIn = (value: string): number =>
            among.reduce((sum, index) => (valueOf(index) === value ? sum + (here[index] ?? 0) : sum), 0);
          const least = Math.min(...values.map(tasksIn));
          return values.filter((value) => tasksIn(value) === least);
        }
      },
    ),
    { numRuns: 300 },
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
