import { once } from 'node:events';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../cli/main.js';
import { DaemonCluster, type DaemonNode } from '../support/daemon-cluster.js';
import { eventually } from '../support/eventually.js';

let cluster: DaemonCluster;
beforeEach(async () => {
  cluster = await DaemonCluster.start();
});
afterEach(() => cluster.end());

const init = (node: DaemonNode, body: Record<string, unknown> = {}) =>
  node.client.ask('/swarm/init', { method: 'POST', body: { ListenAddr: '0.0.0.0:2377', ...body } });

const tokenOf = async (manager: DaemonNode, role: 'Worker' | 'Manager' = 'Worker'): Promise<string> => {
  const { JoinTokens } = (await manager.client.document('/swarm')) as { JoinTokens: Record<string, string> };
  return JoinTokens[role] ?? '';
};

const joinTo = (node: DaemonNode, manager: DaemonNode, token: string) =>
  node.client.ask('/swarm/join', {
    method: 'POST',
    body: { ListenAddr: '0.0.0.0:2377', RemoteAddrs: [manager.listenAddr], JoinToken: token },
  });

const swarmOf = async (node: DaemonNode): Promise<Record<string, unknown>> =>
  ((await node.client.document('/info')) as { Swarm: Record<string, unknown> }).Swarm;

const nodeStates = async (manager: DaemonNode): Promise<Record<string, string>> => {
  const nodes = (await manager.client.document('/nodes')) as { ID: string; Status: { State: string } }[];
  return Object.fromEntries(nodes.map(({ ID, Status }) => [ID, Status.State]));
};

const swarmHeader = async (node: DaemonNode): Promise<string | string[] | undefined> =>
  (await node.client.ask('/_ping')).headers.swarm;

/** What of a membership lies on disk. */
const traces = async (node: DaemonNode): Promise<string[]> =>
  (await readdir(node.options.dataDir)).filter((name) => !['version', 'daemon.lock'].includes(name)).sort();

describe('init', () => {
  test('makes this node the manager of a cluster, ready at once', async () => {
    const manager = await cluster.node('m');
    const answer = await init(manager);
    expect(answer.status).toBe(200);
    const id = JSON.parse(answer.text) as string;
    expect(id).toMatch(/^[0-9a-z]{25}$/);
    expect(await nodeStates(manager)).toEqual({ [id]: 'ready' });
    expect(await swarmOf(manager)).toMatchObject({
      NodeID: id,
      NodeAddr: '127.0.0.1',
      LocalNodeState: 'active',
      ControlAvailable: true,
      Error: '',
      Nodes: 1,
      Managers: 1,
      RemoteManagers: [{ NodeID: id, Addr: manager.listenAddr }],
    });
    expect(await swarmHeader(manager)).toBe('active/manager');
    expect(await tokenOf(manager)).toMatch(/^SWMTKN-1-/);
    expect(await manager.client.document('/swarm/unlockkey')).toEqual({ UnlockKey: '' });
    expect((await manager.client.ask('/swarm/unlock', { method: 'POST' })).status).toBe(409);
    let warned = '';
    const code = await runCli(['-H', `unix://${manager.options.socket}`, 'swarm', 'unlock'], {
      ...{ print: () => undefined, terminal: undefined },
      warn: (text) => void (warned += text),
    });
    expect([code, warned]).toEqual([1, 'swarm is not locked\n']);
    for (const file of ['node/identity.pem', 'membership.json']) {
      expect((await stat(join(manager.options.dataDir, file))).mode & 0o777).toBe(0o600);
    }
  });

  test('of a member is refused, also when two come at a time', async () => {
    const manager = await cluster.node('m');
    const answers = await Promise.all([init(manager), init(manager)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 503]);
    expect(answers.find(({ status }) => status === 503)?.text).toContain('This node is already part of a swarm.');
    expect((await joinTo(manager, manager, await tokenOf(manager))).status).toBe(503);
    expect(Object.keys(await nodeStates(manager))).toHaveLength(1);
  });

  test.each(['--listen-addr', '--mesh-addr'])('with %s in use says so and changes nothing', async (option) => {
    const manager = await cluster.node('m');
    const address = option === '--mesh-addr' ? manager.options.meshAddr : manager.options.listenAddr;
    const holder = createServer().listen(address.port, address.host);
    await once(holder, 'listening');
    const answer = await init(manager);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(`${option}: cannot listen on 127.0.0.1:${address.port}`);
    expect(answer.text).toContain('EADDRINUSE');
    expect(await traces(manager)).toEqual([]);
    holder.close();
    await once(holder, 'close');
    expect((await init(manager)).status).toBe(200);
  });

  test('refuses filters that it cannot read', async () => {
    const manager = await cluster.node('m');
    await init(manager);
    const filters = await manager.client.ask('/services?filters=rubbish');
    expect(filters.status).toBe(400);
    expect(filters.text).toContain('invalid filters: rubbish');
  });
});

