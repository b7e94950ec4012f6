import { Agent, request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint, PublishedPort } from '../../proto/endpoint-table.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

let ca: TestCa;
let nodes: MeshNode[];
let replicas: Replica[];

beforeEach(async () => {
  ca = await TestCa.create();
  nodes = await Promise.all(['node1', 'node2'].map((nodeId) => MeshNode.start(ca.identity(nodeId))));
  replicas = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  await Promise.all(replicas.map((replica) => replica.stop().catch(() => undefined)));
});

const names = ['task1', 'task2', 'task3'];

/** Three replicas: two on the first node, one on the second. */
async function three(make: (taskId: string, nodeId: string) => Promise<Replica>): Promise<void> {
  replicas = await Promise.all(names.map((name, index) => make(name, index === 2 ? 'node2' : 'node1')));
  for (const node of nodes) {
    node.setLocals(replicas.filter(({ nodeId }) => nodeId === node.nodeId).map(({ local }) => local));
  }
}

async function publish(
  fields: Partial<PublishedPort>,
  states: Readonly<Record<string, Endpoint['state']>> = {},
): Promise<void> {
  const endpoints = replicas.map((replica) => replica.endpoint(states[replica.taskId]));
  const peers = nodes.map(({ peer }) => peer);
  const table = endpointTable(ca.clusterId, peers, [publishedPort(endpoints, fields)]);
  await Promise.all(nodes.map((node) => node.setTable(table)));
}

interface Answer {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** What the client sends from now on. */
  readonly cookie: string | undefined;
}

function ask(node: MeshNode | undefined, options: RequestOptions = {}, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: node?.address, port: 8080, agent: false, ...options }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.once('end', () => {
        resolve({ body: text, headers: answer.headers, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] });
      });
      answer.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const http = (taskId: string, nodeId: string): Promise<Replica> => Replica.http(taskId, nodeId);
const withCookie = (cookie: string | undefined): RequestOptions => ({
  headers: { cookie: `theme=dark; ${cookie ?? ''}` },
});

describe.each(['auto', 'http'] as const)('a sticky port (%s)', (mode) => {
  const sticky = { mode, balance: 'sticky' } as const;

  test('clients without a cookie go round; each then stays with its replica, on every node', async () => {
    await three(http);
    await publish(sticky);
    const first = [await ask(nodes[0]), await ask(nodes[0]), await ask(nodes[0])];
    expect(first.map(({ body }) => body).sort()).toEqual(names);
    for (const { body, cookie, headers } of first) {
      expect(headers['set-cookie']?.[0]).toMatch(/^bale_web=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/);
      for (const node of [...nodes, ...nodes]) {
        const again = await ask(node, withCookie(cookie));
        expect([again.body, again.cookie]).toEqual([body, undefined]);
        const posted = await ask(node, { ...withCookie(cookie), method: 'POST' }, 'x');
        expect([posted.body, posted.cookie]).toEqual([body, undefined]);
      }
    }
    expect(nodes.map(({ mesh }) => mesh.open.inFlight)).toEqual([0, 0]);
  });

  test('a client that keeps its connection stays too, and moves at once when its replica drains', async () => {
    await three(http);
    await publish(sticky);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { body, cookie } = await ask(nodes[1], { agent });
    expect((await ask(nodes[1], { agent, ...withCookie(cookie) })).body).toBe(body);

    await publish(sticky, { [body]: 'draining' });
    const moved = await ask(nodes[1], { agent, ...withCookie(cookie) });
    expect(names.filter((name) => name !== body)).toContain(moved.body);
    expect(moved.cookie).toMatch(/^bale_web=/);
    expect((await ask(nodes[0], withCookie(moved.cookie))).body).toBe(moved.body);
    expect(nodes.map(({ daemon }) => daemon.last?.inFlight)).toEqual([{}, {}]);
    agent.destroy();
  });

  test('a client whose replica does not answer gets another, and its cookie', async () => {
    await three(http);
    await publish(sticky);
    const { body, cookie } = await ask(nodes[0]);
    await replicas.find(({ taskId }) => taskId === body)?.stop();
    const moved = await ask(nodes[0], withCookie(cookie));
    expect(moved.body).not.toBe(body);
    expect((await ask(nodes[0], withCookie(moved.cookie))).body).toBe(moved.body);
  });

  test('cookies outlive the mesh', async () => {
    await three(http);
    await publish(sticky);
    const { body, cookie } = await ask(nodes[0]);
    await nodes[0]?.close();
    const another = await MeshNode.start(ca.identity('node1'));
    nodes = [another, ...nodes.slice(1)];
    another.setLocals(replicas.filter(({ nodeId }) => nodeId === 'node1').map(({ local }) => local));
    await publish(sticky);
    for (let index = 0; index < 3; index += 1) expect((await ask(another, withCookie(cookie))).body).toBe(body);
  });
});

