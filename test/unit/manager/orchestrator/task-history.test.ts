import { describe, expect, test } from 'vitest';
import { decideHistory, DOWN_NODE_PATIENCE } from '../../../../manager/orchestrator/task-history.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { Draft } from '../../../../manager/store/store-types.js';
import type { DesiredState, TaskState } from '../../../../proto/engine/task-state.js';
import { storedNode, storedTask } from '../../../support/stored-objects.js';

const NOW = 1_000_000_000;
const DOWN_SINCE = NOW - 1_000;
const NODES = new Map(['n1', 'n-down'].map((id) => [id, storedNode(id)]));

let made = 0;
function task(
  id: string,
  state: TaskState,
  desiredState: DesiredState,
  fields: Partial<Draft<TaskObject>> = {},
): TaskObject {
  made += 1;
  const status = { Timestamp: '', State: state, Message: '' };
  return { ...storedTask(id, 'web', { nodeId: 'n1', desiredState, status, ...fields }), version: made };
}

const decide = (tasks: readonly TaskObject[], retention = 5, now = NOW): ReturnType<typeof decideHistory> =>
  decideHistory({
    tasks,
    retention,
    nodeOf: (id) => NODES.get(id),
    downSince: (id) => (id === 'n-down' ? DOWN_SINCE : undefined),
    now,
  });

const deleted = (...args: Parameters<typeof decide>): readonly string[] =>
  decide(...args).deletions.map(({ taskId }) => taskId);

const failures = (count: number): readonly TaskObject[] =>
  Array.from({ length: count }, (_, index) => task(`f${index + 1}`, 'failed', 'shutdown'));

describe('the history of a slot', () => {
  test('keeps the live task and the newest of the others, five in all', () => {
    const tasks = [...failures(6), task('live', 'running', 'running')];
    expect(deleted(tasks)).toEqual(['f1', 'f2']);
    expect(deleted([...tasks].reverse())).toEqual(['f1', 'f2']);
  });

  test('is one for each run of a job: a slot that was given up stays so while other runs go on', () => {
    const run = (jobIteration: number) => ({ jobIteration, slot: 0 });
    const givenUp = task('old', 'failed', 'shutdown', run(0));
    const others = [1, 2, 3, 4, 5, 6].map((iteration) => task(`r${iteration}`, 'failed', 'shutdown', run(iteration)));
    expect(deleted([givenUp, ...others], 1)).toEqual([]);
  });

  test('keeps all of a slot with volumes until its newest task has a node', () => {
    const spec = {
      ContainerSpec: { Image: 'image', Mounts: [{ Type: 'volume' as const, Source: 'data', Target: '/data' }] },
    };
    const old = failures(2);
    const { nodeId, ...waiting } = task('new', 'pending', 'running', { spec });
    expect(nodeId).toBe('n1');
    expect(deleted([...old, waiting], 0)).toEqual([]);
    expect(deleted([...old, { ...waiting, nodeId: 'n1' }], 0)).toEqual(['f1', 'f2']);
    const { nodeId: none, ...plain } = task('new', 'pending', 'running');
    expect(none).toBe('n1');
    expect(deleted([...old, plain], 0)).toEqual(['f1', 'f2']);
  });

  test('keeps everything when the limit is negative, and only the live task when it is 0', () => {
    const tasks = [...failures(3), task('live', 'running', 'running')];
    expect(deleted(tasks, -1)).toEqual([]);
    expect(deleted(tasks, 0)).toEqual(['f1', 'f2', 'f3']);
  });

  test('keeps the last task of a finished slot, whatever the limit: the slot is not to be filled again', () => {
    expect(deleted([...failures(2)], 0)).toEqual(['f1']);
  });

  test('shows all attempts of a slot that may have so many', () => {
    const spec = { ContainerSpec: { Image: 'image' }, RestartPolicy: { MaxAttempts: 7 } };
    const tasks = [...failures(8), task('live', 'running', 'running', { spec })];
    expect(deleted(tasks)).toEqual(['f1']);
    expect(deleted(tasks, -1)).toEqual(['f1']);
  });

  test('never forgets a task that may still run', () => {
    const tasks = [task('stopping', 'running', 'shutdown'), ...failures(1), task('live', 'running', 'running')];
    expect(deleted(tasks, 1)).toEqual(['f1']);
  });
});

describe('a task to be removed', () => {
  test('is forgotten once it has stopped', () => {
    expect(deleted([task('a', 'running', 'remove')])).toEqual([]);
    expect(deleted([task('a', 'shutdown', 'remove'), task('b', 'failed', 'remove')])).toEqual(['a', 'b']);
  });

  test('is forgotten when its node was removed, or it never had one', () => {
    const unassigned = storedTask('b', 'web', { desiredState: 'remove' });
    expect(deleted([task('a', 'running', 'remove', { nodeId: 'n-gone' }), unassigned])).toEqual(['a', 'b']);
  });

  test('waits a day for a node that is down', () => {
    const tasks = [task('a', 'running', 'remove', { nodeId: 'n-down' })];
    expect(decide(tasks)).toEqual({ deletions: [], wakeAt: DOWN_SINCE + DOWN_NODE_PATIENCE });
    expect(deleted(tasks, 5, DOWN_SINCE + DOWN_NODE_PATIENCE)).toEqual(['a']);
  });
});
