import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
  await Promise.all(replicas.map((replica) => replica.stop()));
});

async function publish(list: readonly Replica[]): Promise<void> {
  replicas.push(...list.filter((replica) => !replicas.includes(replica)));
  for (const node of nodes)
    node.setLocals(list.filter(({ nodeId }) => nodeId === node.nodeId).map(({ local }) => local));
  const peers = nodes.map(({ peer }) => peer);
  const table = endpointTable(ca.clusterId, peers, [publishedPort(list.map((replica) => replica.endpoint()))]);
  await Promise.all(nodes.map((node) => node.setTable(table)));
}

const client = (): Socket => connect(8080, nodes[0]?.address ?? '').on('error', () => undefined);

/** All that the mesh says to `bytes` until the connection ends, however. */
const say = (bytes: string | Buffer): Promise<string> =>
  new Promise((resolve) => {
    const socket = client();
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
    socket.once('close', () => {
      resolve(heard);
    });
    socket.write(bytes);
  });

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

const idle = async (): Promise<void> => {
  await expect.poll(() => nodes.map(({ mesh }) => mesh.open.inFlight)).toEqual([0, 0]);
  await expect.poll(() => nodes.map(({ mesh }) => mesh.open.clients)).toEqual([0, 0]);
};

describe.each(['node1', 'node2'])('a replica on %s that answers nonsense', (owner) => {
  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a broken status', 'HTTP/1.1 2x0 OK\r\n\r\n'],
    ['status 99', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nbroken\r\n\r\n'],
    ['an odd character in a header', 'HTTP/1.1 200 OK\r\nX-Odd: a\u007fb\r\nContent-Length: 0\r\n\r\n'],
    ['an odd character in the reason', 'HTTP/1.1 200 O\u007fK\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: zip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'an upgrade nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nbytes',
    ],
    ['100 kB of headers', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`],
    ['nothing', ''],
  ])('%s: the client gets an error, never a cut that looks complete', async (_name, answer) => {
    const replica = await Replica.tcp('task1', owner, (socket) =>
      socket.once('data', () => socket.end(answer, 'latin1')),
    );
    await publish([replica]);
    const heard = await say(REQUEST);
    if (heard !== '') expect(heard).toMatch(/^HTTP\/1.1 (502|504|400) |^SSH/);
    await idle();
  });

  test.each([
    ['chunks that break off', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel'],
    ['broken chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n'],
    ['too few bytes', 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello'],
  ])('%s never look complete', async (_name, answer) => {
    const replica = await Replica.tcp('task1', owner, (socket) =>
      socket.once('data', () => socket.end(answer, 'latin1')),
    );
    await publish([replica]);
    const heard = await say(REQUEST);
    expect(heard).not.toMatch(/\r\n0\r\n\r\n$/);
    expect(heard).not.toMatch(/Content-Length: 5\r\n/i);
    await idle();
  });

  test('a second answer nobody asked for never reaches another client', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
    const replica = await Replica.tcp('task1', owner, (socket) => {
      socket.on('data', () => {
        socket.write(answer);
        setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'), 10);
      });
    });
    await publish([replica]);
    for (let index = 0; index < 4; index += 1) {
      expect(await say(REQUEST)).toMatch(/good$/);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await idle();
  });
});

describe('a client that sends nonsense', () => {
  test('gets an error or nothing, and the mesh serves on', async () => {
    await publish([await Replica.http('task1', 'node1'), await Replica.http('task2', 'node2')]);
    const requests = [
      'GET / HTTP/1.1\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`,
      'GET / HTTP/1.1\r\nHost: x\r\nX-Odd: \u0001\r\n\r\n',
      'GET /\u00ff\u00fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nExpect: nonsense\r\nConnection: close\r\n\r\n',
      'CONNECT db:5432 HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: x\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nhello',
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: host, content-length, close\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ];
    for (const bytes of requests) {
      const socket = client();
      socket.write(bytes, 'latin1');
      socket.resume();
      setTimeout(() => socket.destroy(), 200);
      await new Promise((resolve) => socket.once('close', resolve));
      expect(await say(REQUEST), bytes).toMatch(/task[12]/);
    }
    await idle();
  });

  test('no bytes of one request can become another: framing is that of the mesh', async () => {
    const seen: string[] = [];
    const replica = await Replica.http('task1', 'node2', (request, response) => {
      seen.push(`${request.method ?? ''} ${request.url ?? ''}`);
      request.resume().once('end', () => response.end('ok'));
    });
    await publish([replica]);
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const head of [
      `DELETE /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      `OPTIONS /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      `GET /c HTTP/1.1\r\nHost: x\r\nConnection: close, Content-Length\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      `GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
    ]) {
      await say(head);
    }
    expect(seen).toEqual(['DELETE /a', 'OPTIONS /b', 'GET /c', 'GET /d']);
    await idle();
  });
});
