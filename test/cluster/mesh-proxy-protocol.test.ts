import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { proxyHeader } from '../../agent/mesh/proxy-header.js';
import type { Endpoint } from '../../proto/endpoint-table.js';
import { eventually } from '../support/eventually.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, loopback, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

describe.each([
  { way: 'local', owner: 'node1' },
  { way: 'tunnelled', owner: 'node2' },
])('$way', ({ owner }) => {
  let ca: TestCa;
  let nodes: MeshNode[];
  let front: MeshNode;
  let cleanUps: (() => unknown)[];

  beforeEach(async () => {
    cleanUps = [];
    ca = await TestCa.create();
    nodes = await Promise.all(['node1', 'node2'].map((nodeId) => MeshNode.start(ca.identity(nodeId))));
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    front = first;
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    for (const cleanUp of cleanUps) await cleanUp();
  });

  async function publish(taskId: string, address: string, proxyProtocol: 'v1' | 'v2'): Promise<void> {
    for (const node of nodes) node.setLocals(node.nodeId === owner ? [{ taskId, address, pid: process.pid }] : []);
    const endpoint: Endpoint = { taskId, nodeId: owner, targetPort: 80, state: 'active' };
    // The header goes out whatever the mode says.
    const port = publishedPort([endpoint], { mode: 'auto', proxyProtocol });
    const table = endpointTable(
      ca.clusterId,
      nodes.map(({ peer }) => peer),
      [port],
    );
    await Promise.all(nodes.map((node) => node.setTable(table)));
  }

  const client = (): Socket => connect({ host: front.address, port: 8080 });

  test('the header is the first that a replica gets, before a client has spoken, and once', async () => {
    const heard: Buffer[] = [];
    const replica = await Replica.tcp('task1', owner, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        heard.push(chunk);
        if (Buffer.concat(heard).includes('\r\n')) socket.write('hello');
      });
    });
    cleanUps.push(() => replica.stop());
    await publish('task1', replica.address, 'v1');
    const socket = client();
    await new Promise((resolve) => socket.once('data', resolve));
    const line = `PROXY TCP4 ${socket.localAddress ?? ''} ${front.address} ${socket.localPort ?? 0} 8080\r\n`;
    expect(Buffer.concat(heard).toString()).toBe(line);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    expect(Buffer.concat(heard).toString()).toBe(`${line}GET / HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.destroy();
  });

  test.each(['v1', 'v2'] as const)('HAProxy understands it (%s)', async (version) => {
    const address = loopback();
    cleanUps.push(await startHaproxy(address));
    await publish('task1', address, version);
    const { body, localPort } = await ask(front.address);
    expect(body).toBe(`127.0.0.1:${localPort} to ${front.address}:8080`);
  });
});

describe('HAProxy', () => {
  const address = loopback();
  let stop: () => unknown;
  beforeAll(async () => {
    stop = await startHaproxy(address);
  });
  afterAll(() => stop());

  test.each(
    (['v1', 'v2'] as const).flatMap((version) => [
      [version, '2001:db8::1:2', 'fd00::5', '2001:db8::1:2:4711 to fd00::5:8080'] as const,
      [version, '::ffff:192.0.2.1', '::ffff:192.0.2.2', '192.0.2.1:4711 to 192.0.2.2:8080'] as const,
    ]),
  )('understands the header %s of a client at %s that came to %s', async (version, from, to, told) => {
    const socket = connect({ host: address, port: 80 });
    socket.write(proxyHeader(version, { address: from, port: 4711 }, { address: to, port: 8080 }));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let heard = '';
    for await (const chunk of socket) heard += String(chunk);
    expect(heard.slice(heard.indexOf('\r\n\r\n') + 4)).toBe(told);
  });
});

/** A real HAProxy on port 80 of an address; returns what ends it. */
async function startHaproxy(address: string): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'mesh-haproxy-'));
  const configFile = join(directory, 'haproxy.cfg');
  await writeFile(configFile, haproxyConfig(address));
  const haproxy = spawn('haproxy', ['-db', '-f', configFile], { stdio: 'ignore' });
  await eventually('haproxy to listen', () => canConnect(address));
  return async () => {
    haproxy.kill('SIGKILL');
    await rm(directory, { recursive: true });
  };
}

/** Answers with the client and the address it came to, as the header tells; without one it refuses. */
const haproxyConfig = (address: string): string => `
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend front
  bind ${address}:80 accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] to %[dst]:%[dst_port]"
`;

const canConnect = (host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port: 80 });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });

const ask = (host: string): Promise<{ readonly body: string; readonly localPort: number }> =>
  new Promise((resolve, reject) => {
    const sent = request({ host, port: 8080, agent: false, localAddress: '127.0.0.1' }, (answer) => {
      let body = '';
      const localPort = answer.socket.localPort ?? 0;
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.once('end', () => {
        resolve({ body, localPort });
      });
    });
    sent.once('error', reject);
    sent.end();
  });
