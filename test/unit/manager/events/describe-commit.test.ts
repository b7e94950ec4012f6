import { describe, expect, test } from 'vitest';
import { describeCommit } from '../../../../manager/events/describe-commit.js';
import type { EventDraft } from '../../../../manager/events/cluster-event.js';
import type { NodeObject, PayloadObject, ServiceObject, TaskObject } from '../../../../manager/store/objects.js';
import type { CommittedChange } from '../../../../manager/store/store-types.js';
import { draftNode, draftService, draftTask } from '../../../support/stored-objects.js';

const META = { version: 1, createdAt: 0, updatedAt: 0 };
const service = (fields: Partial<ServiceObject> = {}): ServiceObject => ({
  ...draftService('s1', { name: 'web' }),
  ...META,
  ...fields,
});
const node = (fields: Partial<NodeObject> = {}): NodeObject => ({ ...draftNode('n1'), ...META, ...fields });
const task = (fields: Partial<TaskObject> = {}): TaskObject => ({
  ...draftTask('t1', 's1', { nodeId: 'n1' }),
  ...META,
  ...fields,
});
const secret = (id: string, dataVersion: number): PayloadObject => ({
  id,
  spec: { Name: 'key', Labels: {} },
  dataVersion,
  sealed: 'x',
  ...META,
});

function eventsOf(changes: readonly CommittedChange[], isNameLeft = false): EventDraft[] {
  return describeCommit(changes, { isNameLeft: () => isNameLeft, hostnameOf: (id) => `host-of-${id}` });
}

const attributesOf = (changes: readonly CommittedChange[]): readonly unknown[] =>
  eventsOf(changes).map(({ action, attributes }) => [action, attributes]);

describe('a service', () => {
  const change = (after: Partial<ServiceObject>, before: Partial<ServiceObject> = {}): CommittedChange => ({
    table: 'service',
    id: 's1',
    before: service(before),
    after: service(after),
  });

  test('tells of its states of an update, the first without an old one', () => {
    expect(attributesOf([change({ updateStatus: { State: 'updating' } })])).toEqual([
      ['update', { name: 'web', 'updatestate.new': 'updating' }],
    ]);
    expect(
      attributesOf([change({ updateStatus: { State: 'completed' } }, { updateStatus: { State: 'updating' } })]),
    ).toEqual([['update', { name: 'web', 'updatestate.old': 'updating', 'updatestate.new': 'completed' }]]);
  });

  test('tells of a rollout that begins behind the spec that it is for, without the state of an earlier one', () => {
    const begun = { updateStatus: { State: 'updating' } } as const;
    expect(attributesOf([change({ ...begun, version: 2 }, { updateStatus: { State: 'completed' } })])).toEqual([
      ['update', { name: 'web' }],
      ['update', { name: 'web', 'updatestate.new': 'updating' }],
    ]);
    expect(attributesOf([change({ updateStatus: { State: 'updating' }, version: 2 }, begun)])).toEqual([
      ['update', { name: 'web' }],
      ['update', { name: 'web', 'updatestate.new': 'updating' }],
    ]);
  });

  test('tells of a rollback with the spec that is back', () => {
    const after = { version: 2, updateStatus: { State: 'rollback_started' } } as const;
    expect(attributesOf([change(after, { updateStatus: { State: 'completed' } })])).toEqual([
      ['update', { name: 'web', 'updatestate.old': 'completed', 'updatestate.new': 'rollback_started' }],
    ]);
  });

  test('tells of its image and replicas', () => {
    const { spec } = draftService('s1', { name: 'web', replicas: 4 });
    const other = { ...spec, TaskTemplate: { ContainerSpec: { Image: 'other' } } };
    expect(attributesOf([change({ version: 2, spec: other })])).toEqual([
      ['update', { name: 'web', 'image.old': 'image', 'image.new': 'other', 'replicas.old': '1', 'replicas.new': '4' }],
    ]);
  });

  test('tells that its spec was written, whatever is in it', () => {
    expect(attributesOf([change({ version: 2 })])).toEqual([['update', { name: 'web' }]]);
  });

  test('is silent about what is noted for the manager alone', () => {
    expect(eventsOf([change({ rollout: { id: 1, startedAt: 0, slots: 2 } })])).toEqual([]);
    const text = { State: 'updating', Message: 'half' } as const;
    expect(eventsOf([change({ updateStatus: text }, { updateStatus: { State: 'updating' } })])).toEqual([]);
  });
});

describe('a node', () => {
  test('tells of its state', () => {
    const after = node({ status: { state: 'down', message: 'gone', addr: '' } });
    expect(attributesOf([{ table: 'node', id: 'n1', before: node(), after }])).toEqual([
      ['update', { name: '', 'state.old': 'ready', 'state.new': 'down' }],
    ]);
  });

  test('is silent about its certificate', () => {
    expect(eventsOf([{ table: 'node', id: 'n1', before: node(), after: node({ certificateExpiry: 9 }) }])).toEqual([]);
  });
});

describe('a task', () => {
  test('tells where it is and what became of it', () => {
    const failed = { ...task().status, State: 'failed', Err: 'exit 1' } as const;
    const after = task({ status: failed, desiredState: 'shutdown' });
    expect(attributesOf([{ table: 'task', id: 't1', before: task(), after }])).toEqual([
      [
        'update',
        {
          name: 's1.1.t1',
          'service.id': 's1',
          'service.name': 's1',
          'node.id': 'n1',
          'node.name': 'host-of-n1',
          'state.old': task().status.State,
          'state.new': 'failed',
          'desiredstate.old': 'running',
          'desiredstate.new': 'shutdown',
          error: 'exit 1',
        },
      ],
    ]);
  });

  test('is silent while its state stays', () => {
    expect(eventsOf([{ table: 'task', id: 't1', before: task(), after: task({ restarts: [1] }) }])).toEqual([]);
  });
});

describe('a secret', () => {
  const gone = (row: PayloadObject): CommittedChange => ({ table: 'secret', id: row.id, before: row });

  test('that is removed with all its versions is told of once, as its newest', () => {
    expect(eventsOf([gone(secret('a', 1)), gone(secret('b', 2))]).map(({ id, action }) => [id, action])).toEqual([
      ['b', 'remove'],
    ]);
  });

  test('of which an old version is cleared away is not told of', () => {
    expect(eventsOf([gone(secret('a', 1))], true)).toEqual([]);
  });

  test('never tells its data', () => {
    const made: CommittedChange = { table: 'secret', id: 'a', after: { ...secret('a', 1), sealed: 'SEALED' } };
    expect(JSON.stringify(eventsOf([made]))).not.toContain('SEALED');
  });
});
