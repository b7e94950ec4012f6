import { describe, expect, test } from 'vitest';
import { decideSlot } from '../../../../manager/orchestrator/slot.js';
import type { TaskAction } from '../../../../manager/orchestrator/task-action.js';
import type { NodeObject, TaskObject } from '../../../../manager/store/objects.js';
import type { Draft } from '../../../../manager/store/store-types.js';
import type { DesiredState, TaskState } from '../../../../proto/engine/task-state.js';
import { storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const NOW = 1_000_000;

const down: NodeObject = storedNode('n-down', {
  status: { state: 'down', message: 'no heartbeat for 2.2 s', addr: '' },
});
const NODES = new Map([storedNode('n1'), storedNode('n2'), down].map((node) => [node.id, node]));

function task(
  id: string,
  state: TaskState,
  desiredState: DesiredState,
  fields: Partial<Draft<TaskObject>> = {},
): TaskObject {
  const status = { Timestamp: new Date(NOW).toISOString(), State: state, Message: '' };
  return { ...storedTask(id, 'web', { nodeId: 'n1', desiredState, status, ...fields }), createdAt: NOW };
}

const decide = (tasks: readonly TaskObject[], now = NOW): ReturnType<typeof decideSlot> =>
  decideSlot({ service: storedService('web'), slot: 1, tasks, movingOff: () => 0, nodeOf: (id) => NODES.get(id), now });

/** Actions in short: `kind what`. */
const short = ({ actions }: ReturnType<typeof decideSlot>): readonly string[] =>
  actions.map((action) =>
    action.kind === 'create'
      ? `create ${action.task.desiredState}`
      : action.kind === 'delete'
        ? `delete ${action.task.id}`
        : `${action.kind} ${action.task.id} ${wishOf(action)}`,
  );

const wishOf = (action: TaskAction): string =>
  action.kind === 'drain' ? action.draining.then : 'desiredState' in action ? action.desiredState : action.kind;

describe('a slot', () => {
  test('with a task on its way or running is left alone', () => {
    for (const state of ['new', 'pending', 'assigned', 'preparing', 'starting', 'running'] as const) {
      expect(decide([task('a', state, 'running')])).toEqual({ actions: [], more: false });
    }
  });

  test('gets a replacement that waits out the delay when its task ended', () => {
    const decision = decide([task('a', 'failed', 'running')]);
    expect(short(decision)).toEqual(['wish a shutdown', 'create ready']);
    expect(decision.wakeAt).toBe(NOW + 100);
    const created = decision.actions[1];
    expect(created).toMatchObject({
      task: {
        slot: 1,
        serviceName: 'web',
        startAfter: NOW + 100,
        status: {
          State: 'new',
          Timestamp: new Date(NOW).toISOString(),
          Message: 'replaces task a: failed; it waits 100 ms before it starts',
        },
      },
    });
  });

  test('stays empty for good when the policy forbids a restart', () => {
    const once = { spec: { ContainerSpec: { Image: 'image' }, RestartPolicy: { Condition: 'none' as const } } };
    expect(short(decide([task('a', 'complete', 'running', once)]))).toEqual(['wish a shutdown']);
    expect(decide([task('a', 'complete', 'shutdown', once)])).toEqual({ actions: [], more: false });
  });

  test('is restarted once: the ended task of before is history', () => {
    expect(short(decide([task('a', 'failed', 'shutdown'), task('b', 'running', 'running')]))).toEqual([]);
  });

  test('lets a waiting replacement run when its delay is over, not before', () => {
    const waiting = task('b', 'ready', 'ready', { startAfter: NOW + 100 });
    const old = task('a', 'failed', 'shutdown');
    expect(decide([old, waiting])).toEqual({ actions: [], wakeAt: NOW + 100, more: false });
    expect(short(decide([old, waiting], NOW + 100))).toEqual(['wish b running']);
  });

  test('lets a waiting replacement run when the clock was set back: the delay is not longer by that', () => {
    const waiting = task('b', 'ready', 'ready', { startAfter: NOW + 5_000 });
    const old = task('a', 'failed', 'shutdown');
    expect(decide([old, waiting], NOW - 500).wakeAt).toBe(NOW + 5_000);
    expect(short(decide([old, waiting], NOW - 300_000))).toEqual(['wish b running']);
  });

  test('lets a replacement wait for the old task to stop, for a minute at most', () => {
    const old = task('a', 'running', 'shutdown', { nodeId: 'n2' });
    const waiting = task('b', 'ready', 'ready');
    expect(decide([old, waiting], NOW + 59_999)).toEqual({ actions: [], wakeAt: NOW + 60_000, more: false });
    expect(decide([old, waiting], NOW + 60_000).actions[0]).toMatchObject({
      desiredState: 'running',
      reason: 'the old task did not stop within 60 s',
    });
  });

  test('does not wait for an old task on a node that is down or was removed', () => {
    const waiting = task('b', 'ready', 'ready');
    for (const nodeId of ['n-down', 'n-gone']) {
      const old = task('a', 'running', 'remove', { nodeId });
      expect(short(decide([old, waiting]))).toContain('wish b running');
    }
  });

  test('keeps the furthest task when two shall live', () => {
    const tasks = [task('a', 'assigned', 'running'), task('b', 'running', 'running'), task('c', 'failed', 'running')];
    expect(short(decide(tasks))).toEqual(['wish a shutdown', 'wish c shutdown']);
  });

  test('forgets a surplus task that no node has', () => {
    const unassigned = storedTask('b', 'web');
    expect(short(decide([task('a', 'running', 'running'), unassigned]))).toEqual(['delete b']);
  });
});

describe('a slot on a lost node', () => {
  test('is replaced at once, and the observed state of the old task stays what its agent said', () => {
    const decision = decide([task('a', 'running', 'running', { nodeId: 'n-down' })]);
    expect(short(decision)).toEqual(['lose a shutdown', 'create running']);
    expect(decision.wakeAt).toBeUndefined();
    const [lost] = decision.actions;
    expect(lost).toMatchObject({ reason: 'node n-down is down: no heartbeat for 2.2 s' });
    expect(lost).not.toHaveProperty('status');
  });

  test('marks the task orphaned when the node was removed: no agent will ever report it', () => {
    const [lost] = decide([task('a', 'running', 'running', { nodeId: 'n-gone' })]).actions;
    expect(lost).toMatchObject({
      kind: 'lose',
      status: { State: 'orphaned', Err: 'node n-gone was removed from the swarm' },
    });
  });

  test('marks also a stopping task orphaned when the node was removed', () => {
    const stopping = task('a', 'running', 'shutdown', { nodeId: 'n-gone' });
    expect(decide([stopping, task('b', 'running', 'running')]).actions).toMatchObject([
      { kind: 'lose', desiredState: 'shutdown', status: { State: 'orphaned' } },
    ]);
    expect(short(decide([task('a', 'orphaned', 'shutdown', { nodeId: 'n-gone' })]))).toEqual([]);
  });

  test('is replaced at once when the manager called the task orphaned', () => {
    expect(short(decide([task('a', 'orphaned', 'running')]))).toEqual(['lose a shutdown', 'create running']);
  });

  test('that ended before its node went is restarted by policy, not as lost', () => {
    expect(short(decide([task('a', 'failed', 'running', { nodeId: 'n-down' })]))).toEqual([
      'wish a shutdown',
      'create ready',
    ]);
  });
});
