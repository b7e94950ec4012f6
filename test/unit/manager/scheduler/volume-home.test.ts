import { describe, expect, test } from 'vitest';
import { volumeHome } from '../../../../manager/scheduler/volume-home.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { storedTask } from '../../../support/stored-objects.js';

const specOf = (...volumes: readonly string[]): TaskObject['spec'] => ({
  ContainerSpec: {
    Image: 'image',
    Mounts: volumes.map((Source) => ({ Type: 'volume' as const, Source, Target: `/${Source}` })),
  },
});
const CONTAINER = { ContainerID: 'c', PID: 1, ExitCode: 0 };

/** The later in the list, the newer. */
const slotOf = (
  ...tasks: readonly (Partial<TaskObject> & { readonly state: TaskState; readonly ran?: boolean })[]
): readonly TaskObject[] =>
  tasks.map(({ state, ran = false, ...fields }, index) => ({
    ...storedTask(`t${index}`, 'web', {
      spec: specOf('data'),
      status: { Timestamp: '', State: state, Message: '', ...(ran ? { ContainerStatus: CONTAINER } : {}) },
    }),
    version: index + 1,
    ...fields,
  }));

const home = (slot: readonly TaskObject[], ...volumes: readonly string[]): ReturnType<typeof volumeHome> =>
  volumeHome(storedTask('new', 'web', { spec: specOf(...(volumes.length === 0 ? ['data'] : volumes)) }), slot);

describe('the node that has the volumes of a slot', () => {
  test('is none for the first task of a slot', () => {
    expect(home([])).toBeUndefined();
    expect(home(slotOf({ state: 'new' }))).toBeUndefined();
  });

  test('is that of the newest task that ran', () => {
    const slot = slotOf(
      { state: 'failed', ran: true, nodeId: 'h1' },
      { state: 'shutdown', ran: true, nodeId: 'h2' },
      { state: 'rejected', nodeId: 'h3' },
      { state: 'preparing', nodeId: 'h3' },
      { state: 'shutdown', nodeId: 'h3' },
    );
    expect(home(slot)).toEqual({ nodeId: 'h2', volumes: ['data'] });
    expect(home([...slot].reverse())).toEqual({ nodeId: 'h2', volumes: ['data'] });
  });

  test.each<TaskState>(['running', 'complete', 'failed'])('counts a task that is %s', (state) => {
    expect(home(slotOf({ state, nodeId: 'h1' }))?.nodeId).toBe('h1');
  });

  test('counts a task of a node that was removed', () => {
    expect(home(slotOf({ state: 'orphaned', ran: true, nodeId: 'h1' }))?.nodeId).toBe('h1');
  });

  test('is where the data was left when the tasks since then never ran', () => {
    const volumesLeft = { nodeId: 'h1', volumes: ['data'], warning: '' };
    const away = { nodeId: 'h2', volumesLeft };
    expect(home(slotOf({ ...away, state: 'rejected' }))).toEqual({ nodeId: 'h1', volumes: ['data'] });
    expect(home(slotOf({ ...away, state: 'failed' }))?.nodeId).toBe('h1');
    expect(home(slotOf({ ...away, state: 'failed', ran: true }))?.nodeId).toBe('h2');
  });

  test('counts tasks with one of its volumes, and names those', () => {
    const slot = slotOf(
      { state: 'failed', ran: true, nodeId: 'h1', spec: specOf('data', 'logs') },
      { state: 'failed', ran: true, nodeId: 'h2', spec: specOf('cache') },
    );
    expect(home(slot, 'logs', 'data', 'more')).toEqual({ nodeId: 'h1', volumes: ['logs', 'data'] });
    expect(home(slot, 'other')).toBeUndefined();
  });
});
