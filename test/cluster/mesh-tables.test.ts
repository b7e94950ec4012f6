import { Agent, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PublishedPort } from '../../proto/endpoint-table.js';
import { TestCa } from '../support/identities.js';
import { ControlClient, endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

let ca: TestCa;
let node: MeshNode;
let replicas: Replica[];

beforeEach(async () => {
  ca = await TestCa.create();
  node = await MeshNode.start(ca.identity('node1'));
  replicas = await Promise.all(['task1', 'task2', 'task3'].map((taskId) => Replica.http(taskId, 'node1')));
  node.setLocals(replicas.map(({ local }) => local));
});

afterEach(async () => {
  await node.close();
  await Promise.all(replicas.map((replica) => replica.stop()));
});

const publish = (...ports: PublishedPort[]): Promise<void> =>
  node.setTable(endpointTable(ca.clusterId, [node.peer], ports));

const ask = (agent: Agent | false = false, body?: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const sent = request({ host: node.address, port: 8080, agent, method }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode === 200) resolve(text);
        else reject(new Error(`${answer.statusCode ?? 0}: ${text}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });

describe('tables', () => {
  test('swapped under load: not one request fails, and nothing stays in flight', async () => {
    const endpoints = replicas.map((replica) => replica.endpoint());
    await publish(publishedPort(endpoints));
    let swapping = true;
    const agent = new Agent({ keepAlive: true });
    const load = Array.from({ length: 8 }, async (_none, index) => {
      let asked = 0;
      while (swapping) {
        await ask(index % 2 === 0 ? agent : false, index % 3 === 0 ? 'a body' : undefined);
        asked += 1;
      }
      return asked;
    });
    for (let round = 0; round < 60; round += 1) {
      const out = round % 3;
      await publish(
        publishedPort(replicas.map((replica, index) => replica.endpoint(index === out ? 'draining' : 'active'))),
      );
      const left = replicas[out]?.taskId ?? '';
      await node.daemon.until(() => node.daemon.last?.inFlight[left] === undefined);
      await publish(publishedPort(endpoints.filter(({ taskId }) => taskId !== left)));
    }
    swapping = false;
    const asked = await Promise.all(load);
    agent.destroy();
    expect(Math.min(...asked)).toBeGreaterThan(0);
    await expect.poll(() => node.mesh.open.inFlight).toBe(0);
  });

  test('a draining endpoint is reported with what is in flight, then without', async () => {
    let answer: (() => void) | undefined;
    const slow = await Replica.http('slow', 'node1', (_incoming, outgoing) => {
      answer = () => outgoing.end('done');
    });
    replicas.push(slow);
    node.setLocals(replicas.map(({ local }) => local));
    await publish(publishedPort([slow.endpoint()]));
    const waiting = ask();
    await expect.poll(() => answer !== undefined).toBe(true);
    await publish(publishedPort([slow.endpoint('draining'), ...replicas.slice(0, 1).map((each) => each.endpoint())]));
    await node.daemon.until(() => node.daemon.last?.inFlight.slow === 1);
    answer?.();
    expect(await waiting).toBe('done');
    await node.daemon.until(() => node.daemon.last?.inFlight.slow === undefined);
  });

  test('a silent connection leaves an endpoint that starts draining', async () => {
    const [first, second] = replicas;
    if (first === undefined || second === undefined) throw new Error('no replicas');
    await publish(publishedPort([first.endpoint()]));
    const socket = connect(8080, node.address);
    await expect.poll(() => first.connections).toBe(1);
    await publish(publishedPort([first.endpoint('draining'), second.endpoint()]));
    await node.daemon.until(() => Object.keys(node.daemon.last?.inFlight ?? {}).length === 0);
    await first.idle();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/task2$/);
  });

  test('a port no longer published is closed; connections on it end by themselves', async () => {
    const talk = await Replica.tcp('talk', 'node1', (socket) => socket.pipe(socket));
    replicas.push(talk);
    node.setLocals(replicas.map(({ local }) => local));
    await publish(publishedPort([talk.endpoint()], { mode: 'tcp' }));
    const socket = connect(8080, node.address);
    const hear = (): Promise<string> =>
      new Promise((resolve) =>
        socket.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
        }),
      );
    socket.write('before');
    expect(await hear()).toBe('before');
    await publish();
    await expect(ask()).rejects.toThrow(/ECONNREFUSED/);
    socket.write('after');
    expect(await hear()).toBe('after');
    socket.destroy();
  });

  test('a table of another cluster changes nothing', async () => {
    await publish(publishedPort(replicas.map((replica) => replica.endpoint())));
    node.daemon.send({ kind: 'table', table: endpointTable('other', [], []) });
    await publish(publishedPort(replicas.map((replica) => replica.endpoint())));
    expect(await ask()).toMatch(/^task/);
  });
});

describe('listeners', () => {
  test('a port that cannot be bound is told with its cause, the others serve, and it heals', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(8080, node.address, resolve));
    const endpoints = replicas.map((replica) => replica.endpoint());
    await publish(publishedPort(endpoints), publishedPort(endpoints, { publishedPort: 8081 }));
    expect(node.daemon.last?.bindErrors).toEqual([
      { publishedPort: 8080, protocol: 'tcp', error: `listen tcp ${node.address}:8080: address already in use` },
    ]);
    const other = connect(8081, node.address);
    await new Promise((resolve) => other.once('connect', resolve));
    other.destroy();
    await new Promise((resolve) => blocker.close(resolve));
    await node.daemon.until(() => node.daemon.last?.bindErrors.length === 0);
    expect(await ask()).toMatch(/^task/);
  });

  test('a tunnel port that is taken is told, and local replicas are served', async () => {
    const second = await MeshNode.start(ca.identity('node2'), undefined, node.address);
    expect(second.daemon.last?.bindErrors).toEqual([
      {
        publishedPort: 2378,
        protocol: 'tcp',
        error: `listen tcp ${node.address}:2378: address already in use (for tunnels of other nodes)`,
      },
    ]);
    await second.close();
  });
});

describe('daemon', () => {
  test('without one, routing goes on; the next one gets hello and a full report and replaces the one before', async () => {
    await publish(publishedPort(replicas.map((replica) => replica.endpoint())));
    const acked = node.daemon.last?.tableNumber;
    node.daemon.close();
    expect(await ask()).toMatch(/^task/);
    const second = await ControlClient.connect(node.config.socket);
    expect(second.hello).toMatchObject({ nodeId: 'node1', pid: process.pid });
    expect(second.last).toEqual({ tableNumber: acked, bindErrors: [], inFlight: {} });
    const third = await ControlClient.connect(node.config.socket);
    await expect.poll(() => second.isClosed).toBe(true);
    node.daemon = third;
    await publish(publishedPort([]));
  });

  test('without one, a container whose process is gone is not dialled: its address may be that of another', async () => {
    const [first] = replicas;
    if (first === undefined) throw new Error('no replica');
    await node.close();
    node = await MeshNode.start(ca.identity('node1'), 300);
    node.setLocals([{ ...first.local, pid: 0 }]);
    await publish(publishedPort([first.endpoint()]));
    expect(await ask()).toBe('task1');
    node.daemon.close();
    await expect.poll(() => ask().catch((error: unknown) => String(error))).toMatch(/502: .*does not run on this node/);
  });

  test('the control socket is for its owner alone, and garbage on it is dropped', async () => {
    expect((await stat(node.config.socket)).mode & 0o777).toBe(0o600);
    const garbage: Socket = connect(node.config.socket);
    garbage.write('no json\n');
    await new Promise((resolve) => garbage.resume().once('close', resolve));
    node.daemon = await ControlClient.connect(node.config.socket);
    await publish(publishedPort(replicas.map((replica) => replica.endpoint())));
    expect(await ask()).toMatch(/^task/);
  });
});