describe('join', () => {
  let manager: DaemonNode;
  let worker: DaemonNode;
  beforeEach(async () => {
    manager = await cluster.node('m');
    worker = await cluster.node('w');
    await init(manager);
  });

  test('brings a worker in, ready when it answers', async () => {
    const answer = await joinTo(worker, manager, await tokenOf(manager));
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 200, text: '' });
    expect(Object.values(await nodeStates(manager))).toEqual(['ready', 'ready']);
    expect(await swarmOf(worker)).toMatchObject({
      LocalNodeState: 'active',
      ControlAvailable: false,
      NodeAddr: '127.0.0.1',
      RemoteManagers: [{ Addr: manager.listenAddr }],
    });
    expect(await swarmHeader(worker)).toBe('active/worker');
    const refused = await worker.client.ask('/services');
    expect(refused.status).toBe(503);
    expect(refused.text).toContain("Worker nodes can't be used to view or modify cluster state.");
    expect((await joinTo(worker, manager, await tokenOf(manager))).text).toContain('already part of a swarm');
  });

  test('with the token of a manager is refused and leaves nothing behind', async () => {
    const answer = await joinTo(worker, manager, await tokenOf(manager, 'Manager'));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.text).toMatch(/manager/);
    expect(await traces(worker)).toEqual([]);
    expect(await swarmHeader(worker)).toBe('inactive');
    expect(Object.keys(await nodeStates(manager))).toHaveLength(1);
  });

  test('with a wrong secret is refused, and works with the right one afterwards', async () => {
    const token = await tokenOf(manager);
    const wrong = `${token.slice(0, -25)}${'0'.repeat(25)}`;
    expect((await joinTo(worker, manager, wrong)).status).toBeLessThan(500);
    expect(await traces(worker)).toEqual([]);
    expect((await joinTo(worker, manager, token)).status).toBe(200);
  });

  test('that was let in and then failed is the same node when it comes again, also after a restart', async () => {
    const token = await tokenOf(manager);
    // What the manager answers cannot be written down.
    await writeFile(join(worker.options.dataDir, 'node'), '');
    expect((await joinTo(worker, manager, token)).status).toBe(500);
    const made = Object.keys(await nodeStates(manager));
    expect(made).toHaveLength(2);
    expect(await traces(worker)).toEqual(['join-key.pem']);
    expect((await stat(join(worker.options.dataDir, 'join-key.pem'))).mode & 0o777).toBe(0o600);
    await worker.stop();
    await worker.start();
    expect(await swarmHeader(worker)).toBe('inactive');
    expect((await joinTo(worker, manager, token)).status).toBe(200);
    expect(await nodeStates(manager)).toEqual(Object.fromEntries(made.map((id) => [id, 'ready'])));
    expect(await traces(worker)).toEqual(['membership.json', 'node']);
  });

  test('to a manager that is not there is refused with its address', async () => {
    const token = await tokenOf(manager);
    await manager.stop();
    const answer = await joinTo(worker, manager, token);
    expect(answer.status).toBe(503);
    expect(answer.text).toContain(manager.listenAddr);
    expect(await traces(worker)).toEqual([]);
  });

  test('is undone by leave: the mesh ends, the state is gone, the node is down, and it can join again', async () => {
    await joinTo(worker, manager, await tokenOf(manager));
    const id = (await swarmOf(worker)).NodeID as string;
    const left = await worker.client.ask('/swarm/leave', { method: 'POST' });
    expect({ status: left.status, text: left.text }).toEqual({ status: 200, text: '' });
    expect(worker.meshes.at(-1)?.history).toEqual(['started', 'quit']);
    expect(await traces(worker)).toEqual([]);
    expect(await swarmHeader(worker)).toBe('inactive');
    expect((await nodeStates(manager))[id]).toBe('down');
    expect((await joinTo(worker, manager, await tokenOf(manager))).status).toBe(200);
    expect(Object.values(await nodeStates(manager)).sort()).toEqual(['down', 'ready', 'ready']);
  });

  test('of a node that was then removed shows why it is out, and the node can leave', async () => {
    await joinTo(worker, manager, await tokenOf(manager));
    const id = (await swarmOf(worker)).NodeID as string;
    expect((await manager.client.ask(`/nodes/${id}?force=1`, { method: 'DELETE' })).status).toBe(200);
    const swarm = await eventually('the worker to see that it was removed', async () => {
      const seen = await swarmOf(worker);
      return seen.LocalNodeState === 'error' ? seen : undefined;
    });
    expect(swarm.Error).not.toBe('');
    expect(await swarmHeader(worker)).toBe('error');
    expect((await worker.client.ask('/swarm/leave', { method: 'POST' })).status).toBe(200);
    expect(await traces(worker)).toEqual([]);
  });
});

