import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { enrol } from '../../agent/identity/enrolment.js';
import { parseHostPort } from '../../core/address.js';
import { newId } from '../../core/id.js';
import { IdentitySource } from '../../core/identity.js';
import { createCsr, newPrivateKey } from '../../core/x509.js';
import { openSession, requestNodeCertificate } from '../../proto/cluster-client.js';
import { STRANGER_LIMITS } from '../../proto/cluster-listener.js';
import { newJoinKey } from '../support/identities.js';
import { draftNode } from '../support/stored-objects.js';
import { joinAsWorker, startTestClusterPort, type TestClusterPort } from '../support/test-cluster-port.js';

/** The first bytes of an HTTP/2 client. */
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const opened: { close(): Promise<void> }[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const port of opened.splice(0)) await port.close();
});

async function start(limits = STRANGER_LIMITS): Promise<TestClusterPort> {
  const port = await startTestClusterPort({ limits });
  opened.push(port);
  return port;
}

const address = (port: TestClusterPort): { host: string; port: number } =>
  parseHostPort(port.addr, { port: 0 }, 'address');

async function tcp(port: TestClusterPort): Promise<Socket> {
  const socket = createConnection(address(port));
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else
      socket.once('close', () => {
        resolve();
      });
    socket.resume();
  });

function tls(port: TestClusterPort, options: ConnectionOptions): TLSSocket {
  const socket = connect({ ...address(port), rejectUnauthorized: false, ...options });
  sockets.push(socket);
  return socket;
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

describe('the cluster port, under bad peers', () => {
  it('closes on bytes that are not TLS, and serves on', async () => {
    const port = await start();
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\0'.repeat(5000), '\x16\x03\x01\xff\xff'.repeat(4000)]) {
      const socket = await tcp(port);
      socket.write(garbage, 'latin1');
      await closed(socket);
    }
    await expect(joinAsWorker(port)).resolves.toMatchObject({ role: 'worker' });
  });

  it('closes a connection that never begins its handshake', async () => {
    const port = await start({ ...STRANGER_LIMITS, handshake: 100 });
    await closed(await tcp(port));
  });

  it('closes a stranger’s connection after its lifetime, a member’s never', async () => {
    const port = await start({ ...STRANGER_LIMITS, lifetime: 3_000 });
    // Not one that joins, which is a stranger meanwhile.
    const member = port.ca.identity(newId());
    await port.store.update((tx) => {
      tx.put('node', draftNode(member.nodeId));
    });
    const session = openSession(port.addr, new IdentitySource(member));
    const { stream } = await port.nextSession();
    const socket = tls(port, { ALPNProtocols: ['h2'] });
    await closed(socket);
    const arrived = new Promise((resolve) => {
      stream.onMessage(resolve);
    });
    session.send({ kind: 'heartbeat' });
    expect(await arrived).toEqual({ kind: 'heartbeat' });
    session.end();
  });

  it('lets the newest in when strangers are too many: the oldest goes', async () => {
    const port = await start({ ...STRANGER_LIMITS, connections: 8 });
    const idle = [];
    for (let count = 0; count < 8; count += 1) idle.push(await tcp(port));
    const identity = await joinAsWorker(port);
    const [first] = idle;
    if (first !== undefined) await closed(first);
    expect(openSession(port.addr, new IdentitySource(identity))).toBeDefined();
    await port.nextSession();
  });

  it('speaks TLS 1.3 only', async () => {
    const port = await start();
    const socket = tls(port, { maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/protocol version/);
  });

  it('closes on a client that does not speak HTTP/2', async () => {
    const port = await start();
    await closed(tls(port, {}));
  });

  it('survives bytes that are TLS but not HTTP/2, from members and strangers', async () => {
    const port = await start();
    const member = await joinAsWorker(port);
    for (const keys of [{}, { cert: member.certificate, key: member.privateKey }]) {
      for (const garbage of ['nonsense'.repeat(500), PREFACE, `${PREFACE}${'\xff'.repeat(300)}`]) {
        const socket = tls(port, { ALPNProtocols: ['h2'], ...keys });
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('secureConnect', resolve));
        socket.write(garbage, 'latin1');
        if (garbage === PREFACE) socket.destroy();
        await closed(socket);
      }
    }
    await expect(joinAsWorker(port)).resolves.toMatchObject({ role: 'worker' });
  });

  it('refuses unknown methods and paths of HTTP/2', async () => {
    const port = await start();
    const client = connectHttp2(`https://${port.addr}`, { rejectUnauthorized: false });
    const stream = client.request({
      ':method': 'POST',
      ':path': '/bale.v1.Dispatcher/Everything',
      'content-type': 'application/grpc',
    });
    const headers = await new Promise<Record<string, unknown>>((resolve) => {
      stream.once('response', resolve);
    });
    expect(headers['grpc-status']).toBe('12');
    client.destroy();
  });

  it('refuses a stranger’s message of more than 64 KiB', async () => {
    const port = await start();
    const request = { csr: createCsr(newPrivateKey()), token: 'x'.repeat(70 * 1024), availability: '' };
    await expect(
      requestNodeCertificate(port.addr, port.ca.certificate, request, AbortSignal.timeout(20_000)),
    ).rejects.toMatchObject({ code: 'BALE_MESSAGE_TOO_LARGE' });
    expect(port.issueRequests).toEqual([]);
  });
});

