import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Mesh } from '../../agent/mesh/mesh.js';
import { createMeshLogger } from '../../agent/mesh/mesh-logger.js';
import { formatHostPort } from '../../core/address.js';
import { systemClock } from '../../core/clock.js';
import { loadIdentity } from '../../core/identity-file.js';
import type { MeshPeer, PublishedPort } from '../../proto/endpoint-table.js';
import { DaemonCluster } from '../support/daemon-cluster.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { TestCa } from '../support/identities.js';
import { ControlClient, endpointTable, meshConfig, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

interface Running {
  readonly peer: MeshPeer;
  readonly mesh: Mesh;
  readonly daemon: ControlClient;
}

describe('a mesh', () => {
  let ca: TestCa;
  let cleanUps: (() => unknown)[];
  let replica: Replica;

  beforeEach(async () => {
    ca = await TestCa.create();
    cleanUps = [];
    replica = await Replica.http('task1', 'node1', (incoming, outgoing) => {
      outgoing.end(String(incoming.headers['x-forwarded-for']));
    });
    cleanUps.push(() => replica.stop());
  });

  afterEach(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });

  async function start(nodeId: string, listenHost: string, publishAddr: string): Promise<Running> {
    const directory = await mkdtemp(join(tmpdir(), 'mesh-'));
    cleanUps.push(() => rm(directory, { recursive: true }));
    const port = await freePort();
    const config = {
      ...(await meshConfig(ca.identity(nodeId), directory, publishAddr)),
      listenAddr: formatHostPort({ host: listenHost, port }),
    };
    const logger = createMeshLogger(config.logLevel);
    const onQuit = (): undefined => undefined;
    const mesh = await Mesh.start({ config, loadIdentity, logger, clock: systemClock, random: Math.random, onQuit });
    const daemon = await ControlClient.connect(config.socket);
    cleanUps.push(async () => {
      daemon.close();
      await mesh.close(0);
    });
    // Who listens on all addresses is dialled by IPv6 here.
    const meshAddr = formatHostPort({ host: '::1', port });
    return { peer: { nodeId, meshAddr }, mesh, daemon };
  }

  async function publish(running: readonly Running[], port: PublishedPort): Promise<void> {
    const table = endpointTable(
      ca.clusterId,
      running.map(({ peer }) => peer),
      [port],
    );
    for (const { daemon, peer } of running) {
      daemon.send({ kind: 'locals', locals: peer.nodeId === 'node1' ? [replica.local] : [] });
      daemon.send({ kind: 'table', table });
      await daemon.until(() => (daemon.last?.tableNumber ?? 0) >= table.number);
      expect(daemon.last?.bindErrors).toEqual([]);
    }
  }

  test.each(['0.0.0.0', '::'])(
    'that publishes on %s serves clients of IPv4 and IPv6, named by plain addresses',
    async (publishAddr) => {
      const node = await start('node1', '0.0.0.0', publishAddr);
      const port = await freePort();
      await publish([node], publishedPort([replica.endpoint()], { publishedPort: port }));
      expect(await ask('127.0.0.1', port)).toBe('127.0.0.1');
      expect(await ask('::1', port)).toBe('::1');
    },
  );

  test('that publishes on an address of IPv6 serves that one', async () => {
    const node = await start('node1', '::1', '::1');
    const port = await freePort();
    await publish([node], publishedPort([replica.endpoint()], { publishedPort: port }));
    expect(await ask('::1', port)).toBe('::1');
    await expect(ask('127.0.0.1', port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test.each(['0.0.0.0', '::1'])('that listens on %s is reached through a tunnel over IPv6', async (listenHost) => {
    const owner = await start('node1', listenHost, '127.0.0.1');
    const front = await start('node2', '::1', '::1');
    const port = await freePort();
    await publish([owner, front], publishedPort([replica.endpoint()], { publishedPort: port }));
    expect(await ask('::1', port)).toBe('::1');
  });
});

test('a cluster over IPv6: init, join by token, session', async () => {
  const cluster = await DaemonCluster.start();
  try {
    const manager = await cluster.node('m', '::1');
    const init = await manager.client.ask('/swarm/init', { method: 'POST', body: { ListenAddr: manager.listenAddr } });
    expect(init.status).toBe(200);
    const { JoinTokens } = (await manager.client.document('/swarm')) as { JoinTokens: { Worker: string } };
    const worker = await cluster.node('w', '::1');
    expect(manager.listenAddr).toMatch(/^\[::1\]:\d+$/);
    const body = { ListenAddr: '', RemoteAddrs: [manager.listenAddr], JoinToken: JoinTokens.Worker };
    expect(await worker.client.ask('/swarm/join', { method: 'POST', body })).toMatchObject({ status: 200 });
    await eventually('both nodes to be ready', async () => {
      const nodes = (await manager.client.document('/nodes')) as { Status: { State: string; Addr: string } }[];
      return nodes.length === 2 && nodes.every(({ Status }) => Status.State === 'ready' && Status.Addr === '::1');
    });
  } finally {
    await cluster.end();
  }
});

function ask(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, agent: false }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.once('end', () => {
        resolve(body);
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}
