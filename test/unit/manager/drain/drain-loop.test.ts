import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { startDrainLoop } from '../../../../manager/drain/drain-loop.js';
import { Handshake } from '../../../../manager/drain/handshake.js';
import { startEndpointController } from '../../../../manager/endpoints/endpoint-controller.js';
import { startOrchestrator } from '../../../../manager/orchestrator/orchestrator.js';
import type { NodeObject, TaskObject } from '../../../../manager/store/objects.js';
import { openStore } from '../../../../manager/store/store.js';
import type { Store } from '../../../../manager/store/store-types.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { memoryJournal } from '../../../support/memory-journal.js';
import { draftNode, draftService, ingressPort } from '../../../support/stored-objects.js';

const logger = createLogger('silent');
let clock: FakeClock;
let store: Store;
let handshake: Handshake;
let acks: Map<string, { tableNumber: number; inFlight: Record<string, number> }>;
let report: () => void;
let table: () => number;
let parts: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  clock = new FakeClock();
  acks = new Map();
  store = await openStore({ journal: memoryJournal(), clock, logger });
  await store.update((tx) => {
    for (const id of ['n1', 'n2']) tx.put('node', draftNode(id, { meshAddr: `${id}:2378` }));
    tx.put('service', draftService('web', { ports: [ingressPort(80, 8080)], replicas: 1 }));
  });
  const endpoints = startEndpointController({ store, logger });
  table = () => endpoints.table.number;
  handshake = new Handshake({ endpoints, acks: () => acks });
  const onMeshReport = (listener: () => void) => {
    report = listener;
    return () => undefined;
  };
  parts = [
    endpoints,
    startOrchestrator({ store, clock, logger }),
    startDrainLoop({ store, handshake, onMeshReport, clock, logger }),
  ];
  await clock.advance(0);
  await store.update((tx) => {
    const { id } = onlyTask();
    const task = tx.get('task', id);
    if (task === undefined) throw new Error('no task');
    tx.put('task', { ...task, nodeId: 'n1', status: { ...task.status, State: 'running' } });
  });
});
afterEach(async () => {
  for (const part of parts.reverse()) await part.close();
  await store.close();
});

const onlyTask = (): TaskObject => {
  const [task] = store.view.all('task');
  if (task === undefined) throw new Error('no task');
  return task;
};
const ack = async (node: string, tableNumber: number, inFlight = 0): Promise<void> => {
  acks.set(node, { tableNumber, inFlight: inFlight === 0 ? {} : { [onlyTask().id]: inFlight } });
  report();
  await clock.advance(10);
};
const scaleToZero = async (): Promise<void> => {
  await store.update((tx) => {
    tx.put('service', draftService('web', { ports: [ingressPort(80, 8080)], replicas: 0 }));
  });
  await clock.advance(0);
};
const setNode = (id: string, fields: Partial<NodeObject>): Promise<void> =>
  store.update((tx) => {
    tx.put('node', draftNode(id, { meshAddr: `${id}:2378`, ...fields }));
  });

describe('a task that shall stop and serves', () => {
  test('is told to stop only when all meshes have let go of it and nothing is in flight', async () => {
    await scaleToZero();
    expect(onlyTask()).toMatchObject({ desiredState: 'running', draining: { then: 'remove' } });
    await ack('n1', table(), 2);
    await ack('n2', table() - 1);
    expect(handshake.drain(onlyTask(), store.view, clock.now()).reason).toBe(
      'draining on n1, waiting for the mesh of n2, 2 requests in flight, 30 s left',
    );
    await ack('n2', table());
    await ack('n1', table(), 1);
    expect(onlyTask().desiredState).toBe('running');
    await ack('n1', table());
    expect(onlyTask()).toMatchObject({ desiredState: 'remove' });
    expect(onlyTask().draining).toBeUndefined();
  });

  test('is stopped at its deadline whatever is in flight', async () => {
    await scaleToZero();
    await ack('n1', table(), 2);
    await ack('n2', table());
    await clock.advance(29_900);
    expect(onlyTask().desiredState).toBe('running');
    await clock.advance(200);
    expect(onlyTask().desiredState).toBe('remove');
  });

  test('does not wait for the mesh of a node that went down', async () => {
    await scaleToZero();
    await ack('n1', table());
    expect(onlyTask().desiredState).toBe('running');
    await setNode('n2', { status: { state: 'down', message: '', addr: '' } });
    await clock.advance(10);
    expect(onlyTask().desiredState).toBe('remove');
  });

  test('does not wait at all when its own node is lost', async () => {
    await scaleToZero();
    await setNode('n1', { status: { state: 'down', message: '', addr: '' } });
    await clock.advance(10);
    expect(onlyTask().desiredState).toBe('remove');
  });

  test('drains also when its service is removed, with name and port free at once', async () => {
    await store.update((tx) => {
      tx.delete('service', 'web');
    });
    await clock.advance(0);
    expect(onlyTask()).toMatchObject({ desiredState: 'running', draining: { then: 'remove' } });
    await ack('n1', table(), 1);
    await ack('n2', table());
    expect(onlyTask().desiredState).toBe('running');
    await ack('n1', table());
    expect(onlyTask().desiredState).toBe('remove');
  });
});
