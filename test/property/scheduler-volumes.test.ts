import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import { refusalOf } from '../../manager/scheduler/filters.js';
import { Ledger } from '../../manager/scheduler/ledger.js';
import { requirementOf } from '../../manager/scheduler/requirement.js';
import { startScheduler } from '../../manager/scheduler/scheduler-loop.js';
import { volumeHome } from '../../manager/scheduler/volume-home.js';
import type { TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Store } from '../../manager/store/store-types.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { draftTask } from '../support/stored-objects.js';
import { GIB, nodeOf } from '../unit/manager/scheduler/scheduler-nodes.js';

const CONTAINER = { ContainerID: 'c', PID: 1, ExitCode: 0 };

const shape = fc.record({
  nodes: fc.array(
    fc.record({
      memory: fc.integer({ min: 1, max: 4 }),
      state: fc.constantFrom('ready' as const, 'ready' as const, 'down' as const),
      availability: fc.constantFrom('active' as const, 'active' as const, 'drain' as const, 'pause' as const),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  /** The earlier tasks of each slot, the oldest first: where each was (beyond the nodes: one that is gone), and how it ended. */
  slots: fc.array(
    fc.array(
      fc.record({
        node: fc.nat(5),
        state: fc.constantFrom('failed' as const, 'rejected' as const, 'shutdown' as const),
        ran: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    { minLength: 1, maxLength: 6 },
  ),
});
type Shape = typeof shape extends fc.Arbitrary<infer Value> ? Value : never;

const spec: TaskObject['spec'] = {
  ContainerSpec: { Image: 'image', Mounts: [{ Type: 'volume', Source: 'data', Target: '/data' }] },
  Resources: { Reservations: { MemoryBytes: GIB } },
};

async function scheduled<T>({ nodes, slots }: Shape, look: (store: Store) => T): Promise<T> {
  const clock = new FakeClock();
  const logger = createLogger('silent');
  const store = await openStore({ journal: memoryJournal(), clock, logger });
  await store.update((tx) => {
    nodes.forEach(({ memory, ...rest }, index) => {
      tx.put('node', nodeOf(`n${index}`, { ...rest, memory: memory * GIB }));
    });
  });
  for (const [slot, past] of slots.entries()) {
    for (const [index, { node, state, ran }] of past.entries()) {
      const status = { Timestamp: '', State: state, Message: '', ...(ran ? { ContainerStatus: CONTAINER } : {}) };
      const row = { slot, nodeId: `n${node}`, spec, desiredState: 'shutdown' as const, status };
      await store.update((tx) => {
        tx.put('task', draftTask(`old${slot}.${index}`, 'web', row));
      });
    }
  }
  await store.update((tx) => {
    const status = { Timestamp: '', State: 'new' as const, Message: '' };
    for (const slot of slots.keys()) tx.put('task', draftTask(`t${slot}`, 'web', { slot, spec, status }));
  });
  const scheduler = startScheduler({ store, clock, logger, avoid: () => new Set(), allowed: new Set() });
  try {
    for (let turn = 0; turn < 3; turn += 1) await clock.advance(0);
    return look(store);
  } finally {
    await scheduler.close();
    await store.close();
  }
}

const newTasks = ({ slots }: Shape, store: Store): readonly TaskObject[] =>
  [...slots.keys()].flatMap((slot) => store.view.get('task', `t${slot}`) ?? []);

test('a task is on the node with its volume unless that refuses it, and is warned exactly then', async () => {
  await fc.assert(
    fc.asyncProperty(shape, (cluster) =>
      scheduled(cluster, ({ view }) => {
        const ledger = new Ledger();
        for (const task of view.all('task')) ledger.set(task.id, task);
        for (const slot of cluster.slots.keys()) {
          const task = view.get('task', `t${slot}`);
          if (task?.nodeId === undefined) continue;
          const home = volumeHome(task, view.tasksBySlot('web', slot));
          if (home === undefined || task.nodeId === home.nodeId) {
            expect(task.volumesLeft).toBeUndefined();
            continue;
          }
          expect(task.volumesLeft).toMatchObject(home);
          expect(task.volumesLeft?.warning).toContain(`volume data of web.${slot} (data) is on `);
          const node = view.get('node', home.nodeId);
          if (node === undefined) continue;
          const account = ledger.account(node.id);
          const state = { node, account, suspect: false, serviceTasks: account.tasksOf('web') };
          expect(refusalOf(requirementOf(task), state)).toBeDefined();
        }
        for (const node of view.all('node')) {
          const used = view.tasksByNode(node.id).filter(({ desiredState }) => desiredState === 'running').length * GIB;
          expect(used).toBeLessThanOrEqual(node.description?.Resources.MemoryBytes ?? 0);
        }
      }),
    ),
    { numRuns: 150 },
  );
});

test('the same state always gives the same choice', async () => {
  await fc.assert(
    fc.asyncProperty(shape, async (cluster) => {
      const choice = (store: Store): unknown =>
        newTasks(cluster, store).map(({ nodeId, volumesLeft }) => [nodeId, volumesLeft]);
      expect(await scheduled(cluster, choice)).toEqual(await scheduled(cluster, choice));
    }),
    { numRuns: 50 },
  );
});
