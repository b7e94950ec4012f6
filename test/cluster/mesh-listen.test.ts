import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PublishedPort } from '../../proto/endpoint-table.js';
import { freePort } from '../support/free-port.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, loopback, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';
import { UdpReplica } from '../support/udp-replica.js';

let ca: TestCa;
let node: MeshNode;
let replica: Replica;

beforeEach(async () => {
  ca = await TestCa.create();
  node = await MeshNode.start(ca.identity('node1'));
  replica = await Replica.tcp('task1', 'node1', (socket) => socket.end('task1'));
  node.setLocals([replica.local]);
});

afterEach(async () => {
  await node.close();
  await replica.stop();
});

const publish = (fields: Partial<PublishedPort>): Promise<void> =>
  node.setTable(endpointTable(ca.clusterId, [node.peer], [publishedPort([replica.endpoint()], fields)]));

/** What is heard on a port of an address, or why nothing. */
const hear = (host: string, port = 8080): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.once('error', (error) => {
      resolve('code' in error ? String(error.code) : error.message);
    });
  });

test('a port for one address is served there alone, and may change its address and back', async () => {
  const [own, other] = [loopback(), loopback()];
  await publish({ listenOn: own });
  expect([await hear(own), await hear(node.address)]).toEqual(['task1', 'ECONNREFUSED']);
  await publish({ listenOn: other });
  expect([await hear(other), await hear(own)]).toEqual(['task1', 'ECONNREFUSED']);
  await publish({});
  expect([await hear(node.address), await hear(other)]).toEqual(['task1', 'ECONNREFUSED']);
  expect(node.daemon.last?.bindErrors).toEqual([]);
});

test('a port for a range is served on the addresses of the node that are within', async () => {
  // Of 127.0.0.0/8 a host lists one, which others use too: so a port that nobody has.
  const port = await freePort();
  await publish({ publishedPort: port, listenOn: '127.0.0.0/8' });
  expect([await hear('127.0.0.1', port), await hear(node.address, port)]).toEqual(['task1', 'ECONNREFUSED']);
});

test('a node that has none of the addresses says so, and that nothing failed', async () => {
  await publish({ listenOn: '203.0.113.0/24' });
  expect(await hear(node.address)).toBe('ECONNREFUSED');
  const error = 'not published on this node: it has no address within 203.0.113.0/24';
  expect(node.daemon.last?.bindErrors).toEqual([{ publishedPort: 8080, protocol: 'tcp', error, notice: true }]);
  await publish({});
  await node.daemon.until(() => node.daemon.last?.bindErrors.length === 0);
  expect(await hear(node.address)).toBe('task1');
});

test('a udp port is served on its address alone, and answers come from there', async () => {
  const own = loopback();
  const dns = await UdpReplica.start('task2', 'node1');
  node.setLocals([dns.local]);
  const port = publishedPort([dns.endpoint()], { protocol: 'udp', listenOn: own });
  await node.setTable(endpointTable(ca.clusterId, [node.peer], [port]));
  const client = createSocket('udp4');
  const answer = new Promise<string>((resolve) => {
    client.once('message', (datagram, { address }) => {
      resolve(`${datagram.toString()} from ${address}`);
    });
  });
  client.send('hello', 8080, own);
  expect(await answer).toContain(`from ${own}`);
  client.close();
  dns.stop();
});
