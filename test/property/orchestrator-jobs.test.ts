import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TaskObject } from '../../manager/store/objects.js';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import { ClusterModel } from '../unit/manager/orchestrator/cluster-model.js';

const NODES = ['n1', 'n2', 'n3'];

type Event =
  | { readonly kind: 'run'; readonly most: number; readonly total: number }
  | { readonly kind: 'availability'; readonly node: string; readonly value: 'active' | 'pause' | 'drain' }
  | { readonly kind: 'node'; readonly node: string; readonly state: 'up' | 'down' | 'gone' | 'new' }
  | { readonly kind: 'end'; readonly pick: number; readonly state: 'failed' | 'complete' }
  | { readonly kind: 'sicken'; readonly pick: number }
  | { readonly kind: 'steps'; readonly picks: readonly number[] }
  | { readonly kind: 'time'; readonly ms: number };

const node = fc.constantFrom(...NODES);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('run' as const),
    most: fc.integer({ min: 0, max: 4 }),
    total: fc.integer({ min: 0, max: 8 }),
  }),
  fc.record({
    kind: fc.constant('availability' as const),
    node,
    value: fc.constantFrom('active', 'active', 'pause', 'drain'),
  }),
  fc.record({ kind: fc.constant('node' as const), node, state: fc.constantFrom('up', 'up', 'down', 'gone', 'new') }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(100), state: fc.constantFrom('failed', 'complete') }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(100), state: fc.constantFrom('complete') }),
  fc.record({ kind: fc.constant('sicken' as const), pick: fc.nat(100) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(100), { maxLength: 20 }) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(100), { maxLength: 20 }) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
);

function apply(model: ClusterModel, event: Event): void {
  const tasks = [...model.tasks.values()];
  const picked = (pick: number): TaskObject | undefined => tasks[pick % Math.max(1, tasks.length)];
  switch (event.kind) {
    case 'run':
      model.setJob('job', { ReplicatedJob: { MaxConcurrent: event.most, TotalCompletions: event.total } });
      break;
    case 'availability':
      model.setNodeSpec(event.node, { Availability: event.value });
      break;
    case 'node':
      if (event.state === 'gone') {
        model.nodes.delete(event.node);
        model.wasDown.add(event.node);
      } else if (event.state === 'new') model.addNode(event.node);
      else model.setNodeUp(event.node, event.state === 'up');
      break;
    case 'end': {
      const task = picked(event.pick);
      // Only what runs can come to a good end.
      const mayEnd = event.state === 'failed' || task?.status.State === 'running';
      if (task !== undefined && mayEnd) model.end(task, event.state);
      break;
    }
    case 'sicken': {
      const task = picked(event.pick);
      if (task !== undefined) model.sicken(task);
      break;
    }
    case 'steps':
      for (const pick of event.picks) {
        const task = [...model.tasks.values()][pick % Math.max(1, model.tasks.size)];
        if (task !== undefined) model.step(task);
      }
      break;
    case 'time':
      model.now += event.ms;
      break;
  }
}

function play(events: readonly Event[], check: (model: ClusterModel) => void): ClusterModel {
  const model = new ClusterModel();
  for (const id of NODES) model.addNode(id);
  model.setJob('job', { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 5 } });
  for (const next of events) {
    apply(model, next);
    model.orchestrate();
    check(model);
    model.schedule();
    check(model);
    model.reap();
  }
  return model;
}

const runs = fc.array(event, { maxLength: 60 });

describe('a replicated job, whatever happens to its nodes,', () => {
  test('never lets more tasks run than it asks for, those that stop included, but beside what was taken for lost', () => {
    fc.assert(
      fc.property(runs, (events) => {
        play(events, (model) => {
          const tasks = model
            .tasksOf('job')
            .filter(({ status, nodeId = '' }) => !isTerminal(status.State) && !model.wasDown.has(nodeId));
          const { MaxConcurrent = 1 } = model.services.get('job')?.spec.Mode.ReplicatedJob ?? {};
          const released = tasks.filter(({ desiredState }) => desiredState === 'complete');
          const stopping = tasks.filter(
            (task) => !isDesiredAlive(task.desiredState) && ['starting', 'running'].includes(task.status.State),
          );
          // Those of an earlier run that still stop may be more than the present run asks for.
          const most = Math.max(MaxConcurrent, stopping.length);
          expect(released.length + stopping.length).toBeLessThanOrEqual(most);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('ends with each of its slots completed, once for each that was not lost', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const model = play(events, () => undefined);
        model.addNode('n1');
        for (let round = 0; round < 200; round += 1) {
          model.round();
          for (const task of model.tasksOf('job')) if (task.status.State === 'running') model.end(task, 'complete');
        }
        expect(model.decide('job')).toEqual({ actions: [], more: false });
        const service = model.services.get('job');
        const { MaxConcurrent = 1, TotalCompletions = 1 } = service?.spec.Mode.ReplicatedJob ?? {};
        const present = model.tasksOf('job').filter(({ jobIteration }) => jobIteration === service?.job?.iteration);
        const slots = present.flatMap(({ slot, status }) => (status.State === 'complete' ? slot : []));
        const begun = MaxConcurrent === 0 ? 0 : TotalCompletions;
        expect([...new Set(slots)].sort((a, b) => a - b)).toEqual(Array.from({ length: begun }, (_, slot) => slot));
        const spare = slots.length - begun;
        if (spare > 0) expect(model.wasDown.size).toBeGreaterThan(0);
        const earlier = model.tasksOf('job').filter((task) => !present.includes(task) && model.isUp(task.nodeId));
        expect(earlier).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
