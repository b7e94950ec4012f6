import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../../../core/logger.js';
import { Dispatcher } from '../../../../manager/dispatcher/dispatcher.js';
import { startEndpointController, type EndpointController } from '../../../../manager/endpoints/endpoint-controller.js';
import type { TaskStatus } from '../../../../proto/engine/task-document.js';
import type { TaskState } from '../../../../proto/engine/task-state.js';
import type { Payload } from '../../../../proto/payload.js';
import { hello, MemorySession } from '../../../support/cluster-session.js';
import { draftNode, draftService, draftTask, ingressPort } from '../../../support/stored-objects.js';
import { machine, openTestApi, type TestApi } from '../../../support/test-api.js';

const PAYLOAD: Payload = { kind: 'secret', id: 's1', name: 'key', data: Buffer.from('v'), templated: false };

let cluster: TestApi;
let endpoints: EndpointController;
let dispatcher: Dispatcher;

const status = (State: TaskState): TaskStatus => ({ Timestamp: '2026-01-01T00:00:00.000Z', State, Message: '' });

function open(nodeId: string): MemorySession {
  const session = new MemorySession();
  dispatcher.session({ nodeId, clusterId: 'cluster', role: 'worker', address: '10.0.0.9' }, session);
  return session;
}

async function greeted(nodeId: string, over: Parameters<typeof hello>[1] = {}): Promise<MemorySession> {
  const session = open(nodeId);
  session.say(hello(nodeId, over));
  await cluster.clock.advance(1);
  return session;
}

beforeEach(async () => {
  cluster = await openTestApi();
  const { store, clock } = cluster;
  const logger = createLogger('silent');
  await cluster.write((tx) => {
    for (const id of ['a', 'b']) {
      tx.put('node', draftNode(id, { status: { state: 'unknown', message: 'joined', addr: '' } }));
    }
    tx.put('service', draftService('web', { ports: [ingressPort(80, 8080)] }));
    tx.put('task', draftTask('t1', 'web', { nodeId: 'a', status: status('assigned') }));
    tx.put('task', draftTask('t2', 'web', { nodeId: 'b', status: status('running'), slot: 2 }));
  });
  endpoints = startEndpointController({ store, logger });
  const probe = (): Promise<{ kind: 'silent'; error: string }> => Promise.resolve({ kind: 'silent', error: 'cut' });
  dispatcher = new Dispatcher({ store, endpoints, payloadOf: () => PAYLOAD, probe, clock, logger });
});

afterEach(async () => {
  await dispatcher.close();
  await endpoints.close();
  await cluster.store.close();
});

