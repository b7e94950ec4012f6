import { describe, expect, it } from 'vitest';
import { furtherStatus, judgeStatus } from '../../../../manager/dispatcher/status-rule.js';
import type { TaskStatus } from '../../../../proto/engine/task-document.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { storedTask } from '../../../support/stored-objects.js';

const status = (State: TaskState, Message = ''): TaskStatus => ({
  Timestamp: '2026-01-01T00:00:00.000Z',
  State,
  Message,
});
const task = (State: TaskState, nodeId = 'n1'): ReturnType<typeof storedTask> =>
  storedTask('t1', 'web', { nodeId, status: status(State) });

describe('a reported status', () => {
  it.each<[TaskState, TaskState]>([
    ['assigned', 'accepted'],
    ['accepted', 'running'],
    ['running', 'failed'],
    ['starting', 'rejected'],
  ])('moves a task from %s to %s', (from, to) => {
    expect(judgeStatus(task(from), 'n1', status(to)).kind).toBe('write');
  });

  it('may tell more of the same state', () => {
    expect(judgeStatus(task('preparing'), 'n1', status('preparing', 'pulling image')).kind).toBe('write');
  });

  it('is no write when it says what is known', () => {
    expect(judgeStatus(task('running'), 'n1', status('running')).kind).toBe('skip');
  });

  it('never lowers a state', () => {
    expect(judgeStatus(task('running'), 'n1', status('starting'))).toEqual({
      kind: 'refuse',
      reason: 'the task is running already',
    });
  });

  it.each<[TaskState, TaskState]>([
    ['complete', 'failed'],
    ['failed', 'orphaned'],
    ['orphaned', 'running'],
    ['shutdown', 'failed'],
  ])('does not change the end %s to %s', (from, to) => {
    expect(judgeStatus(task(from), 'n1', status(to)).kind).toBe('refuse');
  });

  it('is not news when it repeats an end, whoever wrote that', () => {
    expect(judgeStatus(task('failed'), 'n1', status('failed', 'exit 1')).kind).toBe('skip');
  });

  it('counts only from the node of the task', () => {
    expect(judgeStatus(task('assigned', 'n2'), 'n1', status('running'))).toEqual({
      kind: 'refuse',
      reason: 'the task is assigned to n2',
    });
    expect(judgeStatus(storedTask('t1', 'web'), 'n1', status('running')).kind).toBe('refuse');
  });

  it('of a forgotten task is of no interest', () => {
    expect(judgeStatus(undefined, 'n1', status('failed')).kind).toBe('skip');
  });

  it('cannot be a wish', () => {
    expect(judgeStatus(task('running'), 'n1', status('remove')).kind).toBe('refuse');
  });
});

describe('of two reports', () => {
  it('the further one counts, else the later', () => {
    expect(furtherStatus(status('running'), status('starting')).State).toBe('running');
    expect(furtherStatus(status('starting'), status('running')).State).toBe('running');
    expect(furtherStatus(status('running', 'a'), status('running', 'b')).Message).toBe('b');
  });
});
