import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { saveIdentity } from '../../core/identity-file.js';
import type { NodeIdentity } from '../../core/identity.js';
import { VOUCH_PATH, type Vouch } from '../../proto/vouch.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

let ca: TestCa;
let node1: MeshNode;
let node2: MeshNode;
let replica: Replica;

beforeEach(async () => {
  ca = await TestCa.create();
  node1 = await MeshNode.start(ca.identity('node1'));
  node2 = await MeshNode.start(ca.identity('node2'));
  replica = await Replica.tcp('task2', 'node2', (socket) => socket.pipe(socket));
  node2.setLocals([replica.local]);
  await publish();
});

afterEach(async () => {
  await Promise.all([node1, node2].map((node) => node.close()));
  await replica.stop();
});

async function publish(...more: Replica[]): Promise<void> {
  const endpoints = [replica, ...more].map((each) => each.endpoint());
  const table = endpointTable(ca.clusterId, [node1.peer, node2.peer], [publishedPort(endpoints, { mode: 'tcp' })]);
  await Promise.all([node1, node2].map((node) => node.setTable(table)));
}

/** What the other side of a fresh connection to the published port says to `text`, or the error. */
const echo = (text = 'hello'): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(8080, node1.address);
    socket.write(text);
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      socket.destroy();
    });
    socket.once('error', (error) => {
      resolve(error.message);
    });
  });

interface Answer {
  readonly status: number | undefined;
  readonly error: unknown;
  readonly body: string;
}

/** A session to the tunnel port of node2 as `identity`; undefined when it is not let in. */
async function enter(identity: NodeIdentity): Promise<ClientHttp2Session | undefined> {
  const [host, port] = node2.config.listenAddr.split(':');
  const socket = connectTls({
    host,
    port: Number(port),
    key: identity.privateKey,
    cert: identity.certificate,
    ca: ca.certificate,
    servername: 'node2',
    ALPNProtocols: ['h2'],
  });
  socket.on('error', () => undefined);
  const session = connectHttp2('https://node2', { createConnection: () => socket });
  session.on('error', () => undefined);
  const isIn = await new Promise<boolean>((resolve) => {
    session.once('close', () => {
      resolve(false);
    });
    session.once('connect', () => {
      session.ping((error) => {
        resolve(error === null);
      });
    });
  });
  if (isIn) return session;
  socket.destroy();
  return undefined;
}

const ask = (session: ClientHttp2Session, headers: Record<string, string>): Promise<Answer> =>
  new Promise((resolve) => {
    const stream = session.request(headers);
    let body = '';
    let status: number | undefined;
    let error: unknown;
    stream.once('response', (answer) => {
      status = answer[':status'];
      error = answer['bale-error'];
    });
    stream.on('data', (chunk: Buffer) => (body += chunk.toString()));
    stream.on('error', () => undefined);
    stream.once('close', () => {
      resolve({ status, error, body });
    });
    // A tunnel ends when its opener ends it.
    if (headers[':method'] === 'CONNECT') stream.once('response', () => stream.close());
  });

describe('who gets in', () => {
  test('a node of another cluster does not, even one with the same id', async () => {
    const other = await TestCa.create('othercluster');
    expect(await enter(other.identity('node1'))).toBeUndefined();
    expect(await enter(ca.identity('node1', 'worker', { clusterId: 'othercluster' }))).toBeUndefined();
  });

  test('a node that is not in the table does not, nor one with an expired certificate', async () => {
    expect(await enter(ca.identity('node9'))).toBeUndefined();
    const past = Date.now() - 10 * 24 * 3_600_000;
    expect(await enter(ca.identity('node1', 'worker', { now: past, lifetime: 24 * 3_600_000 }))).toBeUndefined();
  });

  test('a node that is removed from the table loses its tunnels at once', async () => {
    const session = await enter(ca.identity('node1'));
    expect(session).toBeDefined();
    const closed = new Promise((resolve) => session?.once('close', resolve));
    await node2.setTable(endpointTable(ca.clusterId, [node2.peer], []));
    await closed;
  });

  test('only tasks of this node can be reached, and no other address', async () => {
    const session = await enter(ca.identity('node1'));
    if (session === undefined) throw new Error('not let in');
    for (const authority of ['nosuchtask:80', '127.0.0.1:2378', 'task2:99999', 'task2', '../task2:80']) {
      const answer = await ask(session, { ':method': 'CONNECT', ':authority': authority, 'bale-protocol': '1' });
      expect(answer.status, authority).toBeUndefined();
    }
    session.destroy();
  });

  test('a peer of another protocol version is told both versions', async () => {
    const session = await enter(ca.identity('node1'));
    if (session === undefined) throw new Error('not let in');
    const answer = await ask(session, { ':method': 'CONNECT', ':authority': 'task2:80', 'bale-protocol': '7' });
    expect(answer).toMatchObject({ status: 400, error: 'node speaks tunnel protocol 1, the peer speaks 7' });
    session.destroy();
  });

  test('garbage, silence and foreign protocols on the tunnel port are dropped, and peers still get in', async () => {
    const [host = '', port] = node2.config.listenAddr.split(':');
    const strangers: Socket[] = [];
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\u0000'.repeat(10_000)]) {
      const socket = connect(Number(port), host);
      socket.on('error', () => undefined);
      socket.write(bytes);
      strangers.push(socket.resume());
    }
    const silent = connect(Number(port), host);
    silent.on('error', () => undefined);
    strangers.push(silent.resume());
    const identity = ca.identity('node1');
    const noAlpn = connectTls({
      host,
      port: Number(port),
      key: identity.privateKey,
      cert: identity.certificate,
      ca: ca.certificate,
      servername: 'node2',
    });
    noAlpn.on('error', () => undefined);
    strangers.push(noAlpn.resume());
    // With or without an error.
    for (const socket of strangers) if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    expect(await echo()).toBe('hello');
  });
});