describe('a session', () => {
  it('begins with the node’s own words, a welcome, its tasks and the endpoint table', async () => {
    const session = await greeted('a', { meshAddr: '10.0.0.9:2378' });
    expect(cluster.store.view.get('node', 'a')).toMatchObject({
      description: machine('a'),
      status: { state: 'ready', message: '', addr: '10.0.0.9' },
      meshAddr: '10.0.0.9:2378',
    });
    expect(session.received.map(({ kind }) => kind).slice(0, 3)).toEqual(['welcome', 'assignments', 'endpoints']);
    expect(session.heard('welcome')[0]).toEqual({
      kind: 'welcome',
      clusterId: 'cluster',
      heartbeatPeriod: 500,
      trustRoot: cluster.rootCertificate,
      managers: [{ nodeId: expect.any(String) as string, addr: '127.0.0.1:2377' }],
    });
    expect(session.heard('assignments')[0]?.assignments).toMatchObject({
      kind: 'complete',
      resultsIn: 1,
      set: [{ taskId: 't1', desiredState: 'running' }],
    });
    expect(session.heard('endpoints')[0]?.table.clusterId).toBe('cluster');
  });

  it('tells what changes after it, numbered without gaps', async () => {
    const session = await greeted('a');
    await cluster.write((tx) => {
      tx.put('task', draftTask('t3', 'web', { nodeId: 'a', slot: 3 }));
      tx.put('task', draftTask('t4', 'web', { nodeId: 'b', slot: 4 }));
    });
    await cluster.write((tx) => {
      tx.delete('task', 't1');
    });
    const changes = session.heard('assignments').slice(1);
    expect(changes.map(({ assignments }) => assignments)).toMatchObject([
      { kind: 'incremental', appliesTo: 1, resultsIn: 2, set: [{ taskId: 't3' }], remove: [] },
      { kind: 'incremental', appliesTo: 2, resultsIn: 3, set: [], remove: ['t1'] },
    ]);
  });

  it('brings the secrets that its tasks need before them, each once, and those of other nodes not at all', async () => {
    const File = { Name: 'key', UID: '0', GID: '0', Mode: 0o400 };
    const spec = { ContainerSpec: { Image: 'i', Secrets: [{ SecretID: 's1', SecretName: 'key', File }] } };
    const [a, b] = [await greeted('a'), await greeted('b')];
    await cluster.write((tx) => {
      tx.put('task', draftTask('t3', 'web', { nodeId: 'a', slot: 3, spec }));
    });
    await cluster.write((tx) => {
      tx.put('task', draftTask('t4', 'web', { nodeId: 'a', slot: 4, spec }));
    });
    expect(a.heard('payloads')).toEqual([{ kind: 'payloads', payloads: [PAYLOAD] }]);
    expect(a.received.map(({ kind }) => kind).slice(-3)).toEqual(['payloads', 'assignments', 'assignments']);
    expect(b.heard('payloads')).toEqual([]);
    const again = await greeted('a');
    expect(again.received.map(({ kind }) => kind).slice(0, 3)).toEqual(['welcome', 'payloads', 'assignments']);
  });

  it('misses nothing that is committed while its hello is written', async () => {
    const session = open('a');
    session.say(hello('a'));
    await cluster.write((tx) => {
      tx.put('task', draftTask('t3', 'web', { nodeId: 'a', slot: 3 }));
    });
    await cluster.clock.advance(1);
    const known = session
      .heard('assignments')
      .flatMap(({ assignments }) => assignments.set.map(({ taskId }) => taskId));
    expect([...new Set(known)].sort()).toEqual(['t1', 't3']);
  });

  it('ends an earlier one of the same node, which does not count any more', async () => {
    const first = await greeted('a');
    const second = await greeted('a');
    expect(first.ending).toContain('opened another session');
    expect(second.ending).toBeUndefined();
    expect(dispatcher.suspects().has('a')).toBe(false);
    await cluster.clock.advance(300);
    expect(cluster.store.view.get('node', 'a')?.status.state).toBe('ready');
  });

  it('is refused to another protocol version with both named, and the node stays as it was', async () => {
    const session = await greeted('a', { protocolVersion: 7, baleVersion: '9.9' });
    expect(session.ending).toBe(
      'node a (bale 9.9) speaks protocol version 7, this side speaks 1: run the same version of bale on both',
    );
    expect(cluster.store.view.get('node', 'a')?.status.state).toBe('unknown');
  });

  it('is refused to a node without a row', async () => {
    expect((await greeted('stranger')).ending).toContain('does not know node stranger');
  });

  it('is refused when the mesh address is none', async () => {
    expect((await greeted('a', { meshAddr: 'no:where:1' })).ending).toContain('mesh address: "no:where:1"');
  });

  it('must begin with a hello, has one, and soon', async () => {
    const early = open('a');
    early.say({ kind: 'heartbeat' });
    expect(early.ending).toBe('a session begins with a hello, not with "heartbeat"');
    const twice = await greeted('a');
    twice.say(hello('a'));
    expect(twice.ending).toBe('a session has one hello');
    const silent = open('b');
    await cluster.clock.advance(5_000);
    expect(silent.ending).toBe('no hello came within 5 s');
  });

  it('ends at once when its node is removed', async () => {
    const session = await greeted('a');
    await cluster.write((tx) => {
      tx.delete('node', 'a');
    });
    expect(session.ending).toContain('node a was removed from the cluster');
    expect(dispatcher.suspects().has('a')).toBe(false);
  });

  it('is told of another heartbeat period', async () => {
    const session = await greeted('a');
    await cluster.write((tx) => {
      const row = tx.get('cluster', 'cluster');
      if (row !== undefined) tx.put('cluster', { ...row, spec: { ...row.spec, Dispatcher: { HeartbeatPeriod: 2e9 } } });
    });
    expect(session.heard('welcome').map(({ heartbeatPeriod }) => heartbeatPeriod)).toEqual([500, 2_000]);
  });

  it('opened in a loop by one node is refused soon, and the others do not notice', async () => {
    const other = await greeted('b');
    const endings: (string | undefined)[] = [];
    for (let count = 0; count < 100; count += 1) endings.push((await greeted('a')).ending);
    expect(endings.filter((ending) => ending?.includes('must wait before its next session'))).toHaveLength(88);
    expect(other.ending).toBeUndefined();
    await cluster.clock.advance(8_000);
    expect((await greeted('a')).ending).toBeUndefined();
  });
});

