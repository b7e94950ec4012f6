import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Admission } from '../../agent/mesh/admission.js';
import { Connector } from '../../agent/mesh/connector.js';
import { DialError } from '../../agent/mesh/dial-error.js';
import { Ejections } from '../../agent/mesh/ejections.js';
import { HttpFront } from '../../agent/mesh/http-front.js';
import { InFlight } from '../../agent/mesh/in-flight.js';
import { Route } from '../../agent/mesh/route.js';
import { createLogger } from '../../core/logger.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, loopback, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

async function text(socket: Socket): Promise<string> {
  let heard = '';
  for await (const chunk of socket) heard += String(chunk);
  return heard;
}

describe('a mesh', () => {
  let ca: TestCa;
  let node: MeshNode;
  let replica: Replica;
  let clients: Socket[];

  beforeEach(async () => {
    ca = await TestCa.create();
    node = await MeshNode.start(ca.identity('node1'));
    clients = [];
  });

  afterEach(async () => {
    for (const socket of clients) socket.destroy();
    await node.close();
    await replica.stop();
  });

  async function publish(started: Replica, maxConnections: number): Promise<void> {
    replica = started;
    node.setLocals([replica.local]);
    const port = publishedPort([replica.endpoint()], { maxConnections });
    await node.setTable(endpointTable(ca.clusterId, [node.peer], [port]));
  }

  function client(): Socket {
    const socket = connect({ host: node.address, port: 8080 }).on('error', () => undefined);
    clients.push(socket);
    return socket;
  }

  test('serves others although somebody keeps opening connections and dawdles', async () => {
    await publish(await Replica.http('task1', 'node1'), 10);
    for (let index = 0; index < 30; index += 1) client().write('GET / HTTP/1.1\r\nX-Slow: ');
    await expect.poll(() => node.mesh.open.clients).toBe(10);
    for (let index = 0; index < 5; index += 1) {
      const socket = client();
      socket.write(REQUEST);
      expect(await text(socket)).toMatch(/task1$/);
    }
  });

  test('resets what is beyond the limit when all connections are in use, and serves again when one ends', async () => {
    await publish(await Replica.tcp('task1', 'node1', (socket) => socket.pipe(socket)), 2);
    const [first, second] = [client(), client()];
    for (const socket of [first, second]) {
      const echoed = new Promise((resolve) => socket.once('data', resolve));
      socket.write('\0');
      await echoed;
    }
    const third = client();
    const error = await new Promise<Error>((resolve) => third.once('error', resolve));
    expect(error.message).toMatch(/ECONNRESET/);
    first.destroy();
    await expect.poll(() => node.mesh.open.clients).toBe(1);
    const fourth = client();
    const echoed = new Promise((resolve) => fourth.once('data', resolve));
    fourth.write('\0');
    await echoed;
  });

  test('answers a head that is too large with 431 and closes', async () => {
    // Not node:http, which takes 16 KiB itself.
    const answering = Replica.tcp('task1', 'node1', (socket) => {
      let head = '';
      socket.on('data', (chunk: Buffer) => {
        head += chunk.toString();
        if (head.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntask1');
      });
    });
    await publish(await answering, 10);
    const socket = client();
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(70 * 1024)}`);
    // Closed before all of the head was read, it ends with a reset, after the answer.
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(heard).toMatch(/^HTTP\/1\.1 431 /);
    const fine = client();
    fine.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Large: ${'x'.repeat(60 * 1024)}\r\n\r\n`);
    expect(await text(fine)).toMatch(/task1$/);
  });
});

test('a head that is too slow is answered with 408, and the connection closed', async () => {
  const now = (): number => Date.now();
  const route = new Route(publishedPort([]), {
    inFlight: new InFlight(() => undefined),
    ejections: new Ejections(),
    now,
    start: 0,
  });
  const admission = new Admission({ most: 10, now, logger: createLogger('silent') });
  const dial = (): Promise<never> => Promise.reject(new DialError('refused', 'nobody is there'));
  const connector = new Connector({ dial, budget: 100, mostWaiting: 10 });
  const front = new HttpFront({ connector, admission, headTimeout: 200 });
  const address = loopback();
  const server = createServer((socket) => {
    front.serve(socket, route, undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  try {
    const bound = server.address();
    const socket = connect({ host: address, port: typeof bound === 'object' && bound !== null ? bound.port : 0 });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /);
  } finally {
    front.destroy();
    server.close();
  }
});
