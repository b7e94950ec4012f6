import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskObject } from '../../manager/store/objects.js';
import type { RestartPolicy } from '../../proto/engine/task-spec.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import { ClusterModel } from '../unit/manager/orchestrator/cluster-model.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const SERVICES = ['web', 'db'];

type Event =
  | { readonly kind: 'scale'; readonly service: string; readonly replicas: number }
  | { readonly kind: 'delete'; readonly service: string }
  | { readonly kind: 'node'; readonly node: string; readonly state: 'up' | 'down' | 'gone' | 'new' }
  | { readonly kind: 'end'; readonly pick: number; readonly state: 'failed' | 'complete' }
  | { readonly kind: 'sicken'; readonly pick: number }
  | { readonly kind: 'steps'; readonly picks: readonly number[] }
  | { readonly kind: 'time'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('scale' as const),
    service: fc.constantFrom(...SERVICES),
    replicas: fc.integer({ min: 0, max: 8 }),
  }),
  fc.record({ kind: fc.constant('delete' as const), service: fc.constantFrom(...SERVICES) }),
  fc.record({
    kind: fc.constant('node' as const),
    node: fc.constantFrom(...NODES),
    state: fc.constantFrom('up', 'up', 'down', 'gone', 'new'),
  }),
  fc.record({
    kind: fc.constant('end' as const),
    pick: fc.nat(100),
    state: fc.constantFrom('failed', 'failed', 'complete'),
  }),
  fc.record({ kind: fc.constant('sicken' as const), pick: fc.nat(100) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(100), { maxLength: 20 }) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
);

const policy: fc.Arbitrary<RestartPolicy | undefined> = fc.option(
  fc.record(
    {
      Condition: fc.constantFrom('none', 'on-failure', 'any'),
      Delay: fc.constantFrom(0, 2e9, 5e9),
      MaxAttempts: fc.integer({ min: 0, max: 3 }),
      Window: fc.constantFrom(0, 3e9, 10e9),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

function apply(model: ClusterModel, event: Event, policies: ReadonlyMap<string, RestartPolicy | undefined>): void {
  const tasks = [...model.tasks.values()];
  switch (event.kind) {
    case 'scale':
      model.setService(event.service, event.replicas, policies.get(event.service));
      break;
    case 'delete':
      model.services.delete(event.service);
      break;
    case 'node':
      if (event.state === 'gone') model.nodes.delete(event.node);
      else if (event.state === 'new') model.addNode(event.node);
      else model.setNodeUp(event.node, event.state === 'up');
      break;
    case 'end': {
      const task = tasks[event.pick % Math.max(1, tasks.length)];
      if (task !== undefined) model.end(task, event.state);
      break;
    }
    case 'sicken': {
      const running = tasks.filter(({ status }) => status.State === 'running');
      const task = running[event.pick % Math.max(1, running.length)];
      if (task !== undefined) model.sicken(task);
      break;
    }
    case 'steps':
      for (const pick of event.picks) {
        const task = [...model.tasks.values()][pick % Math.max(1, tasks.length)];
        if (task !== undefined) model.step(task);
      }
      break;
    case 'time':
      model.now += event.ms;
      break;
  }
}

const runs = fc.record({
  events: fc.array(event, { maxLength: 60 }),
  web: policy,
  db: policy,
});

function play(
  { events, web, db }: { events: readonly Event[]; web: RestartPolicy | undefined; db: RestartPolicy | undefined },
  check: (model: ClusterModel) => void,
): ClusterModel {
  const policies = new Map([
    ['web', web],
    ['db', db],
  ]);
  const model = new ClusterModel();
  for (const node of NODES) model.addNode(node);
  model.setService('web', 3, web);
  for (const next of events) {
    apply(model, next, policies);
    model.orchestrate();
    check(model);
    model.schedule();
    model.reap();
  }
  return model;
}

function bySlot(tasks: Iterable<TaskObject>): readonly (readonly TaskObject[])[] {
  const slots = new Map<string, TaskObject[]>();
  for (const task of tasks) {
    const key = `${task.serviceId}/${task.slot}`;
    slots.set(key, [...(slots.get(key) ?? []), task]);
  }
  return [...slots.values()];
}

const isAlive = (task: TaskObject): boolean => isDesiredAlive(task.desiredState);

describe('whatever happens to the cluster', () => {
  test('a service never has more tasks that shall live than replicas, and a slot never more than one', () => {
    fc.assert(
      fc.property(runs, (run) => {
        play(run, (model) => {
          for (const service of SERVICES) {
            const alive = model.tasksOf(service).filter(isAlive);
            expect(alive.length).toBeLessThanOrEqual(model.services.get(service)?.spec.Mode.Replicated?.Replicas ?? 0);
          }
          for (const slot of bySlot(model.tasks.values())) expect(slot.filter(isAlive).length).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('no task is told to run while another of its slot may run, but after a loss or a minute, or beside one that is unhealthy', () => {
    fc.assert(
      fc.property(runs, (run) => {
        play(run, (model) => {
          for (const slot of bySlot(model.tasks.values())) {
            const toRun = slot.find((task) => task.desiredState === 'running');
            if (toRun === undefined || model.now - toRun.createdAt >= 60_000) continue;
            const others = slot.filter(
              (task) =>
                task !== toRun &&
                task.nodeId !== undefined &&
                !isTerminal(task.status.State) &&
                task.unhealthy !== true &&
                model.isUp(task.nodeId) &&
                !model.wasDown.has(task.nodeId),
            );
            expect(others).toEqual([]);
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  test('restarts never exceed MaxAttempts within the window', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const model = play(run, () => undefined);
        for (const [slot, times] of model.restarts) {
          const policy = slot.startsWith('web/') ? run.web : run.db;
          const attempts = policy?.MaxAttempts ?? 0;
          if (attempts === 0) continue;
          const window = (policy?.Window ?? 0) === 0 ? Infinity : (policy?.Window ?? 0) / 1e6;
          for (const time of times) {
            const within = times.filter((other) => other <= time && other > time - window);
            expect(within.length).toBeLessThanOrEqual(attempts);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('the cluster comes to rest when events stop, with every slot running or finished by its policy', () => {
    fc.assert(
      fc.property(runs, (run) => {
        const model = play(run, () => undefined);
        model.addNode('n1');
        for (let round = 0; round < 90; round += 1) model.round();
        for (const id of SERVICES) {
          expect(model.decide(id)).toEqual({ actions: [], more: false });
          const tasks = model.tasksOf(id).filter((task) => task.desiredState !== 'remove');
          const slots = bySlot(tasks);
          expect(slots.length).toBe(model.services.get(id)?.spec.Mode.Replicated?.Replicas ?? 0);
          for (const slot of slots) {
            const live = slot.filter(isAlive);
            expect(live.every((task) => task.status.State === 'running' && task.desiredState === 'running')).toBe(true);
            if (live.length === 0) expect(mayFinish(id === 'web' ? run.web : run.db)).toBe(true);
          }
          const leaving = model.tasksOf(id).filter((task) => task.desiredState === 'remove');
          expect(leaving.filter((task) => task.nodeId === undefined || model.isUp(task.nodeId))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** A slot may stay empty only under a policy that forbids some restart. */
const mayFinish = (policy: RestartPolicy | undefined): boolean =>
  (policy?.Condition ?? 'any') !== 'any' || (policy?.MaxAttempts ?? 0) > 0;
