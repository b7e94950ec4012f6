import { afterEach, describe, expect, it } from 'vitest';
import { IdentitySource, type NodeIdentity } from '../../core/identity.js';
import { newId } from '../../core/id.js';
import { BaleError } from '../../core/errors.js';
import { announceLeave, openSession, renewCertificate } from '../../proto/cluster-client.js';
import type { AgentSession, ManagerSession } from '../../proto/cluster-peer.js';
import { createCsr, newPrivateKey, readSubject } from '../../core/x509.js';
import type { TaskStatus } from '../../proto/engine/task-document.js';
import type { ManagerMessage } from '../../proto/session.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { certificateShown, openSessionAsStranger } from '../support/stranger.js';
import { joinAsWorker, startTestClusterPort, type TestClusterPort } from '../support/test-cluster-port.js';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const port of opened.splice(0)) await port.close();
});

async function start(...options: Parameters<typeof startTestClusterPort>): Promise<TestClusterPort> {
  const port = await startTestClusterPort(...options);
  opened.push(port);
  return port;
}

const ended = (stream: AgentSession | ManagerSession): Promise<Error | undefined> =>
  new Promise((resolve) => {
    stream.onEnd(resolve);
  });

/** Why a session of this identity ends. */
async function refusal(port: TestClusterPort, identity: NodeIdentity): Promise<Error | undefined> {
  return ended(openSession(port.addr, new IdentitySource(identity)));
}

const welcome = (port: TestClusterPort, heartbeatPeriod: number): ManagerMessage => ({
  kind: 'welcome',
  clusterId: port.ca.clusterId,
  heartbeatPeriod,
  trustRoot: port.ca.certificate,
  managers: [{ nodeId: port.identity.current.nodeId, addr: port.addr }],
});

