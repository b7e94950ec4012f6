import { describe, expect, test } from 'vitest';
import { decideService } from '../../../../manager/orchestrator/decide-service.js';
import { replicasOf } from '../../../../manager/orchestrator/replicated.js';
import { chooseDoomed } from '../../../../manager/orchestrator/scale-down.js';
import type { ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { ingressPort, storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const NOW = 1_000_000;
const NODES = new Map(['n1', 'n2', 'n3'].map((id) => [id, storedNode(id)]));
const nodeOf = (id: string): ReturnType<typeof NODES.get> => NODES.get(id);

const running = (slot: number, nodeId: string, state: TaskState = 'running'): TaskObject =>
  storedTask(`t${slot}`, 'web', { slot, nodeId, status: { Timestamp: '', State: state, Message: '' } });

const decide = (
  service: ServiceObject | undefined,
  tasks: readonly TaskObject[],
  batch = 1_000,
): ReturnType<typeof decideService> =>
  decideService({ service, tasks, nodeOf, movingOff: () => 0, nodes: [], now: NOW, batch });

const createdSlots = ({ actions }: ReturnType<typeof decideService>): readonly number[] =>
  actions.flatMap((action) => (action.kind === 'create' ? [action.task.slot] : []));

describe('scale up', () => {
  test('a new service gets the slots from 1, all to run', () => {
    const decision = decide(storedService('web', { replicas: 3 }), []);
    expect(createdSlots(decision)).toEqual([1, 2, 3]);
    expect(decision.actions.every((action) => action.kind === 'create' && action.task.desiredState === 'running')).toBe(
      true,
    );
  });

  test('the lowest free slots are filled first', () => {
    const tasks = [running(2, 'n1'), running(5, 'n2')];
    expect(createdSlots(decide(storedService('web', { replicas: 5 }), tasks))).toEqual([1, 3, 4]);
  });

  test('a task carries what its agent needs, and shares the spec of its service', () => {
    const host = { ...ingressPort(8080, 80), PublishMode: 'host' as const };
    const service = storedService('web', { labels: { tier: 'front' }, ports: [ingressPort(5000, 80), host] });
    const [action] = decide(service, []).actions;
    expect(action).toMatchObject({
      task: { serviceId: 'web', serviceName: 'web', serviceLabels: { tier: 'front' }, hostPorts: [host] },
    });
    if (action?.kind !== 'create') throw new Error('no task was made');
    expect(action.task.spec).toBe(service.spec.TaskTemplate);
  });

  test('a slot whose removed task still stops waits for it', () => {
    const stopping = { ...running(1, 'n1'), desiredState: 'remove' as const };
    const decision = decide(storedService('web'), [stopping]);
    expect(decision.actions).toMatchObject([{ kind: 'create', task: { slot: 1, desiredState: 'ready' } }]);
    expect(decision.wakeAt).toBe(NOW + 60_000);
  });

  describe('of a service whose tasks were to be removed', () => {
    const service = storedService('web', { replicas: 2, ports: [ingressPort(80, 80)] });
    const leaving = (slot: number, nodeId: string, over: Partial<TaskObject> = {}): TaskObject => ({
      ...running(slot, nodeId),
      spec: service.spec.TaskTemplate,
      draining: { since: 0, deadline: NOW, then: 'remove', cause: 'its service was scaled to 1' },
      ...over,
    });

    test('takes back the ones that still serve, wherever their slots are', () => {
      const { actions } = decide(service, [running(1, 'n1'), leaving(5, 'n2')]);
      expect(actions).toMatchObject([{ kind: 'amend', task: { id: 't5' } }]);
      expect(actions[0]?.task).not.toHaveProperty('draining');
    });

    test('takes back no more than are wanted', () => {
      const { actions } = decide(service, [running(1, 'n1'), leaving(5, 'n2'), leaving(6, 'n3')]);
      expect(actions).toMatchObject([{ kind: 'amend', task: { id: 't5' } }]);
    });

    test.each<[string, Partial<TaskObject>]>([
      ['that was told to stop', { desiredState: 'remove' }],
      ['that has ended', { status: { Timestamp: '', State: 'failed', Message: '' } }],
      ['of another spec', { spec: { ContainerSpec: { Image: 'old' } } }],
      ['on a node that is lost', { nodeId: 'gone' }],
      ['on a node that is to be emptied', { nodeId: 'drained' }],
      [
        'that makes place for another task of its slot',
        { draining: { since: 0, deadline: NOW, then: 'shutdown', cause: '' } },
      ],
    ])('makes a new task instead of one %s', (_what, over) => {
      const nodes = new Map(NODES).set(
        'drained',
        storedNode('drained', { spec: { Labels: {}, Role: 'worker', Availability: 'drain' } }),
      );
      const tasks = [running(1, 'n1'), running(2, 'n1'), leaving(5, 'n2', over)];
      const three = { ...service, spec: { ...service.spec, Mode: { Replicated: { Replicas: 4 } } } };
      const { actions } = decideService({
        service: three,
        tasks,
        nodeOf: (id) => nodes.get(id),
        movingOff: () => 0,
        nodes: [],
        now: NOW,
        batch: 10,
      });
      expect(actions.filter(({ kind }) => kind === 'amend')).toEqual([]);
      expect(actions.filter(({ kind }) => kind === 'create').length).toBeGreaterThan(0);
    });
  });

  test('a slot finished by its policy counts as filled', () => {
    const finished = { ...running(1, 'n1', 'complete'), desiredState: 'shutdown' as const };
    expect(decide(storedService('web'), [finished])).toEqual({ actions: [], more: false });
  });

  test('ten thousand replicas come in batches', () => {
    const decision = decide(storedService('web', { replicas: 10_000 }), []);
    expect(decision.actions.length).toBe(1_000);
    expect(decision.more).toBe(true);
  });
});

describe('scale down', () => {
  const doomed = (tasks: readonly TaskObject[], replicas: number): readonly string[] =>
    decide(storedService('web', { replicas }), tasks).actions.flatMap((action) =>
      action.kind === 'wish' && action.desiredState === 'remove' ? [action.task.id] : [],
    );

  test('takes slots that do not run first, then the highest', () => {
    const tasks = [running(1, 'n1'), running(2, 'n2', 'preparing'), running(3, 'n3')];
    expect(doomed(tasks, 2)).toEqual(['t2']);
    expect(doomed(tasks, 1)).toEqual(['t2', 't3']);
  });

  test('takes from the node that holds most of the service', () => {
    const tasks = [running(1, 'n1'), running(2, 'n1'), running(3, 'n1'), running(4, 'n2'), running(5, 'n3')];
    expect(doomed(tasks, 4)).toEqual(['t3']);
    expect(doomed(tasks, 3)).toEqual(['t2', 't3']);
    expect(doomed(tasks, 2)).toEqual(['t2', 't3', 't5']);
  });

  test('takes a slot with its history, and forgets what no node has at once', () => {
    const old = storedTask('old', 'web', { slot: 2, nodeId: 'n1', desiredState: 'shutdown' });
    const { actions } = decide(storedService('web'), [running(1, 'n1'), old, storedTask('new', 'web', { slot: 2 })]);
    expect(actions).toMatchObject([
      { kind: 'wish', task: { id: 'old' }, desiredState: 'remove', reason: 'its service was scaled to 1' },
      { kind: 'delete', task: { id: 'new' } },
    ]);
  });

  test('to nothing and in batches', () => {
    const tasks = Array.from({ length: 5 }, (_, index) => running(index + 1, 'n1'));
    const decision = decide(storedService('web', { replicas: 0 }), tasks, 3);
    expect(decision.actions.length).toBe(3);
    expect(decision.more).toBe(true);
  });

  test('keeps what is left spread over the nodes', () => {
    const slots = Array.from({ length: 9 }, (_, index) => ({
      slot: index + 1,
      tasks: [running(index + 1, index < 5 ? 'n1' : index < 8 ? 'n2' : 'n3')],
    }));
    const gone = new Set(chooseDoomed(slots, 6, nodeOf).map(({ slot }) => slot));
    const left = slots.filter(({ slot }) => !gone.has(slot)).map(({ tasks }) => tasks[0]?.nodeId);
    expect(left).toEqual(['n1', 'n2', 'n3']);
  });
});

describe('a removed service', () => {
  test('has all its tasks removed, those without a node at once', () => {
    const { actions } = decide(undefined, [running(1, 'n1'), storedTask('waiting', 'web', { slot: 2 })]);
    expect(actions).toMatchObject([
      { kind: 'wish', task: { id: 't1' }, desiredState: 'remove', reason: 'its service was removed' },
      { kind: 'delete', task: { id: 'waiting' } },
    ]);
    expect(decide(undefined, [{ ...running(1, 'n1'), desiredState: 'remove' }]).actions).toEqual([]);
  });
});

test('a mode of nothing is one replica, and other modes are not replicated', () => {
  expect(replicasOf({})).toBe(1);
  expect(replicasOf({ Replicated: {} })).toBe(1);
  expect(replicasOf({ Replicated: { Replicas: 0 } })).toBe(0);
  expect(replicasOf({ Global: {} })).toBeUndefined();
});