describe('a member that does not read its session', () => {
  it('is cut off, and what waits for it is bounded', async () => {
    const port = await start();
    const { certificate, privateKey } = await joinAsWorker(port);
    const options = { rejectUnauthorized: false, cert: certificate, key: privateKey };
    const client = connectHttp2(`https://${port.addr}`, options);
    client.on('error', () => undefined);
    const call = client.request({
      ':method': 'POST',
      ':path': '/bale.v1.Dispatcher/Session',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    call.on('error', () => undefined);
    const { stream } = await port.nextSession();
    const end = new Promise<Error | undefined>((resolve) => {
      stream.onEnd(resolve);
    });
    const gone = new Promise((resolve) => client.once('close', resolve));
    const table = { number: 1, clusterId: 'x'.repeat(100_000), nodes: [], ports: [] };
    for (let count = 0; count < 600; count += 1) stream.send({ kind: 'endpoints', table });
    expect(await end).toMatchObject({ code: 'BALE_SESSION_STUCK' });
    await gone;
  });
});

describe('a connection that is cut without a word', () => {
  it('ends the session on both sides within seconds', async () => {
    const port = await start();
    const identity = await joinAsWorker(port);
    const wire: Socket[] = [];
    const proxy = createServer((near) => {
      const far = createConnection(address(port));
      near.pipe(far).pipe(near);
      wire.push(near, far);
    });
    const session = openSession(await listening(proxy), new IdentitySource(identity));
    const { stream } = await port.nextSession();
    const ends = [session, stream].map(
      (side) =>
        new Promise<Error | undefined>((resolve) => {
          side.onEnd(resolve);
        }),
    );
    for (const socket of wire) {
      socket.unpipe();
      socket.pause();
    }
    expect(await ends[0]).toMatchObject({ code: 'BALE_MANAGER_UNREACHABLE' });
    expect(await ends[1]).toMatchObject({ code: 'BALE_SESSION_BROKEN' });
    for (const socket of wire) socket.destroy();
    proxy.close();
  });
});

describe('a manager that does not answer', () => {
  it('is named, with what to check', async () => {
    const silent = await start({ ...STRANGER_LIMITS, handshake: 60_000, lifetime: 60_000 });
    // A port that takes connections and says nothing.
    const held: Socket[] = [];
    const server = createServer((socket) => held.push(socket));
    const addr = await listening(server);
    const ended = new Promise<Error | undefined>((resolve) => {
      openSession(addr, new IdentitySource(silent.ca.identity('n1'))).onEnd(resolve);
    });
    const joined = enrol({
      managers: [addr],
      token: silent.workerToken(),
      availability: '',
      privateKey: newJoinKey(),
      signal: AbortSignal.timeout(20_000),
    });
    await expect(joined).rejects.toMatchObject({
      code: 'BALE_MANAGER_UNREACHABLE',
      message: expect.stringContaining(`cannot reach the manager at ${addr}: no answer. Check`) as string,
    });
    expect(await ended).toMatchObject({ code: 'BALE_MANAGER_UNREACHABLE' });
    for (const socket of held) socket.destroy();
    server.close();
  });

  it('is not a bale manager: said so', async () => {
    const silent = await start();
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const addr = await listening(server);
    const joined = enrol({
      managers: [addr],
      token: silent.workerToken(),
      availability: '',
      privateKey: newJoinKey(),
      signal: AbortSignal.timeout(20_000),
    });
    await expect(joined).rejects.toMatchObject({
      message: expect.stringContaining('what listens there is not a bale manager') as string,
    });
    server.close();
  });
});
