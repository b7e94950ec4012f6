import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint, Hold } from '../../proto/endpoint-table.js';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

const HOLD: Hold = { ms: 20_000, reason: 'it has no running replica' };

let ca: TestCa;
let node: MeshNode;
let replicas: Replica[];
let agent: Agent;

beforeEach(async () => {
  ca = await TestCa.create();
  node = await MeshNode.start(ca.identity('node1'));
  replicas = [];
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});

afterEach(async () => {
  agent.destroy();
  await node.close();
  await Promise.all(replicas.map((replica) => replica.stop().catch(() => undefined)));
});

async function replica(starting: Promise<Replica>): Promise<Replica> {
  const started = await starting;
  replicas.push(started);
  node.setLocals(replicas.map(({ local }) => local));
  return started;
}

const publish = (endpoints: readonly Endpoint[], mode: 'auto' | 'tcp' | 'http' = 'auto', hold = HOLD): Promise<void> =>
  node.setTable(endpointTable(ca.clusterId, [node.peer], [publishedPort(endpoints, { mode, hold })]));

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

/** GET or, with `body`, POST. */
function ask(options: { readonly agent?: Agent; readonly body?: Buffer } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = options.body === undefined ? 'GET' : 'POST';
    const sent = request({ host: node.address, port: 8080, method, agent: options.agent ?? false }, (answer) => {
      let body = '';
      answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
      answer.once('error', reject);
      answer.once('end', () => {
        resolve({ status: answer.statusCode ?? 0, body, retryAfter: answer.headers['retry-after'] });
      });
    });
    sent.once('error', reject);
    sent.end(options.body);
  });
}

function client(): Socket {
  return connect({ host: node.address, port: 8080, allowHalfOpen: true });
}

async function text(socket: Socket): Promise<string> {
  let heard = '';
  for await (const chunk of socket) heard += String(chunk);
  return heard;
}

/** Resolves when the mesh has accepted that many connections. */
const accepted = (count: number): Promise<void> => expect.poll(() => node.mesh.open.clients).toBe(count);

describe('a single replica that is stopped before its successor starts', () => {
  test('costs no HTTP client an answer, and gets nothing once it drains', async () => {
    let served = 0;
    const old = await replica(
      Replica.http('old', 'node1', (incoming, outgoing) => {
        served += 1;
        incoming.resume();
        incoming.once('end', () => outgoing.end('old'));
      }),
    );
    await publish([old.endpoint()]);
    expect((await ask({ agent })).body).toBe('old');
    await publish([old.endpoint('draining')]);
    const then = served;
    const held = [ask({ agent }), ask(), ask({ body: Buffer.alloc(1024 * 1024, 'x') })];
    await accepted(3);
    await publish([]);
    await old.stop();
    const next = await replica(Replica.http('next', 'node1'));
    await publish([next.endpoint()]);
    expect((await Promise.all(held)).map(({ body }) => body)).toEqual(['next', 'next', 'next']);
    expect(served).toBe(then);
    expect(node.daemon.reports.filter(({ inFlight }) => inFlight.old !== undefined)).toEqual([]);
  });

  test.each(['auto', 'tcp'] as const)('costs no TCP client its connection (%s)', async (mode) => {
    const old = await replica(Replica.tcp('old', 'node1', (socket) => socket.pipe(socket)));
    await publish([old.endpoint()], mode);
    await publish([old.endpoint('draining')], mode);
    const speaks = client();
    speaks.end('\0binary');
    const listens = client();
    await accepted(2);
    await publish([], mode);
    const next = await replica(
      Replica.tcp('next', 'node1', (socket) => {
        socket.write('hello ');
        socket.pipe(socket);
      }),
    );
    await publish([next.endpoint()], mode);
    expect(await text(speaks)).toBe('hello \0binary');
    await new Promise((resolve) => listens.once('data', resolve));
    listens.destroy();
    await expect.poll(() => node.mesh.open).toMatchObject({ clients: 0, inFlight: 0 });
  });

  test('a request of which only a part has come does not hold it up', async () => {
    const old = await replica(Replica.http('old', 'node1'));
    await publish([old.endpoint()]);
    const socket = client();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    await expect.poll(() => old.connections).toBe(1);
    await publish([old.endpoint('draining')]);
    await node.daemon.until(() => node.daemon.last?.inFlight.old === undefined);
    await old.idle();
    const next = await replica(Replica.http('next', 'node1'));
    await publish([next.endpoint()]);
    socket.write('Connection: close\r\n\r\n');
    expect(await text(socket)).toMatch(/next$/);
  });
});

describe('new work without a replica', () => {
  test('waits for the first one of a new service', async () => {
    await publish([]);
    const held = ask();
    await accepted(1);
    const first = await replica(Replica.http('first', 'node1'));
    await publish([first.endpoint()]);
    expect((await held).body).toBe('first');
  });

  test('is refused after the time that the service gives, with the reason', async () => {
    await publish([], 'auto', { ...HOLD, ms: 400 });
    const { status, body, retryAfter } = await ask();
    expect(status).toBe(503);
    const waited = /^bale: service web, port 8080: it has no running replica \(waited ([\d.]+) s\)\n$/.exec(body)?.[1];
    expect(Number(waited)).toBeGreaterThanOrEqual(0.4);
    expect(retryAfter).toBe('5');
  });

  test('is refused at once when the service is scaled to 0, also what waits already', async () => {
    await publish([]);
    const held = ask();
    const silent = client();
    const cut = new Promise<Error>((resolve) => silent.once('error', resolve));
    await accepted(2);
    const hold = { ms: 0, reason: 'it is scaled to 0' };
    await publish([], 'auto', hold);
    const refused = { status: 503, body: 'bale: service web, port 8080: it is scaled to 0\n', retryAfter: '5' };
    expect(await held).toEqual(refused);
    expect(await ask()).toEqual(refused);
    expect((await cut).message).toMatch(/ECONNRESET/);
    await publish([], 'tcp', hold);
    const late = client();
    const error = await new Promise<Error>((resolve) => late.once('error', resolve));
    expect(error.message).toMatch(/ECONNRESET/);
  });

  test.each([
    ['a silent client', 'auto', ''],
    ['one of which nothing is known', 'tcp', ''],
    ['half a request', 'auto', 'GET / HT'],
    ['a request', 'auto', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a request', 'http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an upgrade', 'http', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['opaque bytes', 'tcp', '\0'],
  ] as const)('%s that hangs up while it waits leaves at once (%s)', async (_what, mode, words) => {
    await publish([], mode);
    const reset = client();
    if (words !== '') reset.write(words);
    await accepted(1);
    reset.resetAndDestroy();
    await accepted(0);
    if (words === '\0' || words === 'GET / HT') return; // An end may be that of one direction only.
    const ended = client();
    ended.resume();
    ended.once('error', () => undefined);
    if (words !== '') ended.write(words);
    await accepted(1);
    ended.end();
    await accepted(0);
    ended.destroy();
  });
});
