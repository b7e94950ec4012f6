import { describe, expect, test } from 'vitest';
import { decideSlot } from '../../../../manager/orchestrator/slot.js';
import type { Decision } from '../../../../manager/orchestrator/task-action.js';
import type { ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import type { Draft } from '../../../../manager/store/store-types.js';
import type { UpdateConfig } from '../../../../proto/engine/service-spec.js';
import type { RestartPolicy } from '../../../../proto/engine/task-spec.js';
import { ingressPort, storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const NOW = 1_000_000;
const ERR = 'task: container unhealthy';

const published: ServiceObject = { ...storedService('web'), ports: [ingressPort(8080, 80)] };

function withOrder(Order: UpdateConfig['Order']): ServiceObject {
  const config = Order === undefined ? {} : { UpdateConfig: { Parallelism: 1, Order } };
  return { ...published, spec: { ...published.spec, ...config } };
}

const sick = (fields: Partial<Draft<TaskObject>> = {}, policy: RestartPolicy = {}): TaskObject => ({
  ...storedTask('a', 'web', {
    nodeId: 'n1',
    desiredState: 'running',
    spec: { ContainerSpec: { Image: 'image' }, RestartPolicy: policy },
    status: { Timestamp: '', State: 'running', Message: 'unhealthy', Err: ERR, health: 'unhealthy' },
    ...fields,
  }),
  createdAt: NOW,
});

const decide = (tasks: readonly TaskObject[], service = published, now = NOW): Decision =>
  decideSlot({
    service,
    slot: 1,
    tasks,
    movingOff: () => 0,
    nodeOf: (id) => (id === 'n1' ? storedNode('n1') : undefined),
    now,
  });

describe('a task that fails its health check', () => {
  test('drains, and is replaced by its policy without waiting for it to stop', () => {
    const { actions, wakeAt } = decide([sick()]);
    expect(actions).toMatchObject([
      {
        kind: 'drain',
        task: { id: 'a', unhealthy: true },
        draining: { since: NOW, deadline: NOW + 30_000, then: 'shutdown', cause: ERR },
      },
      {
        kind: 'create',
        task: {
          desiredState: 'ready',
          startAfter: NOW + 100,
          status: { Message: `replaces task a: failed: ${ERR}; it waits 100 ms before it starts` },
        },
      },
    ]);
    expect(wakeAt).toBe(NOW + 100);
  });

  test('is stopped at once when nothing leads to it', () => {
    expect(decide([sick()], storedService('web')).actions[0]).toMatchObject({
      kind: 'wish',
      task: { unhealthy: true },
      desiredState: 'shutdown',
    });
  });

  const draining = sick({
    unhealthy: true,
    draining: { since: NOW, deadline: NOW + 30_000, then: 'shutdown', cause: ERR },
  });
  const waiting = storedTask('b', 'web', { nodeId: 'n1', desiredState: 'ready', startAfter: NOW + 100 });

  test('is decided once', () => {
    expect(decide([draining, waiting])).toEqual({ actions: [], more: false, wakeAt: NOW + 100 });
    const ended = { ...sick({ unhealthy: true, desiredState: 'shutdown' }, { MaxAttempts: 1 }) };
    const over: TaskObject = { ...ended, status: { ...ended.status, State: 'failed' } };
    expect(decide([over, { ...waiting, startAfter: NOW + 100 }]).actions).toEqual([]);
  });

  test('keeps no replacement waiting, even once it is told to stop', () => {
    for (const old of [draining, sick({ unhealthy: true, desiredState: 'shutdown' })]) {
      expect(decide([old, waiting], published, NOW + 100).actions).toMatchObject([
        { kind: 'wish', task: { id: 'b' }, desiredState: 'running' },
      ]);
    }
  });

  test('goes before its replacement starts where the user says so, or the two cannot be there at once', () => {
    const stopFirst = withOrder('stop-first');
    expect(decide([sick()], stopFirst).actions[1]).toMatchObject({
      kind: 'create',
      task: {
        desiredState: 'ready',
        status: { Message: expect.stringContaining('it waits for an older task') as string },
      },
    });
    expect(decide([draining, waiting], stopFirst, NOW + 100).actions).toEqual([]);
    const Mounts = [{ Type: 'volume' as const, Source: 'data', Target: '/data' }];
    const spec = { ContainerSpec: { Image: 'image', Mounts } };
    expect(decide([{ ...draining, spec }, waiting], published, NOW + 100).actions).toEqual([]);
    expect(decide([{ ...draining, spec }, waiting], withOrder('start-first'), NOW + 100).actions).toHaveLength(1);
  });

  test('costs an attempt, and is stopped also when none is left', () => {
    const last = sick({ restarts: [NOW - 5] }, { MaxAttempts: 1 });
    expect(decide([last]).actions).toMatchObject([{ kind: 'drain' }]);
    expect(decide([sick({}, { Condition: 'none' })]).actions).toMatchObject([{ kind: 'drain' }]);
    expect(decide([sick({}, { MaxAttempts: 1 })]).actions[1]).toMatchObject({ task: { restarts: [NOW] } });
  });

  test('counts as one failure of the rollout that made it, while it is watched', () => {
    const service: ServiceObject = { ...published, rollout: { id: 7, startedAt: NOW, slots: 1 } };
    const failures = (settledAt: number): unknown =>
      decide([sick({ takeover: { rollout: 7, failures: 0, settledAt } })], service).actions.map(
        ({ task }) => task.takeover?.failures,
      );
    expect(failures(NOW - 4_000)).toEqual([1, 1]);
    expect(failures(NOW - 6_000)).toEqual([0, 0]);
  });

  test('goes alone when another task is about to take over from it', () => {
    const newcomer = storedTask('b', 'web', {
      nodeId: 'n1',
      desiredState: 'running',
      takeover: { from: 'a', failures: 0 },
    });
    expect(decide([sick(), newcomer]).actions).toMatchObject([{ kind: 'drain', task: { id: 'a', unhealthy: true } }]);
  });
});
