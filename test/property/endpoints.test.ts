import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../core/logger.js';
import { startEndpointController } from '../../manager/endpoints/endpoint-controller.js';
import { buildEndpointTable } from '../../manager/endpoints/endpoint-table.js';
import { openStore } from '../../manager/store/store.js';
import type { Store, Transaction } from '../../manager/store/store-types.js';
import type { EndpointTable } from '../../proto/endpoint-table.js';
import { FakeClock } from '../support/fake-clock.js';
import { memoryJournal } from '../support/memory-journal.js';
import { draftNode, draftService, draftTask, ingressPort } from '../support/stored-objects.js';

const logger = createLogger('silent');

const node = fc.record({
  id: fc.constantFrom('n1', 'n2', 'n3'),
  state: fc.constantFrom('ready' as const, 'down' as const, 'disconnected' as const),
  meshAddr: fc.constantFrom(undefined, 'a:1', 'b:2'),
});
const service = fc.record({
  id: fc.constantFrom('s1', 's2'),
  ports: fc.subarray([80, 81, 82]),
  mode: fc.constantFrom('auto', 'tcp', 'http'),
  replicas: fc.constantFrom(0, 1),
  proxyProtocol: fc.constantFrom('', 'v1', 'v2'),
  maxConnections: fc.constantFrom('1', '2'),
  balance: fc.constantFrom('round-robin', 'least-connections', 'sticky'),
  holdTimeout: fc.constantFrom('1s', '2s'),
});
const task = fc.record({
  id: fc.constantFrom('t1', 't2', 't3', 't4'),
  serviceId: fc.constantFrom('s1', 's2'),
  nodeId: fc.constantFrom('n1', 'n2', 'n3'),
  state: fc.constantFrom('starting' as const, 'running' as const, 'failed' as const),
  desiredState: fc.constantFrom('running' as const, 'shutdown' as const),
});

type Write = (tx: Transaction) => void;
const write: fc.Arbitrary<Write> = fc.oneof(
  node.map(
    ({ id, state, meshAddr }): Write =>
      (tx) =>
        tx.put('node', draftNode(id, { status: { state, message: '', addr: '' }, ...(meshAddr && { meshAddr }) })),
  ),
  service.map(({ id, ports, mode, replicas, proxyProtocol, maxConnections, balance, holdTimeout }): Write => (tx) => {
    // Two services never publish one port: the API sees to that.
    const offset = id === 's1' ? 0 : 100;
    const labels = {
      'bale.port.80.protocol': mode,
      'bale.port.81.proxy-protocol': proxyProtocol,
      'bale.port.82.max-connections': maxConnections,
      'bale.port.80.balance': balance,
      'bale.hold.timeout': holdTimeout,
    };
    tx.put(
      'service',
      draftService(id, { labels, replicas, ports: ports.map((port) => ingressPort(port + offset, port)) }),
    );
  }),
  task.map(({ id, serviceId, state, ...rest }): Write => (tx) => {
    tx.put('task', draftTask(id, serviceId, { ...rest, status: { Timestamp: '', State: state, Message: '' } }));
  }),
  fc
    .constantFrom(['node', 'n1'] as const, ['service', 's1'] as const, ['task', 't1'] as const, ['task', 't2'] as const)
    .map(
      ([table, id]): Write =>
        (tx) =>
          tx.delete(table, id),
    ),
);

const built = ({ view }: Store): object =>
  buildEndpointTable({
    clusterId: '',
    services: view.all('service'),
    tasks: view.all('task'),
    nodes: view.all('node'),
  });

describe('the endpoint controller', () => {
  test('always holds the table of the whole state, and publishes exactly the changes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 30 }),
        async (batches) => {
          const store = await openStore({ journal: memoryJournal(), clock: new FakeClock(), logger });
          const controller = startEndpointController({ store, logger });
          const tables: EndpointTable[] = [controller.table];
          controller.onTable((table) => tables.push(table));
          for (const batch of batches) {
            const count = tables.length;
            const before = built(store);
            await store.update((tx) => {
              for (const one of batch) one(tx);
            });
            const { number, ...routes } = controller.table;
            expect(routes).toEqual(built(store));
            const changed = JSON.stringify(before) !== JSON.stringify(built(store));
            expect(tables.length).toBe(changed ? count + 1 : count);
            if (changed) expect(number).toBe(store.view.index);
          }
          const members = new Set(controller.table.nodes.map(({ nodeId }) => nodeId));
          const routed = controller.table.ports.flatMap(({ endpoints }) => endpoints.map(({ nodeId }) => nodeId));
          expect(routed.filter((nodeId) => !members.has(nodeId))).toEqual([]);
          await controller.close();
          await store.close();
        },
      ),
      { numRuns: 300 },
    );
  });
});