describe('vouching', () => {
  test('a manager learns which containers live, by their very process; a worker does not', async () => {
    node2.setLocals([replica.local, { taskId: 'gone', address: '127.0.0.9', pid: 0 }]);
    const manager = await enter(ca.identity('node8', 'manager'));
    if (manager === undefined) throw new Error('a manager was not let in');
    const answer = await ask(manager, { ':path': VOUCH_PATH });
    const expected: Vouch = { nodeId: 'node2', alive: ['task2'], dead: ['gone'] };
    expect(JSON.parse(answer.body)).toEqual(expected);
    const tunnel = await ask(manager, { ':method': 'CONNECT', ':authority': 'task2:80', 'bale-protocol': '1' });
    expect(tunnel.status).toBeUndefined();
    manager.destroy();
    const worker = await enter(ca.identity('node1'));
    if (worker === undefined) throw new Error('a member was not let in');
    expect((await ask(worker, { ':path': VOUCH_PATH })).status).toBe(403);
    expect((await ask(worker, { ':path': '/other' })).status).toBe(404);
    worker.destroy();
  });
});

describe('robustness', () => {
  test('thousands of clients that break off do not end the session of the others', { timeout: 180_000 }, async () => {
    const steady = connect(8080, node1.address);
    const broken = new Promise((resolve) => steady.once('close', resolve));
    steady.write('steady');
    await once(steady, 'data');
    for (let batch = 0; batch < 30; batch += 1) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const socket = connect(8080, node1.address);
          socket.on('error', () => undefined);
          socket.write('x');
          await once(socket, 'data');
          socket.resetAndDestroy();
        }),
      );
    }
    await expect.poll(() => node2.mesh.open.tunnels).toBe(1);
    steady.write('still');
    const [chunk] = (await Promise.race([once(steady, 'data'), broken.then(() => ['cut'])])) as [Buffer | string];
    expect(chunk.toString()).toBe('still');
    steady.destroy();
  });

  test('when a node goes, dials go to the others at once; when it returns, it is used again', async () => {
    const local = await Replica.tcp('task1', 'node1', (socket) => socket.pipe(socket));
    node1.setLocals([local.local]);
    await publish(local);
    expect(await echo()).toBe('hello');
    const { config } = node2;
    await node2.close();
    const began = performance.now();
    for (let index = 0; index < 10; index += 1) expect(await echo()).toBe('hello');
    expect(performance.now() - began).toBeLessThan(9_000); // a dial in vain may take 10 s
    node2 = await MeshNode.start(ca.identity('node2'), undefined, config.publishAddr);
    node2.setLocals([replica.local]);
    await publish();
    await expect.poll(() => echo()).toBe('hello');
    await local.stop();
  });

  test('a renewed identity is used for new sessions; tunnels that are open live on', async () => {
    const socket = connect(8080, node1.address);
    socket.write('one');
    await once(socket, 'data');
    const renewed = ca.identity('node2');
    await saveIdentity(node2.config.identityFile, renewed);
    node2.daemon.send({ kind: 'identity' });
    const shown = async (): Promise<string | undefined> => {
      const session = await enter(ca.identity('node1'));
      const certificate = (session?.socket as TLSSocket | undefined)?.getPeerX509Certificate()?.serialNumber;
      session?.destroy();
      return certificate;
    };
    await expect.poll(shown).toBe(new X509Certificate(renewed.certificate).serialNumber);
    socket.write('two');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('two');
    socket.destroy();
  });
});
