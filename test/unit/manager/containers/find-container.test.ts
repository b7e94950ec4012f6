import { describe, expect, test } from 'vitest';
import { findContainer, type ContainerReads } from '../../../../manager/containers/find-container.js';
import { createTaskContainers } from '../../../../manager/containers/task-containers.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Draft, Store } from '../../../../manager/store/store-types.js';
import { createLogger } from '../../../../core/logger.js';
import type { NodeDescription } from '../../../../proto/engine/node-document.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { draftNode, draftService, draftTask } from '../../../support/stored-objects.js';

const containerOf = (letter: string): string => letter.repeat(64);
const taskId = (start: string): string => start.padEnd(25, '0');

const task = (
  start: string,
  service: string,
  fields: Partial<Draft<TaskObject>>,
  state: TaskState = 'running',
  container = '',
): Draft<TaskObject> =>
  draftTask(taskId(start), service, {
    nodeId: 'n1',
    status: {
      Timestamp: '2026-01-01T00:00:00.000Z',
      State: state,
      Message: 'a message',
      ...(container === '' ? {} : { ContainerStatus: { ContainerID: container, PID: 1, ExitCode: 0 } }),
    },
    ...fields,
  });

const described = (hostname: string): NodeDescription => ({
  Hostname: hostname,
  Platform: { Architecture: 'x86_64', OS: 'linux' },
  Resources: { NanoCPUs: 0, MemoryBytes: 0 },
  Engine: { EngineVersion: '20.10.24', Plugins: [] },
});

/** Slot 1 of `web` was replaced once, slot 2 waits for a node, slot 3 failed; `agent` is global; `h.dup` is the name of two nodes. */
async function cluster(): Promise<Store> {
  const store = await openStore({ journal: memoryJournal(), clock: new FakeClock(), logger: createLogger('silent') });
  const rows = [
    task('old1', 'web', { slot: 1, desiredState: 'shutdown' }, 'shutdown', containerOf('b')),
    task('new1', 'web', { slot: 1 }, 'running', containerOf('a')),
    task('wait2', 'web', { slot: 2 }, 'pending'),
    task('dead2', 'web', { slot: 2, desiredState: 'shutdown' }, 'failed', containerOf('c')),
    task('dead3', 'web', { slot: 3 }, 'failed', `${'d'.repeat(12)}${'0'.repeat(52)}`),
    task('newx4', 'web', { slot: 4 }, 'running', `${'d'.repeat(12)}${'1'.repeat(52)}`),
    task(
      'moving5',
      'web',
      { slot: 5, draining: { since: 0, deadline: 1, then: 'shutdown', cause: '' } },
      'running',
      'e5',
    ),
    task('starts5', 'web', { slot: 5 }, 'starting', 'e6'),
    task('twelve000000a', 'web', { slot: 6 }, 'running', 'e7'),
    task('twelve000000b', 'web', { slot: 7 }, 'running', 'e8'),
    task('global1', 'agent', { slot: 900, pinnedTo: 'n1' }, 'running', 'f1'),
    task('global2', 'agent', { slot: 901, pinnedTo: 'n2', nodeId: 'n2' }, 'running', 'f2'),
    task('global3', 'agent', { slot: 902, pinnedTo: 'n3', nodeId: 'n3' }, 'running', 'f3'),
  ];
  await store.update((tx) => {
    tx.put('service', draftService('web'));
    tx.put('service', draftService('agent', { mode: { Global: {} } }));
    tx.put('node', draftNode('n1', { description: described('h1.example') }));
    tx.put('node', draftNode('n2', { description: described('h.dup') }));
    tx.put('node', draftNode('n3', { description: described('h.dup') }));
    for (const row of rows) tx.put('task', row);
  });
  return store;
}