describe('a session', () => {
  it('carries messages both ways in order and ends in order', async () => {
    const port = await start();
    const session = openSession(port.addr, new IdentitySource(await joinAsWorker(port)));
    const down: ManagerMessage[] = [];
    session.onMessage((message) => down.push(message));
    session.send({ kind: 'heartbeat' });
    session.send({ kind: 'statuses', statuses: [] });
    const { stream } = await port.nextSession();
    const up: string[] = [];
    const agentEnd = ended(session);
    const managerEnd = ended(stream);
    await new Promise<void>((resolve) => {
      stream.onMessage((message) => {
        up.push(message.kind);
        if (message.kind === 'goodbye') resolve();
        else stream.send(welcome(port, up.length));
      });
      session.send({ kind: 'goodbye' });
    });
    session.end();
    expect(await managerEnd).toBeUndefined();
    expect(await agentEnd).toBeUndefined();
    expect(up).toEqual(['heartbeat', 'statuses', 'goodbye']);
    expect(down).toEqual([welcome(port, 1), welcome(port, 2)]);
  });

  it('ended by the manager with an error tells the agent kind, code and message', async () => {
    const port = await start();
    const session = openSession(port.addr, new IdentitySource(await joinAsWorker(port)));
    const agentEnd = ended(session);
    const { stream } = await port.nextSession();
    const managerEnd = ended(stream);
    stream.send(welcome(port, 1));
    const error = new BaleError('node x was removed – für immer', { kind: 'forbidden', code: 'BALE_NODE_REMOVED' });
    stream.end(error);
    expect(await agentEnd).toMatchObject({ kind: error.kind, code: error.code, message: error.message });
    expect(await managerEnd).toBe(error);
  });

  it('ends at once on both sides when the connection breaks, and when the manager stops', async () => {
    const port = await start();
    const session = openSession(port.addr, new IdentitySource(await joinAsWorker(port)));
    const agentEnd = ended(session);
    const { stream } = await port.nextSession();
    const managerEnd = ended(stream);
    session.end(new Error('the agent dies'));
    expect(await managerEnd).toMatchObject({ code: 'BALE_SESSION_BROKEN' });
    expect(await agentEnd).toMatchObject({ message: 'the agent dies' });

    const second = ended(openSession(port.addr, new IdentitySource(await joinAsWorker(port))));
    await port.nextSession();
    await port.close();
    opened.pop();
    expect(await second).toMatchObject({ kind: 'unavailable', code: 'BALE_MANAGER_STOPS' });
  });

  it('is ended with a clear error by a message that cannot be read', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    const session = openSession(port.addr, new IdentitySource(identity));
    const agentEnd = ended(session);
    const status = JSON.parse('{"Timestamp":"now","State":"running","Message":7}') as TaskStatus;
    session.send({ kind: 'statuses', statuses: [{ taskId: 't1', status }] });
    const { stream } = await port.nextSession();
    const got: unknown[] = [];
    stream.onMessage((message) => got.push(message));
    expect(await agentEnd).toMatchObject({
      kind: 'invalid',
      code: 'BALE_MESSAGE_MALFORMED',
      message: 'a message of the peer cannot be read: status of task t1.Message is not a string',
    });
    expect(got).toEqual([]);
    await expect(joinAsWorker(port)).resolves.toMatchObject({ role: 'worker' });
  });

  it('is ended when a message up is larger than 4 MiB; larger ones down arrive', async () => {
    const port = await start();
    const identity = new IdentitySource(await joinAsWorker(port));
    const session = openSession(port.addr, identity);
    const { stream } = await port.nextSession();
    const arrived = new Promise<ManagerMessage>((resolve) => {
      session.onMessage(resolve);
    });
    const large = { ...welcome(port, 1), trustRoot: 'x'.repeat(6 * 1024 * 1024) };
    stream.send(large);
    expect(await arrived).toEqual(large);
    const agentEnd = ended(session);
    const report = { tableNumber: 1, bindErrors: [], inFlight: { ['x'.repeat(5 * 1024 * 1024)]: 1 } };
    session.send({ kind: 'mesh', report });
    expect(await agentEnd).toMatchObject({ code: 'BALE_MESSAGE_TOO_LARGE' });
  });

  it('survives an error of its listener: the peer is told, the port serves on', async () => {
    const port = await start();
    const session = openSession(port.addr, new IdentitySource(await joinAsWorker(port)));
    const agentEnd = ended(session);
    const { stream } = await port.nextSession();
    stream.onMessage(() => {
      throw new Error('a bug with a secret');
    });
    session.send({ kind: 'heartbeat' });
    expect(await agentEnd).toMatchObject({ kind: 'internal', code: 'BALE_INTERNAL' });
    expect(String(await agentEnd)).not.toContain('secret');
  });

  it('leaves nothing open after many', async () => {
    const port = await start();
    const identity = new IdentitySource(await joinAsWorker(port));
    const sockets = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name)).length;
    const before = sockets();
    for (let round = 0; round < 100; round += 1) {
      const session = openSession(port.addr, identity);
      const { stream } = await port.nextSession();
      const both = Promise.all([ended(session), ended(stream)]);
      if (round % 2 === 0) session.end();
      else stream.end();
      await both;
    }
    await eventually('all of them to be closed', () => Promise.resolve(sockets() <= before + 1));
  });
});

