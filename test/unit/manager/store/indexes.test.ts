import { describe, expect, test } from 'vitest';
import { State } from '../../../../manager/store/state.js';
import { storedNode, storedService, storedTask } from '../../../support/stored-objects.js';

const ids = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);

describe('indexes', () => {
  test('services are found by exact name', () => {
    const state = new State();
    state.set('service', 'a', storedService('a', { name: 'Web' }));
    expect(state.serviceByName('Web')?.id).toBe('a');
    expect(state.serviceByName('web')).toBeUndefined();
    state.set('service', 'a', storedService('a', { name: 'api' }));
    expect(state.serviceByName('Web')).toBeUndefined();
    expect(state.serviceByName('api')?.id).toBe('a');
  });

  test('tasks move between nodes and slots and leave when removed', () => {
    const state = new State();
    state.set('task', 'b', storedTask('b', 's', { slot: 2 }));
    state.set('task', 'a', storedTask('a', 's', { slot: 1 }));
    expect(ids(state.tasksByService('s'))).toEqual(['a', 'b']);
    expect(ids(state.unassignedTasks())).toEqual(['a', 'b']);
    state.set('task', 'a', storedTask('a', 's', { slot: 1, nodeId: 'n1' }));
    expect(ids(state.tasksByNode('n1'))).toEqual(['a']);
    expect(ids(state.unassignedTasks())).toEqual(['b']);
    expect(ids(state.tasksBySlot('s', 1))).toEqual(['a']);
    state.set('task', 'a', undefined);
    expect(ids(state.tasksByNode('n1'))).toEqual([]);
    expect(ids(state.tasksBySlot('s', 1))).toEqual([]);
    expect(ids(state.tasksByService('s'))).toEqual(['b']);
  });

  test('a task that shall stop, or failed before it had a node, waits for none', () => {
    const state = new State();
    const status = { Timestamp: '', State: 'rejected', Message: '' } as const;
    state.set('task', 'a', storedTask('a', 's', { desiredState: 'shutdown' }));
    state.set('task', 'b', storedTask('b', 's', { status }));
    state.set('task', 'c', storedTask('c', 's', { desiredState: 'ready' }));
    expect(ids(state.unassignedTasks())).toEqual(['c']);
  });

  test('several nodes may have one host name, and one without a description has none', () => {
    const state = new State();
    const description = {
      Hostname: 'host',
      Platform: {},
      Resources: {},
      Engine: { EngineVersion: '20.10', Plugins: [] },
    };
    state.set('node', 'b', storedNode('b', { description }));
    state.set('node', 'a', storedNode('a', { description }));
    state.set('node', 'c', storedNode('c'));
    expect(ids(state.nodesByHostname('host'))).toEqual(['a', 'b']);
  });

  test('a list that was handed out does not change', () => {
    const state = new State();
    state.set('task', 'a', storedTask('a', 's'));
    const before = state.tasksByService('s');
    state.set('task', 'b', storedTask('b', 's'));
    state.set('task', 'a', undefined);
    expect(ids(before)).toEqual(['a']);
    expect(ids(state.tasksByService('s'))).toEqual(['b']);
  });

  test('lists are in the order of ids, however many writes lie between two reads', () => {
    const state = new State();
    for (let number = 0; number < 500; number++) {
      const id = String((number * 7919) % 1000).padStart(4, '0');
      state.set('task', id, storedTask(id, 's'));
      if (number % 3 === 0) state.set('task', id, undefined);
    }
    const listed = ids(state.all('task'));
    expect(listed).toEqual([...listed].sort());
    expect(listed.length).toBe(state.count('task'));
    expect(ids(state.tasksByService('s'))).toEqual(listed);
  });
});