describe('endpoint tables', () => {
  it('go to every session, the newest only when they change fast', async () => {
    const session = await greeted('a');
    await cluster.clock.advance(100);
    const before = session.heard('endpoints').length;
    await greeted('b');
    for (let slot = 10; slot < 30; slot += 1) {
      await cluster.write((tx) => {
        tx.put('task', draftTask(`t${slot}`, 'web', { nodeId: 'b', slot, status: status('running') }));
      });
    }
    expect(session.heard('endpoints').length - before).toBeLessThanOrEqual(2);
    await cluster.clock.advance(100);
    expect(session.heard('endpoints').at(-1)?.table).toBe(endpoints.table);
    expect(endpoints.table.ports[0]?.endpoints).toHaveLength(21);
  });
});

describe('what agents report', () => {
  it('of their tasks is written in one transaction for all of them', async () => {
    const a = await greeted('a');
    const b = await greeted('b');
    const { appends } = cluster.disk;
    a.say({ kind: 'statuses', statuses: [{ taskId: 't1', status: status('preparing') }] });
    a.say({ kind: 'statuses', statuses: [{ taskId: 't1', status: status('starting') }] });
    b.say({ kind: 'statuses', statuses: [{ taskId: 't2', status: status('failed') }] });
    await cluster.clock.advance(1);
    expect(cluster.disk.appends - appends).toBe(1);
    expect(cluster.store.view.get('task', 't1')?.status.State).toBe('starting');
    expect(cluster.store.view.get('task', 't2')?.status.State).toBe('failed');
  });

  it('never lowers a state and never touches another node’s task', async () => {
    const a = await greeted('a');
    a.say({
      kind: 'statuses',
      statuses: [
        { taskId: 't2', status: status('failed') },
        { taskId: 't1', status: status('running') },
      ],
    });
    await cluster.clock.advance(1);
    a.say({ kind: 'statuses', statuses: [{ taskId: 't1', status: status('starting') }] });
    await cluster.clock.advance(1);
    expect(cluster.store.view.get('task', 't2')?.status.State).toBe('running');
    expect(cluster.store.view.get('task', 't1')?.status.State).toBe('running');
  });

  it('counts only in the session that counts', async () => {
    const first = await greeted('a');
    await greeted('a');
    first.say({ kind: 'statuses', statuses: [{ taskId: 't1', status: status('failed') }] });
    await cluster.clock.advance(1);
    expect(cluster.store.view.get('task', 't1')?.status.State).toBe('assigned');
  });

  it('of a dead Engine takes the node down until the Engine is back', async () => {
    const session = await greeted('a', { engineError: 'connect ENOENT /var/run/docker.sock' });
    const row = (): unknown => cluster.store.view.get('node', 'a')?.status;
    expect(row()).toMatchObject({ state: 'down', message: 'Docker Engine: connect ENOENT /var/run/docker.sock' });
    session.say({ kind: 'condition', description: machine('a'), engineError: '' });
    await cluster.clock.advance(1);
    expect(row()).toMatchObject({ state: 'ready', message: '' });
  });

  it('of their mesh is kept: acknowledgements in memory, ports that failed in the store', async () => {
    const session = await greeted('a');
    const bindErrors = [{ publishedPort: 80, protocol: 'tcp' as const, error: 'address already in use' }];
    session.say({ kind: 'mesh', report: { tableNumber: 7, bindErrors, inFlight: { t1: 3 } } });
    await cluster.clock.advance(1);
    expect(dispatcher.meshAcks().get('a')).toEqual({ tableNumber: 7, inFlight: { t1: 3 } });
    expect(cluster.store.view.get('node', 'a')?.portErrors).toEqual(bindErrors);
    const { appends } = cluster.disk;
    session.say({ kind: 'mesh', report: { tableNumber: 8, bindErrors, inFlight: {} } });
    await cluster.clock.advance(1);
    expect(dispatcher.meshAcks().get('a')?.tableNumber).toBe(8);
    expect(cluster.disk.appends).toBe(appends);
  });

  it('as a goodbye is no failure', async () => {
    const session = await greeted('a');
    session.say({ kind: 'goodbye' });
    expect(session.ending).toBe('in order');
    await cluster.clock.advance(100);
    expect(cluster.store.view.get('node', 'a')?.status.state).toBe('disconnected');
  });
});
