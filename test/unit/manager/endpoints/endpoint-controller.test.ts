import { describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { startEndpointController } from '../../../../manager/endpoints/endpoint-controller.js';
import type { TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Store, Transaction } from '../../../../manager/store/store-types.js';
import type { EndpointTable } from '../../../../proto/endpoint-table.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal, MemoryDisk } from '../../../support/memory-journal.js';
import { draftNode, draftService, draftTask, ingressPort } from '../../../support/stored-objects.js';

const logger = createLogger('silent');
const open = (disk: MemoryDisk): Promise<Store> =>
  openStore({ journal: memoryJournal(disk), clock: new FakeClock(), logger });

const setTask = (tx: Transaction, id: string, fields: Partial<TaskObject>): void => {
  const task = tx.get('task', id);
  if (task) tx.put('task', { ...task, ...fields });
};
const running = { Timestamp: '', State: 'running', Message: '' } as const;

async function seeded(disk = new MemoryDisk()) {
  const store = await open(disk);
  await store.update((tx) => {
    tx.put('node', draftNode('n', { meshAddr: 'a:1' }));
    tx.put('service', draftService('s', { ports: [ingressPort(80, 8080)] }));
    tx.put('task', draftTask('t', 's', { nodeId: 'n' }));
  });
  const controller = startEndpointController({ store, logger });
  const tables: EndpointTable[] = [];
  controller.onTable((table) => tables.push(table));
  return { store, controller, tables };
}

describe('the endpoint controller', () => {
  test('begins with the table of the present state, at the present index', async () => {
    const { controller, tables } = await seeded();
    expect(controller.table).toMatchObject({ number: 1, nodes: [{ nodeId: 'n' }], ports: [{ endpoints: [] }] });
    expect(tables).toEqual([]);
  });

  test('publishes a table when its content changes, numbered by the commit', async () => {
    const { store, controller, tables } = await seeded();
    await store.update((tx) => setTask(tx, 't', { status: { ...running, State: 'starting' } }));
    expect(tables).toEqual([]);
    await store.update((tx) => setTask(tx, 't', { status: running }));
    expect(tables).toMatchObject([{ number: 3, ports: [{ endpoints: [{ taskId: 't', state: 'active' }] }] }]);
    await store.update((tx) => setTask(tx, 't', { status: { ...running, Message: 'still' } }));
    await store.update((tx) => setTask(tx, 't', { desiredState: 'shutdown' }));
    expect(tables.map(({ number }) => number)).toEqual([3, 5]);
    expect(controller.table.ports[0]?.endpoints[0]?.state).toBe('draining');
  });

  test('follows the state of nodes and their addresses', async () => {
    const { store, controller } = await seeded();
    await store.update((tx) => setTask(tx, 't', { status: running }));
    const setNode = (fields: object): Promise<void> =>
      store.update((tx) => {
        const node = tx.get('node', 'n');
        if (node) tx.put('node', { ...node, ...fields });
      });
    await setNode({ status: { state: 'down', message: '', addr: '' } });
    expect(controller.table).toMatchObject({ nodes: [{ meshAddr: 'a:1' }], ports: [{ endpoints: [] }] });
    await setNode({ status: { state: 'ready', message: '', addr: '' }, meshAddr: 'b:2' });
    expect(controller.table).toMatchObject({ nodes: [{ meshAddr: 'b:2' }], ports: [{ endpoints: [{ taskId: 't' }] }] });
    await store.update((tx) => tx.delete('node', 'n'));
    expect(controller.table).toMatchObject({ nodes: [], ports: [{ endpoints: [] }] });
  });

  test('a removed service takes its ports with it', async () => {
    const { store, controller } = await seeded();
    await store.update((tx) => tx.delete('service', 's'));
    expect(controller.table).toMatchObject({ number: 2, ports: [] });
  });

  test('the number does not go back when the manager restarts', async () => {
    const disk = new MemoryDisk();
    const { store, controller } = await seeded(disk);
    await store.update((tx) => setTask(tx, 't', { status: running }));
    await store.update((tx) => setTask(tx, 't', { status: { ...running, Message: 'again' } }));
    const before = controller.table;
    await store.close();
    const again = startEndpointController({ store: await open(disk), logger });
    expect(again.table).toEqual({ ...before, number: 3 });
    expect(again.table.number).toBeGreaterThanOrEqual(before.number);
  });

  test('a listener that throws does not keep the others from hearing, and after closing none hears', async () => {
    const { store, controller } = await seeded();
    controller.onTable(() => {
      throw new Error('mistake');
    });
    const heard: number[] = [];
    controller.onTable(({ number }) => heard.push(number));
    await store.update((tx) => setTask(tx, 't', { status: running }));
    await controller.close();
    await store.update((tx) => tx.delete('service', 's'));
    expect(heard).toEqual([2]);
  });
});
