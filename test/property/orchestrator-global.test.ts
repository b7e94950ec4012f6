import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isDesiredAlive, isTerminal } from '../../proto/engine/task-state.js';
import { ClusterModel } from '../unit/manager/orchestrator/cluster-model.js';

const NODES = ['n1', 'n2', 'n3', 'n4'];
const node = fc.constantFrom(...NODES);

type Event =
  | { readonly kind: 'availability'; readonly node: string; readonly value: 'active' | 'pause' | 'drain' }
  | { readonly kind: 'label'; readonly node: string; readonly value: string }
  | { readonly kind: 'node'; readonly node: string; readonly state: 'up' | 'down' | 'gone' | 'new' }
  | { readonly kind: 'spec'; readonly constraints: readonly string[] }
  | { readonly kind: 'end'; readonly pick: number; readonly state: 'failed' | 'complete' }
  | { readonly kind: 'sicken'; readonly pick: number }
  | { readonly kind: 'steps'; readonly picks: readonly number[] }
  | { readonly kind: 'time'; readonly ms: number };

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant('availability' as const),
    node,
    value: fc.constantFrom('active', 'active', 'pause', 'drain'),
  }),
  fc.record({ kind: fc.constant('label' as const), node, value: fc.constantFrom('a', 'b') }),
  fc.record({ kind: fc.constant('node' as const), node, state: fc.constantFrom('up', 'up', 'down', 'gone', 'new') }),
  fc.record({
    kind: fc.constant('spec' as const),
    constraints: fc.constantFrom([], ['node.labels.zone == a'], ['node.labels.zone != a']),
  }),
  fc.record({ kind: fc.constant('end' as const), pick: fc.nat(100), state: fc.constantFrom('failed', 'complete') }),
  fc.record({ kind: fc.constant('sicken' as const), pick: fc.nat(100) }),
  fc.record({ kind: fc.constant('steps' as const), picks: fc.array(fc.nat(100), { maxLength: 20 }) }),
  fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 8_000 }) }),
);

function apply(model: ClusterModel, event: Event): void {
  const tasks = [...model.tasks.values()];
  switch (event.kind) {
    case 'availability':
      model.setNodeSpec(event.node, { Availability: event.value });
      break;
    case 'label':
      model.setNodeSpec(event.node, { Labels: { zone: event.value } });
      break;
    case 'node':
      if (event.state === 'gone') model.nodes.delete(event.node);
      else if (event.state === 'new') model.addNode(event.node);
      else model.setNodeUp(event.node, event.state === 'up');
      break;
    case 'spec':
      model.setGlobal('logs', event.constraints);
      break;
    case 'end': {
      const task = tasks[event.pick % Math.max(1, tasks.length)];
      if (task !== undefined) model.end(task, event.state);
      break;
    }
    case 'sicken': {
      const task = tasks[event.pick % Math.max(1, tasks.length)];
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

function play(events: readonly Event[], check: (model: ClusterModel) => void): ClusterModel {
  const model = new ClusterModel();
  for (const id of NODES) model.addNode(id);
  model.setGlobal('logs');
  for (const next of events) {
    apply(model, next);
    model.orchestrate();
    check(model);
    model.schedule();
    model.reap();
  }
  return model;
}

const allows = (model: ClusterModel, id: string): boolean => {
  const [constraint] = model.services.get('logs')?.spec.TaskTemplate.Placement?.Constraints ?? [];
  const zone = model.nodes.get(id)?.spec.Labels.zone;
  return constraint === undefined || (zone === 'a') === constraint.includes('==');
};

const runs = fc.array(event, { maxLength: 60 });

describe('a global service, whatever happens to its nodes,', () => {
  test('never wishes for two tasks of one node, nor for one elsewhere than on its node', () => {
    fc.assert(
      fc.property(runs, (events) => {
        play(events, (model) => {
          const alive = model.tasksOf('logs').filter(({ desiredState }) => isDesiredAlive(desiredState));
          const places = alive.map(({ pinnedTo }) => pinnedTo);
          expect(new Set(places).size).toBe(places.length);
          for (const task of model.tasksOf('logs')) expect([undefined, task.pinnedTo]).toContain(task.nodeId);
          const slots = new Map(model.tasksOf('logs').map(({ slot, pinnedTo }) => [slot, pinnedTo]));
          for (const { slot, pinnedTo } of model.tasksOf('logs')) expect(slots.get(slot)).toBe(pinnedTo);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('ends with exactly one running task on each node that it may use, and none elsewhere', () => {
    fc.assert(
      fc.property(runs, (events) => {
        const model = play(events, () => undefined);
        for (let round = 0; round < 90; round += 1) model.round();
        expect(model.decide('logs')).toEqual({ actions: [], more: false });
        for (const [id, { spec, status }] of model.nodes) {
          if (status.state !== 'ready') continue;
          const running = model
            .tasksOf('logs')
            .filter((task) => task.nodeId === id && task.desiredState === 'running' && task.status.State === 'running');
          const wanted = spec.Availability === 'active' && allows(model, id);
          if (wanted) expect(running).toHaveLength(1);
          if (spec.Availability === 'drain' || !allows(model, id)) expect(running).toEqual([]);
          const left = model.tasksOf('logs').filter((task) => task.nodeId === id && !isTerminal(task.status.State));
          expect(left.length).toBe(running.length);
        }
        for (const { pinnedTo = '' } of model.tasksOf('logs')) expect([...model.nodes.keys()]).toContain(pinnedTo);
      }),
      { numRuns: 300 },
    );
  });
});
