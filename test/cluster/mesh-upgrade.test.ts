import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

let ca: TestCa;
let node: MeshNode;
let replica: Replica;

beforeEach(async () => {
  ca = await TestCa.create();
  node = await MeshNode.start(ca.identity('node1'));
  replica = await switching();
  node.setLocals([replica.local]);
  await node.setTable(endpointTable(ca.clusterId, [node.peer], [publishedPort([replica.endpoint()])]));
});

afterEach(async () => {
  await node.close();
  await replica.stop();
});

/** A replica that switches to any protocol but `refused`. */
const switching = (): Promise<Replica> =>
  Replica.http('task1', 'node1', (_incoming, outgoing) => outgoing.end('plain')).then((started) => {
    started.onUpgrade((incoming, socket) => {
      if (incoming.headers.upgrade === 'refused') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
        return;
      }
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${incoming.headers.upgrade ?? ''}\r\n\r\n`,
      );
      socket.write('hello ');
      socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
      socket.on('end', () => socket.end('bye'));
    });
    return started;
  });

describe('upgrades', () => {
  const upgrade = async (name: string, rest = ''): Promise<string> => {
    const socket = connect({ port: 8080, host: node.address, allowHalfOpen: true });
    socket.write(`GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${name}\r\n\r\n`);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      if (!text.includes('hello') && chunk.toString().includes('hello')) socket.end(rest);
      text += chunk.toString();
    });
    await new Promise((resolve) => socket.once('end', resolve));
    socket.end();
    return text;
  };

  test.each(['websocket', 'tcp'])('%s: bytes flow both ways, each end by itself', async (name) => {
    const text = await upgrade(name, 'ping');
    expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\n/);
    expect(text.endsWith('hello PINGbye')).toBe(true);
  });

  test('a refusal of the replica is passed on and ends the connection', async () => {
    const text = await upgrade('refused');
    expect(text).toMatch(/^HTTP\/1.1 403 Forbidden\r\n(.*\r\n)*Connection: close\r\n\r\nno$/i);
  });

  test('an offer of HTTP/2 is answered as the request it also is', async () => {
    const socket = connect(8080, node.address);
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 4\r\n\r\nbody' +
        'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(
      Buffer.concat(chunks)
        .toString()
        .match(/200 OK/g),
    ).toHaveLength(2);
  });

  test('an open WebSocket counts as in flight until it ends', async () => {
    const socket = connect(8080, node.address);
    socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    expect(node.mesh.open.inFlight).toBe(1);
    socket.destroy();
    await replica.idle();
    await expect.poll(() => node.mesh.open.inFlight).toBe(0);
  });
});