describe('a manager', () => {
  test('leaves only by force, and then nothing is left', async () => {
    const manager = await cluster.node('m');
    await init(manager);
    const refused = await manager.client.ask('/swarm/leave', { method: 'POST' });
    expect(refused.status).toBe(503);
    expect(refused.text).toContain('Removing the last manager erases all current state of the swarm.');
    expect(await swarmHeader(manager)).toBe('active/manager');
    expect((await manager.client.ask('/swarm/leave?force=1', { method: 'POST' })).status).toBe(200);
    expect(await traces(manager)).toEqual([]);
    expect(manager.meshes.at(-1)?.history).toEqual(['started', 'quit']);
    expect((await init(manager)).status).toBe(200);
  });

  test('comes back with its daemon: same cluster, and requests wait for it', async () => {
    const manager = await cluster.node('m');
    const id = JSON.parse((await init(manager)).text) as string;
    const token = await tokenOf(manager);
    await manager.stop();
    expect(manager.meshes.at(-1)?.history).toEqual(['started', 'closed']);
    await manager.start();
    expect(await tokenOf(manager)).toBe(token);
    expect(Object.keys(await nodeStates(manager))).toEqual([id]);
    expect((await swarmOf(manager)).NodeID).toBe(id);
  });

  test('whose Engine is down still shows the cluster, and says what is wrong', async () => {
    const manager = await cluster.node('m');
    const id = JSON.parse((await init(manager)).text) as string;
    await cluster.engine.stop();
    expect(Object.keys(await nodeStates(manager))).toEqual([id]);
    expect(await manager.client.document('/v1.41/info')).toMatchObject({
      Swarm: { NodeID: id, ControlAvailable: true },
      Warnings: [expect.stringContaining('cannot reach the Docker Engine')],
    });
  });

  test('whose state was lost ends its daemon with one error', async () => {
    const manager = await cluster.node('m');
    await init(manager);
    await manager.stop();
    await rm(join(manager.options.dataDir, 'manager', 'ca.key'));
    await manager.start();
    expect((await manager.daemon.failed).message).toMatch(/ca\.key/);
  });
});

describe('a start', () => {
  test('wipes what an init or join left half-made', async () => {
    const node = await cluster.node('m');
    await node.stop();
    await mkdir(join(node.options.dataDir, 'manager', 'journal'), { recursive: true });
    await mkdir(join(node.options.dataDir, 'node'));
    await writeFile(join(node.options.dataDir, 'node', 'identity.pem'), 'half');
    await node.start();
    expect(await traces(node)).toEqual([]);
    expect(await swarmHeader(node)).toBe('inactive');
  });

  test('with an unreadable record is refused and touches nothing', async () => {
    const node = await cluster.node('m');
    await init(node);
    await node.stop();
    await writeFile(join(node.options.dataDir, 'membership.json'), '{"nodeId":');
    await expect(node.start()).rejects.toMatchObject({ code: 'BALE_MEMBERSHIP_UNREADABLE' });
    expect(await traces(node)).toEqual(['manager', 'membership.json', 'node']);
  });
});