test.each(['sticky', 'least-connections'] as const)(
  'swapped under load (%s): not one request fails, and none reaches a replica that drained',
  async (balance) => {
    const served = new Map<string, number>();
    await three((taskId, nodeId) =>
      Replica.http(taskId, nodeId, (_request, response) => {
        served.set(taskId, (served.get(taskId) ?? 0) + 1);
        response.end(taskId);
      }),
    );
    await publish({ balance });
    const failures: string[] = [];
    let [running, answers] = [true, 0];
    const browsers = nodes.flatMap((node) =>
      [true, false].map(async (keepAlive) => {
        const agent = new Agent({ keepAlive, maxSockets: 1 });
        let cookie: string | undefined;
        while (running) {
          try {
            const answer = await ask(node, { agent, ...(cookie === undefined ? {} : withCookie(cookie)) });
            if (!names.includes(answer.body)) failures.push(answer.body);
            cookie = answer.cookie ?? cookie;
            answers += 1;
          } catch (error) {
            failures.push(String(error));
          }
        }
        agent.destroy();
      }),
    );
    for (let round = 0; round < 9; round += 1) {
      const name = names[round % 3] ?? '';
      await publish({ balance }, { [name]: 'draining' });
      await Promise.all(
        nodes.map(({ daemon }) => daemon.until(() => Object.keys(daemon.last?.inFlight ?? {}).length === 0)),
      );
      const before = [served.get(name), answers + 20] as const;
      await expect.poll(() => answers, { interval: 5 }).toBeGreaterThan(before[1]);
      expect(served.get(name)).toBe(before[0]);
      await publish({ balance });
    }
    running = false;
    await Promise.all(browsers);
    expect(failures).toEqual([]);
    expect([...served.keys()].sort()).toEqual(names);
  },
);

test('an upgrade goes where its cookie leads, and brings one where it has none', async () => {
  await three(http);
  for (const replica of replicas) {
    replica.onUpgrade((_request, socket) => {
      socket.end(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n${replica.taskId}`);
    });
  }
  await publish({ balance: 'sticky' });
  const upgrade = (cookie?: string): Promise<readonly [string, string | undefined]> =>
    new Promise((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'x', ...(cookie === undefined ? {} : { cookie }) };
      const sent = request({ host: nodes[0]?.address, port: 8080, agent: false, headers });
      sent.once('error', reject);
      sent.once('upgrade', (answer, socket, head) => {
        let body = head.toString();
        socket.on('data', (chunk: Buffer) => (body += chunk.toString()));
        socket.once('end', () => {
          socket.destroy();
          resolve([body, answer.headers['set-cookie']?.[0]?.split(';')[0]]);
        });
        socket.once('error', reject);
      });
      sent.end();
    });
  const [body, cookie] = await upgrade();
  expect(names).toContain(body);
  for (let index = 0; index < 3; index += 1) expect(await upgrade(cookie)).toEqual([body, undefined]);
});

/** Connects from an address of its own; resolves with what the replica says first. */
function connectFrom(node: MeshNode | undefined, localAddress: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: node?.address ?? '', port: 8080, localAddress });
    socket.once('error', reject);
    socket.once('data', (chunk: Buffer) => {
      socket.destroy();
      resolve(chunk.toString());
    });
  });
}

test('connections that are not HTTP stick by the address of the client, on every node, and only those of a drained replica move', async () => {
  await three((taskId, nodeId) => Replica.tcp(taskId, nodeId, (socket: Socket) => socket.write(taskId)));
  await publish({ balance: 'sticky' });
  const clients = Array.from({ length: 12 }, (_, index) => `127.9.0.${index + 1}`);
  const owners = new Map<string, string>();
  for (const client of clients) owners.set(client, await connectFrom(nodes[0], client));
  expect(new Set(owners.values()).size).toBeGreaterThan(1);
  for (const client of clients) expect(await connectFrom(nodes[1], client)).toBe(owners.get(client));

  const drained = owners.get(clients[0] ?? '') ?? '';
  await publish({ balance: 'sticky' }, { [drained]: 'draining' });
  for (const client of clients) {
    const before = owners.get(client);
    const now = await connectFrom(nodes[0], client);
    if (before === drained) expect(now).not.toBe(drained);
    else expect(now).toBe(before);
  }
});

test('least-connections: a replica with slow requests gets no more while others have less', async () => {
  const finish: (() => void)[] = [];
  await three((taskId, nodeId) =>
    Replica.http(taskId, nodeId, (incoming, response) => {
      if (incoming.url === '/slow') {
        finish.push(() => response.end(taskId));
        response.flushHeaders();
      } else response.end(taskId);
    }),
  );
  await publish({ mode: 'http', balance: 'least-connections' });
  const slow = ask(nodes[0], { path: '/slow' });
  await expect.poll(() => finish.length).toBe(1);
  const quick: string[] = [];
  for (let index = 0; index < 8; index += 1) quick.push((await ask(nodes[0])).body);
  finish[0]?.();
  const { body } = await slow;
  const others = names.filter((name) => name !== body);
  expect(others.map((name) => quick.filter((each) => each === name).length)).toEqual([4, 4]);
  // Idle again, it has its turn.
  const after: string[] = [];
  for (let index = 0; index < 6; index += 1) after.push((await ask(nodes[0])).body);
  expect(names.map((name) => after.filter((each) => each === name).length)).toEqual([2, 2, 2]);
});
