import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import type { TaskObject } from '../../manager/store/objects.js';
import { openStore } from '../../manager/store/store.js';
import type { Commit, Draft, Store, Transaction, View } from '../../manager/store/store-types.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal, MemoryDisk } from '../support/memory-journal.js';
import { draftTask } from '../support/stored-objects.js';

/** One write of a transaction. `kind` says what it does to the task `id`. */
type Step =
  | { readonly kind: 'put'; readonly id: string; readonly fields: Partial<Draft<TaskObject>> & { serviceId: string } }
  | { readonly kind: 'status'; readonly id: string }
  | { readonly kind: 'same'; readonly id: string }
  | { readonly kind: 'delete'; readonly id: string };

interface Body {
  readonly steps: readonly Step[];
  readonly throws: boolean;
  /** Whether the next body is started before this one is durable. */
  readonly grouped: boolean;
}

const IDS = ['t1', 't2', 't3', 't4', 't5'];
const SERVICES = ['s1', 's2'];
const NODES = ['n1', 'n2'];

const id = fc.constantFrom(...IDS);
const fields = fc
  .record({
    serviceId: fc.constantFrom(...SERVICES),
    slot: fc.integer({ min: 1, max: 2 }),
    nodeId: fc.option(fc.constantFrom(...NODES), { nil: undefined }),
    desiredState: fc.constantFrom('ready' as const, 'running' as const, 'shutdown' as const),
    failed: fc.boolean(),
  })
  .map(({ nodeId, failed, ...rest }) => ({
    ...rest,
    ...(nodeId === undefined ? {} : { nodeId }),
    status: { Timestamp: '', State: failed ? ('failed' as const) : ('pending' as const), Message: '' },
  }));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), id, fields }),
  fc.record({ kind: fc.constantFrom('status' as const, 'same' as const, 'delete' as const), id }),
);
const body: fc.Arbitrary<Body> = fc.record({
  steps: fc.array(step, { maxLength: 6 }),
  throws: fc.boolean(),
  grouped: fc.boolean(),
});

/** The plainest store: a map, copied before each body so that a throw can put it back. */
type Model = Map<string, Draft<TaskObject> & { version: number }>;

function applyToModel(model: Model, step: Step, version: number): void {
  const before = model.get(step.id);
  switch (step.kind) {
    case 'put':
      model.set(step.id, { ...draftTask(step.id, step.fields.serviceId, step.fields), version });
      return;
    case 'status':
      if (before) model.set(step.id, { ...before, status: { ...before.status, Message: `at ${version}` } });
      return;
    case 'same':
      return;
    case 'delete':
      model.delete(step.id);
      return;
  }
}

function applyToStore(tx: Transaction, step: Step): void {
  const before = tx.get('task', step.id);
  switch (step.kind) {
    case 'put':
      tx.put('task', draftTask(step.id, step.fields.serviceId, step.fields));
      return;
    case 'status':
      if (before) tx.put('task', { ...before, status: { ...before.status, Message: `at ${tx.index}` } });
      return;
    case 'same':
      if (before) tx.put('task', before);
      return;
    case 'delete':
      tx.delete('task', step.id);
      return;
  }
}

/** Every read of `view` agrees with the model. */
function expectSame(view: View, model: Model): void {
  const rows = [...model.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const idsOf = (tasks: readonly { readonly id: string }[]): readonly string[] => tasks.map((task) => task.id);
  expect(view.all('task')).toMatchObject(rows);
  expect(view.count('task')).toBe(rows.length);
  expect(idsOf(view.unassignedTasks())).toEqual(
    idsOf(
      rows.filter(
        (task) => task.nodeId === undefined && isDesiredAlive(task.desiredState) && !isTerminal(task.status.State),
      ),
    ),
  );
  for (const node of NODES) {
    expect(idsOf(view.tasksByNode(node))).toEqual(idsOf(rows.filter((task) => task.nodeId === node)));
  }
  for (const service of SERVICES) {
    const tasks = rows.filter((task) => task.serviceId === service);
    expect(idsOf(view.tasksByService(service))).toEqual(idsOf(tasks));
    for (const slot of [1, 2]) {
      expect(idsOf(view.tasksBySlot(service, slot))).toEqual(idsOf(tasks.filter((task) => task.slot === slot)));
    }
  }
}

const open = (disk: MemoryDisk): Promise<Store> =>
  openStore({ journal: memoryJournal(disk), clock: new FakeClock(), logger: createLogger('silent') });

/** Runs the bodies, checks each from within against the model, and returns the model at the end. */
async function play(store: Store, bodies: readonly Body[]): Promise<Model> {
  let model: Model = new Map();
  let underWay: Promise<unknown>[] = [];
  for (const { steps, throws, grouped } of bodies) {
    const outcome = store.update((tx) => {
      const draft: Model = new Map(model);
      for (const one of steps) {
        applyToStore(tx, one);
        applyToModel(draft, one, tx.index);
        expectSame(tx, draft);
      }
      if (throws) throw new Error('undone');
      model = draft;
    });
    underWay.push(throws ? expect(outcome).rejects.toThrow('undone') : outcome);
    if (!grouped) {
      await Promise.all(underWay);
      underWay = [];
      expectSame(store.view, model);
    }
  }
  await Promise.all(underWay);
  return model;
}

describe('the store, against a plain map', () => {
  test('views, indexes and versions agree inside and outside of transactions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 20 }), async (bodies) => {
        const store = await open(new MemoryDisk());
        expectSame(store.view, await play(store, bodies));
        await store.close();
      }),
      { numRuns: 150 },
    );
  });

  test('replaying the commits gives the state, and each says truly what was before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 20 }), async (bodies) => {
        const store = await open(new MemoryDisk());
        const replica = new Map<string, TaskObject>();
        const commits: Commit[] = [];
        const seen: (readonly TaskObject[])[] = [];
        store.watch((commit) => {
          commits.push(commit);
          seen.push(store.view.all('task'));
        });
        await play(store, bodies);
        for (const [number, commit] of commits.entries()) {
          expect(commit.index).toBe(number + 1);
          expect(commit.changes.length).toBeGreaterThan(0);
          for (const change of commit.changes) {
            if (change.table !== 'task') throw new Error(`a change of the table ${change.table}`);
            expect(replica.get(change.id)).toBe(change.before);
            expect(change.after).not.toBe(change.before);
            if (change.after === undefined) replica.delete(change.id);
            else replica.set(change.id, change.after);
          }
          // Watchers look at a state that already holds the commit.
          expect([...replica.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(seen[number]);
        }
        expect(store.view.index).toBe(commits.length);
        expect(new Set(store.view.all('task'))).toEqual(new Set(replica.values()));
        await store.close();
      }),
      { numRuns: 150 },
    );
  });

  test('reopening gives the same rows and index', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 20 }), async (bodies) => {
        const disk = new MemoryDisk();
        const store = await open(disk);
        const model = await play(store, bodies);
        await store.close();
        const again = await open(disk);
        expectSame(again.view, model);
        expect(again.view.index).toBe(store.view.index);
        expect(again.view.all('task')).toEqual(store.view.all('task'));
        await again.close();
      }),
      { numRuns: 100 },
    );
  });
});
