import { describe, expect, it } from 'vitest';
import { assignmentChanges, toAssignment } from '../../../../manager/dispatcher/assignment-changes.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { CommittedChange } from '../../../../manager/store/store-types.js';
import { storedService, storedTask } from '../../../support/stored-objects.js';

const change = (before?: TaskObject, after?: TaskObject): CommittedChange => ({
  table: 'task',
  id: before?.id ?? after?.id ?? '',
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});
const waiting = storedTask('t1', 'web');
const assigned: TaskObject = { ...waiting, nodeId: 'n1' };
const status = (task: TaskObject, State: TaskObject['status']['State']): TaskObject => ({
  ...task,
  status: { ...task.status, State },
});

describe('assignment changes', () => {
  it('tell a node of a task that it gets', () => {
    expect(assignmentChanges([change(waiting, assigned)])).toEqual(
      new Map([['n1', { set: [toAssignment(assigned)], remove: [] }]]),
    );
  });

  it('tell a node of another wish, also for a task that has ended', () => {
    const ended = status(assigned, 'failed');
    const stopped: TaskObject = { ...ended, desiredState: 'shutdown' };
    expect(assignmentChanges([change(ended, stopped)]).get('n1')?.set).toMatchObject([
      { taskId: 't1', desiredState: 'shutdown' },
    ]);
  });

  it('say nothing of what only the agent knows', () => {
    expect(assignmentChanges([change(assigned, status(assigned, 'running'))])).toEqual(new Map());
    expect(assignmentChanges([change(assigned, { ...assigned, lostReason: 'x' })])).toEqual(new Map());
  });

  it('take a task from its node when its row is gone', () => {
    expect(assignmentChanges([change(assigned)])).toEqual(new Map([['n1', { set: [], remove: ['t1'] }]]));
  });

  it('say nothing of tasks without a node, nor of other tables', () => {
    const service: CommittedChange = { table: 'service', id: 'web', after: storedService('web') };
    expect(assignmentChanges([change(undefined, waiting), change(waiting), service])).toEqual(new Map());
  });

  it('gather all changes of one node, and keep nodes apart', () => {
    const other = storedTask('t2', 'web', { nodeId: 'n2' });
    const third = storedTask('t3', 'web', { nodeId: 'n1' });
    const changes = assignmentChanges([change(waiting, assigned), change(other), change(third)]);
    expect(changes.get('n1')).toMatchObject({ set: [{ taskId: 't1' }], remove: ['t3'] });
    expect(changes.get('n2')).toEqual({ set: [], remove: ['t2'] });
  });
});
