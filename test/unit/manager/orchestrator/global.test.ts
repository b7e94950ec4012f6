import { beforeEach, describe, expect, it } from 'vitest';
import { shallLive } from '../../../../manager/drain/task-wish.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { isDesiredAlive, isTerminal } from '../../../../proto/engine/task-state.js';
import { storedNode, storedService } from '../../../support/stored-objects.js';
import { ClusterModel } from './cluster-model.js';

let model: ClusterModel;
beforeEach(() => {
  model = new ClusterModel();
  for (const id of ['n1', 'n2', 'n3']) model.addNode(id);
  model.setGlobal('logs');
});

const rounds = (count = 10): void => {
  for (let round = 0; round < count; round += 1) model.round();
};
const live = (): readonly TaskObject[] =>
  model.tasksOf('logs').filter(({ desiredState }) => isDesiredAlive(desiredState));
const nodesOf = (tasks: readonly TaskObject[]): readonly (string | undefined)[] =>
  tasks.map(({ nodeId }) => nodeId).sort();
const runningOn = (): readonly (string | undefined)[] =>
  nodesOf(live().filter(({ status }) => status.State === 'running'));

describe('a global service', () => {
  it('has one task on each node, also on one that joins later', () => {
    rounds();
    expect(runningOn()).toEqual(['n1', 'n2', 'n3']);
    model.addNode('n4');
    rounds();
    expect(runningOn()).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(new Set(live().map(({ slot }) => slot)).size).toBe(4);
  });

  it('leaves out nodes that its constraints do not allow, and comes when their labels change', () => {
    model.setGlobal('logs', ['node.labels.disk == ssd']);
    model.setNodeSpec('n2', { Labels: { disk: 'ssd' } });
    rounds();
    expect(runningOn()).toEqual(['n2']);
    model.setNodeSpec('n3', { Labels: { disk: 'ssd' } });
    model.setNodeSpec('n2', { Labels: {} });
    rounds();
    expect(runningOn()).toEqual(['n3']);
    expect(model.tasksOf('logs')).toHaveLength(1);
  });

  it('keeps the task of a paused node, and gives a paused node none', () => {
    model.setNodeSpec('n1', { Availability: 'pause' });
    rounds();
    expect(runningOn()).toEqual(['n2', 'n3']);
    model.setNodeSpec('n2', { Availability: 'pause' });
    rounds();
    expect(runningOn()).toEqual(['n2', 'n3']);
    model.setNodeSpec('n1', { Availability: 'active' });
    rounds();
    expect(runningOn()).toEqual(['n1', 'n2', 'n3']);
  });

  it('leaves a drained node and comes back to it', () => {
    rounds();
    model.setNodeSpec('n2', { Availability: 'drain' });
    rounds();
    expect(runningOn()).toEqual(['n1', 'n3']);
    expect(model.tasksOf('logs').filter(({ pinnedTo }) => pinnedTo === 'n2')).toEqual([]);
    model.setNodeSpec('n2', { Availability: 'active' });
    rounds();
    expect(runningOn()).toEqual(['n1', 'n2', 'n3']);
  });

  describe('on a node that is drained a few at a time', () => {
    const others = ['a', 'b', 'c', 'd'];
    const onNode = (): readonly TaskObject[] =>
      [...model.tasks.values()].filter(({ nodeId, status }) => nodeId === 'n2' && !isTerminal(status.State));
    beforeEach(() => {
      for (const id of others) model.setGlobal(id);
      rounds();
      expect(onNode()).toHaveLength(5);
    });

    it('leaves when it is its turn, counted over all services', () => {
      model.drainNode('n2', { maxParallel: 2 });
      let most = 0;
      for (let round = 0; round < 20; round += 1) {
        model.orchestrate();
        most = Math.max(most, onNode().filter(({ desiredState }) => !isDesiredAlive(desiredState)).length);
        model.round();
      }
      expect([most, onNode()]).toEqual([2, []]);
    });

    it('waits for no turn after the deadline, nor on a node that is down', () => {
      const stays = (): number => onNode().filter(({ desiredState }) => isDesiredAlive(desiredState)).length;
      model.drainNode('n2', { maxParallel: 1, deadline: 60_000 });
      model.orchestrate();
      model.orchestrate();
      expect(stays()).toBe(4);
      model.now += 60_000;
      model.orchestrate();
      expect(stays()).toBe(0);

      model.drainNode('n1', { maxParallel: 1 });
      model.setNodeUp('n1', false);
      model.orchestrate();
      expect([...model.tasks.values()].filter((task) => task.nodeId === 'n1' && shallLive(task))).toEqual([]);
    });

    it('is looked at again while it waits', () => {
      model.drainNode('n2', { maxParallel: 1 });
      model.orchestrate();
      const waiting = others.map((id) => model.decide(id)).filter(({ wakeAt }) => wakeAt !== undefined);
      expect(waiting.map(({ actions, wakeAt }) => [actions, wakeAt])).toEqual(
        Array.from({ length: 4 }, () => [[], model.now + 1_000]),
      );
    });
  });

  it('does not touch the task of a node that is down and comes back', () => {
    rounds();
    const before = live();
    model.setNodeUp('n3', false);
    rounds();
    model.setNodeUp('n3', true);
    rounds();
    expect(live().map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(runningOn()).toEqual(['n1', 'n2', 'n3']);
  });

  it('replaces what ended while its node was away, on the same node', () => {
    rounds();
    const task = live().find(({ nodeId }) => nodeId === 'n3');
    model.setNodeUp('n3', false);
    rounds(2);
    model.setNodeUp('n3', true);
    if (task !== undefined) model.end(task, 'failed');
    rounds();
    expect(runningOn()).toEqual(['n1', 'n2', 'n3']);
    expect(model.tasksOf('logs').filter(({ pinnedTo }) => pinnedTo === 'n3')).toHaveLength(2);
  });

  it('forgets the tasks of a node that was removed', () => {
    rounds();
    model.nodes.delete('n1');
    rounds();
    expect(
      model
        .tasksOf('logs')
        .map(({ pinnedTo }) => pinnedTo)
        .sort(),
    ).toEqual(['n2', 'n3']);
  });

  it('waits for room on its node, and says whose', () => {
    const plain = storedService('logs', { mode: { Global: {} } });
    const Resources = { Reservations: { MemoryBytes: 2 ** 30 } };
    const TaskTemplate = { ...plain.spec.TaskTemplate, Resources };
    model.services.set('logs', { ...plain, spec: { ...plain.spec, TaskTemplate } });
    const description = {
      Hostname: 'big',
      Platform: {},
      Resources: { NanoCPUs: 1e9, MemoryBytes: 2 ** 31 },
      Engine: { EngineVersion: '20.10', Plugins: [] },
    };
    model.nodes.set('n1', storedNode('n1', { description }));
    rounds();
    expect(runningOn()).toEqual(['n1']);
    expect(
      live()
        .filter(({ nodeId }) => nodeId === undefined)
        .map(({ pinnedTo }) => pinnedTo),
    ).toEqual(['n2', 'n3']);
  });

  it('is done at last when it is removed', () => {
    rounds();
    model.services.delete('logs');
    rounds();
    expect(model.tasksOf('logs')).toEqual([]);
  });
});