describe('who is refused', () => {
  it('a peer without a certificate on anything but joining', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    expect(await openSessionAsStranger(port.addr, identity.trustRoot)).toMatchObject({
      code: 'BALE_CERTIFICATE_REQUIRED',
      kind: 'unauthenticated',
    });
  });

  it('a removed node, from that moment', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    await port.store.update((tx) => {
      const [cluster] = tx.all('cluster');
      if (cluster !== undefined) tx.put('cluster', { ...cluster, removedNodes: { [identity.nodeId]: Date.now() } });
      tx.delete('node', identity.nodeId);
    });
    expect(await refusal(port, identity)).toMatchObject({
      kind: 'forbidden',
      code: 'BALE_NODE_REMOVED',
      message: expect.stringContaining(
        `node ${identity.nodeId} was removed from cluster ${port.ca.clusterId}`,
      ) as string,
    });
    const signal = AbortSignal.timeout(20_000);
    const source = new IdentitySource(identity);
    await expect(announceLeave(port.addr, source, signal)).rejects.toMatchObject({ code: 'BALE_NODE_REMOVED' });
    const csr = createCsr(newPrivateKey());
    await expect(renewCertificate(port.addr, source, csr, signal)).rejects.toMatchObject({ code: 'BALE_NODE_REMOVED' });
  });

  it('a node that the cluster never had', async () => {
    const port = await start();
    const nodeId = newId();
    expect(await refusal(port, port.ca.identity(nodeId))).toMatchObject({
      code: 'BALE_NODE_UNKNOWN',
      message: expect.stringContaining(`cluster ${port.ca.clusterId} does not know node ${nodeId}`) as string,
    });
  });

  it('a certificate of another cluster, with both named', async () => {
    const port = await start();
    const other = await TestCa.create(newId());
    const stolen = { ...other.identity(newId()), trustRoot: port.ca.certificate };
    expect(await refusal(port, stolen)).toMatchObject({
      code: 'BALE_OTHER_CLUSTER',
      message: `node ${stolen.nodeId}: certificate of cluster ${other.clusterId} presented to cluster ${port.ca.clusterId}`,
    });
  });

  it('a certificate of the right root that names another cluster', async () => {
    const port = await start();
    const identity = port.ca.identity(newId(), 'manager', { clusterId: 'elsewhere' });
    expect(await refusal(port, identity)).toMatchObject({ code: 'BALE_OTHER_CLUSTER' });
  });

  it('an expired certificate, saying what to do', async () => {
    const port = await start();
    const day = 24 * 60 * 60 * 1000;
    const identity = port.ca.identity(newId(), 'worker', { now: Date.now() - 3 * day, lifetime: day });
    expect(await refusal(port, identity)).toMatchObject({
      code: 'BALE_CERTIFICATE_EXPIRED',
      message: expect.stringContaining('"bale swarm leave --force" and join again') as string,
    });
  });

  it('by the agent: a worker of its own cluster that poses as a manager, and a manager of another', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    const other = await start();
    expect(await refusal(other, identity)).toMatchObject({
      code: 'BALE_CA_MISMATCH',
      message: expect.stringContaining(`the manager at ${other.addr} has a certificate of another cluster`) as string,
    });
    port.identity.replace(port.ca.identity(newId(), 'worker'));
    expect(await refusal(port, identity)).toMatchObject({ code: 'BALE_NOT_A_MANAGER' });
  });
});

describe('leaving and renewing', () => {
  it('tells the manager who leaves', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    await announceLeave(port.addr, new IdentitySource(identity), AbortSignal.timeout(20_000));
    expect(port.leaves).toMatchObject([{ nodeId: identity.nodeId, role: 'worker' }]);
  });

  it('renews in the role of the store, whatever the certificate says', async () => {
    const port = await start();
    const joined = await joinAsWorker(port);
    const posing = port.ca.identity(joined.nodeId, 'manager');
    const csr = createCsr(newPrivateKey());
    const signal = AbortSignal.timeout(20_000);
    const certificate = await renewCertificate(port.addr, new IdentitySource(posing), csr, signal);
    expect(readSubject(certificate)).toEqual({
      nodeId: joined.nodeId,
      clusterId: port.ca.clusterId,
      role: 'worker',
    });
  });

  it('serves new connections by the renewed identity of the server while sessions stay up', async () => {
    const port = await start();
    const identity = new IdentitySource(await joinAsWorker(port));
    const session = openSession(port.addr, identity);
    const { stream } = await port.nextSession();
    const before = await certificateShown(port.addr);
    port.identity.replace(port.ca.identity(port.identity.current.nodeId, 'manager'));
    expect(await certificateShown(port.addr)).not.toBe(before);
    const echoed = new Promise<ManagerMessage>((resolve) => {
      session.onMessage(resolve);
    });
    stream.send(welcome(port, 3));
    expect(await echoed).toEqual(welcome(port, 3));
    session.end();
  });
});
