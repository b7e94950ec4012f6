import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import { startOrchestrator } from '../../manager/orchestrator/orchestrator.js';
import { startReaper } from '../../manager/orchestrator/reaper-loop.js';
import { decideService } from '../../manager/orchestrator/decide-service.js';
import { startScheduler } from '../../manager/scheduler/scheduler-loop.js';
import { openStore } from '../../manager/store/store.js';
import type { Store } from '../../manager/store/store-types.js';
import { isDesiredAlive, isTerminal, type TaskState } from '../../proto/engine/task-state.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { draftService } from '../support/stored-objects.js';
import { GIB, nodeOf } from '../unit/manager/scheduler/scheduler-nodes.js';

const logger = createLogger('silent');
const NODES = ['n1', 'n2', 'n3'];
const SERVICES = ['web', 'db'];
const NEXT: Partial<Record<TaskState, TaskState>> = {
  assigned: 'preparing',
  preparing: 'ready',
  ready: 'starting',
  starting: 'running',
};

type Event =
  | { readonly kind: 'scale'; readonly service: string; readonly replicas: number }
  | { readonly kind: 'delete'; readonly service: string }
  | { readonly kind: 'node'; readonly node: string; readonly state: 'ready' | 'down' | 'disconnected' | 'gone' }
  | { readonly kind: 'suspect'; readonly node: string }
  | { readonly kind: 'end'; readonly pick: number; readonly state: 'failed' | 'rejected' | 'complete' }
  | { readonly kind: 'agents' }
  | { readonly kind: 'manager' }
  | { readonly kind: 'time'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant({ kind: 'agents' as const }),
  fc.record({
    kind: fc.constant('scale' as const),
    service: fc.constantFrom(...SERVICES),
    replicas: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), service: fc.constantFrom(...SERVICES) }),
  fc.record({
    kind: fc.constant('node' as const),
    node: fc.constantFrom(...NODES),
    state: fc.constantFrom('ready', 'down', 'disconnected', 'gone'),
  }),
  fc.record({ kind: fc.constant('suspect' as const), node: fc.constantFrom(...NODES) }),
  fc.record({
    kind: fc.constant('end' as const),
    pick: fc.nat(30),
    state: fc.constantFrom('failed', 'rejected', 'complete'),
  }),
  fc.constant({ kind: 'agents' as const }),
  fc.constant({ kind: 'manager' as const }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 1, max: 4_000 }) }),
);

/** The real loops over a real store, with agents that do as they are told when their turn comes. */
class Cluster {
  readonly suspects = new Set<string>();
  #loops: { close(): Promise<void> }[] = [];

  constructor(
    readonly store: Store,
    readonly clock: FakeClock,
  ) {}

  startManager(): void {
    const { store, clock, suspects } = this;
    this.#loops = [
      startOrchestrator({ store, clock, logger }),
      startReaper({ store, clock, logger }),
      startScheduler({ store, clock, logger, avoid: () => suspects, allowed: new Set() }),
    ];
  }

  async stopManager(): Promise<void> {
    for (const loop of this.#loops) await loop.close();
  }

  /** Each agent of a ready node moves each of its tasks by one state, each in a transaction of its own. */
  async stepAgents(): Promise<void> {
    await Promise.all(
      this.store.view.all('task').map((known) =>
        this.store.update((tx) => {
          const task = tx.get('task', known.id);
          if (task?.nodeId === undefined || isTerminal(task.status.State)) return;
          if (tx.get('node', task.nodeId)?.status.state !== 'ready') return;
          const stop = !isDesiredAlive(task.desiredState);
          if (task.desiredState === 'ready' && task.status.State === 'ready') return;
          const State = stop ? 'shutdown' : (NEXT[task.status.State] ?? task.status.State);
          tx.put('task', { ...task, status: { ...task.status, State } });
        }),
      ),
    );
  }

  async apply(event: Event): Promise<void> {
    const { store } = this;
    switch (event.kind) {
      case 'scale':
        return store.update((tx) => {
          const current = tx.get('service', event.service);
          const next = draftService(event.service, { replicas: event.replicas });
          const TaskTemplate = current?.spec.TaskTemplate ?? next.spec.TaskTemplate;
          tx.put('service', { ...next, spec: { ...next.spec, TaskTemplate } });
        });
      case 'delete':
        return store.update((tx) => {
          tx.delete('service', event.service);
        });
      case 'node':
        return store.update((tx) => {
          if (event.state === 'gone') tx.delete('node', event.node);
          else tx.put('node', nodeOf(event.node, { state: event.state, memory: 8 * GIB }));
        });
      case 'suspect':
        if (!this.suspects.delete(event.node)) this.suspects.add(event.node);
        return;
      case 'end':
        return store.update((tx) => {
          const task = tx.all('task')[event.pick];
          if (task?.nodeId === undefined || isTerminal(task.status.State)) return;
          tx.put('task', { ...task, status: { ...task.status, State: event.state } });
        });
      case 'agents':
        return this.stepAgents();
      case 'manager':
        await this.stopManager();
        this.startManager();
        return;
      case 'time':
        return this.clock.advance(event.ms);
    }
  }
}

test('the loops miss nothing: after any order of events all that shall run runs, and all else is gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(event, fc.boolean()), { maxLength: 40 }), async (events) => {
      const clock = new FakeClock();
      const store = await openStore({ journal: memoryJournal(), clock, logger });
      const cluster = new Cluster(store, clock);
      cluster.startManager();
      try {
        for (const node of NODES) await cluster.apply({ kind: 'node', node, state: 'ready' });
        await cluster.apply({ kind: 'scale', service: 'web', replicas: 3 });
        for (let state = 0; state < 5; state += 1) {
          await clock.advance(0);
          await cluster.stepAgents();
        }
        for (const [next, settled] of events) {
          await cluster.apply(next);
          if (settled) await clock.advance(0);
        }
        cluster.suspects.clear();
        for (const node of NODES) {
          const state = store.view.get('node', node)?.status.state;
          if (state === 'disconnected' || node === 'n1') await cluster.apply({ kind: 'node', node, state: 'ready' });
        }
        for (let round = 0; round < 30; round += 1) {
          await clock.advance(3_000);
          await cluster.stepAgents();
        }
        await cluster.clock.advance(1_000);
        for (const id of SERVICES) {
          const service = store.view.get('service', id);
          const tasks = store.view.tasksByService(id);
          const nodeOfTask = (nodeId: string) => store.view.get('node', nodeId);
          const idle = decideService({
            service,
            tasks,
            nodeOf: nodeOfTask,
            movingOff: () => 0,
            nodes: store.view.all('node'),
            now: cluster.clock.now(),
            batch: 1_000,
          });
          expect(idle).toEqual({ actions: [], more: false });
          const isUp = (nodeId = ''): boolean => store.view.get('node', nodeId)?.status.state === 'ready';
          const running = tasks.filter(
            (task) => task.status.State === 'running' && task.desiredState === 'running' && isUp(task.nodeId),
          );
          expect(running.length).toBe(service?.spec.Mode.Replicated?.Replicas ?? 0);
          const isDown = (nodeId = ''): boolean => store.view.get('node', nodeId)?.status.state === 'down';
          expect(tasks.filter((task) => task.desiredState === 'remove' && !isDown(task.nodeId))).toEqual([]);
          expect(tasks.length).toBeLessThanOrEqual(6 * 5 + tasks.filter((task) => isDown(task.nodeId)).length);
        }
        expect(store.view.unassignedTasks()).toEqual([]);
      } finally {
        await cluster.stopManager();
        await store.close();
      }
    }),
    { numRuns: 200 },
  );
});