describe('which task is meant', () => {
  test.each([
    ['the name of a container', `web.1.${taskId('new1')}`, 'new1', 'name'],
    ['the name of one that was replaced', `web.1.${taskId('old1')}`, 'old1', 'name'],
    ['a slot: the task that runs', 'web.1', 'new1', 'slot'],
    ['a slot whose replacement waits: not the one that failed', 'web.2', 'wait2', 'slot'],
    ['a slot of which nothing is left but an ended task', 'web.3', 'dead3', 'slot'],
    ['a slot that is moved: whoever runs, as long as its replacement does not', 'web.5', 'moving5', 'slot'],
    ['a slot and the beginning of a task id', 'web.1.old', 'old1', 'slot'],
    ['a node of a global service by its id', 'agent.n2', 'global2', 'slot'],
    ['a node of a global service by a hostname with a dot', 'agent.h1.example', 'global1', 'slot'],
    ['the same and the beginning of a task id', 'agent.h1.example.glob', 'global1', 'slot'],
    ['the name of the container of a global service', `agent.n2.${taskId('global2')}`, 'global2', 'name'],
    ['a whole container id', containerOf('a'), 'new1', 'container-id'],
    ['the first twelve of a container id', containerOf('c').slice(0, 12), 'dead2', 'container-id'],
    ['a whole task id', taskId('wait2'), 'wait2', 'task-id'],
    ['the first thirteen of a task id', 'twelve000000b', 'twelve000000b', 'task-id'],
  ])('%s', async (_what, reference, start, by) => {
    const store = await cluster();
    const match = createTaskContainers(store).find(reference);
    if (match.kind !== 'container') throw new Error(match.kind);
    expect([match.container.taskId, match.container.by]).toEqual([taskId(start), by]);
  });

  test.each([
    ['a word', 'cafe'],
    ['fewer than twelve of a container id', containerOf('a').slice(0, 11)],
    ['fewer than twelve of a task id', 'twelve00000'],
    ['a service alone', 'web'],
    ['a slot that is not there', 'web.9'],
    ['slot 0', 'web.0'],
    ['a slot of a global service, whose numbers are nobody’s', 'agent.900'],
    ['a service that is not there', 'shop.1'],
    ['the name of a container under another service', `agent.1.${taskId('new1')}`],
    ['the name of a container in another slot', `web.2.${taskId('new1')}`],
    ['an unknown task of a slot', 'web.1.zzz'],
    ['a node of a replicated service', 'web.n1'],
    ['a dot at the end', 'web.1.'],
    ['a dot alone', '.'],
    ['nothing', ''],
    ['a container id that nobody has', containerOf('9')],
    ['more than a container id', `${containerOf('a')}a`],
    ['capitals', containerOf('A')],
    ['a path', '../web.1'],
  ])('nobody by %s', async (_what, reference) => {
    expect(createTaskContainers(await cluster()).find(reference)).toEqual({ kind: 'none' });
  });

  test.each([
    ['twelve digits that two container ids begin with', 'd'.repeat(12), 2],
    ['twelve characters that two task ids begin with', 'twelve000000', 2],
    ['the hostname of two nodes', 'agent.h.dup', 2],
  ])('%s is ambiguous', async (_what, reference, count) => {
    const match = createTaskContainers(await cluster()).find(reference);
    expect(match.kind === 'ambiguous' ? match.names : []).toHaveLength(count);
  });
});

describe('what is known of a container', () => {
  test('follows the store: a container that was made, replaced and removed', async () => {
    const store = await cluster();
    const containers = createTaskContainers(store);
    expect(containers.find(containerOf('7')).kind).toBe('none');
    const write = (row: Draft<TaskObject>): Promise<void> =>
      store.update((tx) => {
        tx.put('task', row);
      });
    await write(task('wait2', 'web', { slot: 2, nodeId: 'n2' }, 'running', containerOf('7')));
    expect(containers.find(containerOf('7'))).toEqual({
      kind: 'container',
      container: {
        by: 'container-id',
        taskId: taskId('wait2'),
        name: `web.2.${taskId('wait2')}`,
        node: { id: 'n2', hostname: 'h.dup' },
        containerId: containerOf('7'),
        state: 'running',
        ended: false,
        reason: 'a message',
      },
    });
    await store.update((tx) => {
      tx.delete('task', taskId('wait2'));
    });
    expect(containers.find(containerOf('7')).kind).toBe('none');
    await containers.close();
  });

  test('is told without reading all tasks, but for the beginning of an id', async () => {
    const { view } = await cluster();
    const unread: ContainerReads = {
      get: (table, id) => view.get(table, id),
      serviceByName: (name) => view.serviceByName(name),
      tasksBySlot: (service, slot) => view.tasksBySlot(service, slot),
      tasksByService: (service) => view.tasksByService(service),
      nodesByHostname: (hostname) => view.nodesByHostname(hostname),
      all: () => {
        throw new Error('all rows were read');
      },
    };
    for (const reference of ['web', 'web.1', `web.1.${taskId('new1')}`, 'a-local-container', 'local.1', 'redis']) {
      expect(() => findContainer(reference, unread, () => [])).not.toThrow();
    }
    expect(() => findContainer('twelve000000b', unread, () => [])).toThrow('all rows were read');
  });
});
