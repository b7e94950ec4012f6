import { Agent, request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestCa } from '../support/identities.js';
import { endpointTable, MeshNode, publishedPort } from '../support/mesh-node.js';
import { Replica } from '../support/replica.js';

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

async function publish(list: readonly Replica[], mode: 'auto' | 'http' = 'auto'): Promise<void> {
  for (const replica of list) if (!replicas.includes(replica)) replicas.push(replica);
  node.setLocals(list.map(({ local }) => local));
  const endpoints = list.map((replica) => replica.endpoint());
  await node.setTable(endpointTable(ca.clusterId, [node.peer], [publishedPort(endpoints, { mode })]));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly trailers: IncomingMessage['trailers'];
  readonly body: string;
}

function ask(options: RequestOptions = {}, body?: Buffer | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: node.address, port: 8080, agent, ...options }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const { statusCode = 0, headers, trailers } = answer;
        resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks).toString() });
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

const three = (): Promise<Replica[]> =>
  Promise.all(['task1', 'task2', 'task3'].map((taskId) => Replica.http(taskId, 'node1')));

describe('balancing', () => {
  test.each(['auto', 'http'] as const)('requests of one keep-alive client go round the replicas (%s)', async (mode) => {
    await publish(await three(), mode);
    const bodies: string[] = [];
    for (let index = 0; index < 9; index += 1) bodies.push((await ask()).body);
    expect(bodies).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3].map((number) => `task${number}`));
    expect(node.mesh.open.clients).toBe(1);
  });

  test('connections to replicas are reused for requests that may be repeated', async () => {
    const list = await three();
    await publish(list);
    for (let index = 0; index < 12; index += 1) await ask();
    expect(list.map(({ connections }) => connections)).toEqual([1, 1, 1]);
    expect(node.mesh.open).toMatchObject({ idle: 3, inFlight: 0 });
  });

  test('a replica that starts draining gets no further request, also from a keep-alive client', async () => {
    const list = await three();
    await publish(list);
    await ask();
    const endpoints = list.map((replica, index) => replica.endpoint(index === 1 ? 'draining' : 'active'));
    await node.setTable(endpointTable(ca.clusterId, [node.peer], [publishedPort(endpoints)]));
    const bodies = new Set<string>();
    for (let index = 0; index < 6; index += 1) bodies.add((await ask()).body);
    expect([...bodies].sort()).toEqual(['task1', 'task3']);
    expect(list[1]?.connections).toBe(0);
  });
});

describe('failures', () => {
  test('a POST of 1 MiB reaches a live replica although others refuse', async () => {
    const live = await Replica.http('live', 'node1', (incoming, outgoing) => {
      let size = 0;
      incoming.on('data', (chunk: Buffer) => (size += chunk.length));
      incoming.once('end', () => outgoing.end(String(size)));
    });
    await publish([Replica.dead('dead1', 'node1'), live, Replica.dead('dead2', 'node1')]);
    const body = Buffer.alloc(1024 * 1024, 'x');
    for (let index = 0; index < 5; index += 1) {
      expect(await ask({ method: 'POST' }, body)).toMatchObject({ status: 200, body: String(body.length) });
    }
  });

  test('502, 503 and their reason name service and port', async () => {
    await node.close();
    node = await MeshNode.start(ca.identity('node1'), 300);
    await publish([Replica.dead('dead1', 'node1')]);
    const refused = await ask();
    expect(refused.status).toBe(502);
    expect(refused.body).toMatch(/^bale: service web, port 8080: .*ECONNREFUSED.*\n$/);
    await publish([]);
    const none = await ask();
    expect(none.status).toBe(503);
    expect(none.body).toMatch(/^bale: service web, port 8080: it has no running replica \(waited [\d.]+ s\)\n$/);
    expect(none.headers['retry-after']).toBe('5');
  });

  test('a request waits for the replica that is just being started', async () => {
    await publish([]);
    const answer = ask();
    await publish([await Replica.http('task1', 'node1')]);
    expect((await answer).body).toBe('task1');
  });

  test('a GET over a reused connection that the replica just closed is sent again, a POST never goes over one', async () => {
    let served = 0;
    const replica = await Replica.http('task1', 'node1', (incoming, outgoing) => {
      served += 1;
      // Each connection is reset when its second request arrives.
      if (Reflect.get(incoming.socket, 'used') === true) {
        incoming.socket.resetAndDestroy();
        return;
      }
      Reflect.set(incoming.socket, 'used', true);
      incoming.resume();
      incoming.once('end', () => outgoing.end('ok'));
    });
    await publish([replica]);
    expect((await ask()).body).toBe('ok');
    expect((await ask()).body).toBe('ok');
    expect(served).toBe(3);
    for (let index = 0; index < 3; index += 1) expect((await ask({ method: 'POST' }, 'x')).body).toBe('ok');
    expect(served).toBe(6);
  });

  test('an answer that breaks off never looks complete', async () => {
    for (const headers of [{ 'Content-Length': '100' }, {}]) {
      await publish([
        await Replica.http('task1', 'node1', (_incoming, outgoing) => {
          outgoing.writeHead(200, headers);
          outgoing.write('half');
          setTimeout(() => outgoing.socket?.resetAndDestroy(), 20);
        }),
      ]);
      await expect(ask()).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    }
    await expect.poll(() => node.mesh.open.inFlight).toBe(0);
  });

  test('when the client goes, the request at the replica goes too', async () => {
    let sent: ClientRequest | undefined;
    const gone = new Promise<void>((resolve, reject) => {
      Replica.http('task1', 'node1', (incoming) => {
        incoming.socket.once('close', () => {
          resolve();
        });
        sent?.destroy();
      })
        .then(async (replica) => {
          await publish([replica]);
          sent = request({ host: node.address, port: 8080, agent: false }).on('error', () => undefined);
          sent.end();
        })
        .catch(reject);
    });
    await gone;
  });

  test('a request that is no HTTP after a proper first line is told so', async () => {
    await publish(await three());
    const socket = connect(8080, node.address);
    socket.end('GET / HTTP/1.1\r\nbroken header\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 400 /);
  });
});

describe('fidelity', () => {
  test('forwarded headers are set afresh, hop-by-hop ones are not passed on, the path is untouched', async () => {
    await publish([
      await Replica.http('task1', 'node1', (incoming, outgoing) => {
        outgoing.writeHead(200, {
          'X-Twice': ['a', 'b'],
          'Keep-Alive': 'timeout=9',
          'X-Hop': '1',
          Connection: 'X-Hop',
        });
        outgoing.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }));
      }),
    ]);
    const answer = await ask({
      path: '/a//b/../c?x=http://y//z&%20',
      headers: {
        Host: 'shop.example:8080',
        'X-Forwarded-For': '6.6.6.6',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil',
        'X-Secret-Hop': '1',
        Connection: 'X-Secret-Hop',
        Te: 'trailers',
      },
    });
    const seen = JSON.parse(answer.body) as { url: string; headers: Record<string, string> };
    expect(seen.url).toBe('/a//b/../c?x=http://y//z&%20');
    expect(seen.headers).toMatchObject({
      host: 'shop.example:8080',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example:8080',
      'x-forwarded-port': '8080',
    });
    expect(seen.headers).not.toHaveProperty('x-secret-hop');
    expect(answer.headers['x-twice']).toBe('a, b');
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(answer.headers['keep-alive']).not.toBe('timeout=9');
  });

  test('chunks and trailers pass both ways, also of a DELETE with a body', async () => {
    await publish([
      await Replica.http('task1', 'node1', (incoming, outgoing) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.once('end', () => {
          outgoing.writeHead(200, { Trailer: 'X-Sum' });
          outgoing.write(`${incoming.method ?? ''} ${Buffer.concat(chunks).toString()} `);
          outgoing.write(JSON.stringify(incoming.trailers));
          outgoing.addTrailers({ 'X-Sum': '42' });
          outgoing.end();
        });
      }),
    ]);
    const answer = await new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          host: node.address,
          port: 8080,
          agent,
          method: 'DELETE',
          headers: { 'Transfer-Encoding': 'chunked', Trailer: 'X-End' },
        },
        (incoming) => {
          let body = '';
          incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
          incoming.once('end', () => {
            const { statusCode = 0, headers, trailers } = incoming;
            resolve({ status: statusCode, headers, trailers, body });
          });
        },
      );
      sent.once('error', reject);
      sent.write('one');
      sent.write('two');
      sent.addTrailers({ 'X-End': 'yes' });
      sent.end();
    });
    expect(answer.body).toBe('DELETE onetwo {"x-end":"yes"}');
    expect(answer.trailers).toEqual({ 'x-sum': '42' });
    expect((await ask()).body).toBe('GET  {}');
  });

  test('the head of an answer does not wait for its body', async () => {
    let finish: () => void = () => undefined;
    await publish([
      await Replica.http('task1', 'node1', (_request, response) => {
        response.setHeader('content-type', 'text/event-stream');
        response.flushHeaders();
        finish = () => response.end('event');
      }),
    ]);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request({ host: node.address, port: 8080, agent }, resolve).once('error', reject).end();
    });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    finish();
    let body = '';
    for await (const chunk of answer) body += String(chunk);
    expect(body).toBe('event');
  });

  test('HEAD, 204 and 304 have no body and keep the connection', async () => {
    await publish([
      await Replica.http('task1', 'node1', (incoming, outgoing) => {
        outgoing.writeHead(Number(incoming.url?.slice(1)), { 'Content-Type': 'text/plain' });
        outgoing.end(incoming.method === 'HEAD' || incoming.url === '/200' ? 'body' : undefined);
      }),
    ]);
    expect(await ask({ method: 'HEAD', path: '/200' })).toMatchObject({ status: 200, body: '' });
    expect(await ask({ path: '/204' })).toMatchObject({ status: 204, body: '' });
    expect(await ask({ path: '/304' })).toMatchObject({ status: 304, body: '' });
    expect(await ask({ path: '/200' })).toMatchObject({ status: 200, body: 'body' });
    expect(node.mesh.open.clients).toBe(1);
  });

  test('Expect: 100-continue is the answer of the replica, not of the mesh', async () => {
    const replica = await Replica.http('task1', 'node1');
    replicas.push(replica);
    await replica.stop();
    const strict = await Replica.http('task2', 'node1', (incoming, outgoing) => {
      if (incoming.url === '/no') {
        outgoing.writeHead(413, { Connection: 'close' });
        outgoing.end('too large');
        return;
      }
      outgoing.writeContinue();
      incoming.resume();
      incoming.once('end', () => outgoing.end('taken'));
    });
    await publish([strict]);
    const send = (path: string): Promise<{ continued: boolean; status: number }> =>
      new Promise((resolve, reject) => {
        let continued = false;
        const sent = request(
          {
            host: node.address,
            port: 8080,
            method: 'PUT',
            path,
            headers: { Expect: '100-continue', 'Content-Length': 4 },
          },
          (incoming) => {
            incoming.resume();
            incoming.once('end', () => {
              resolve({ continued, status: incoming.statusCode ?? 0 });
            });
          },
        );
        sent.flushHeaders();
        sent.once('error', reject);
        sent.once('continue', () => {
          continued = true;
          sent.end('body');
        });
      });
    expect(await send('/yes')).toEqual({ continued: true, status: 200 });
  });

  test('a client of HTTP/1.0 gets an answer that ends with the connection', async () => {
    await publish([
      await Replica.http('task1', 'node1', (_incoming, outgoing) => {
        outgoing.write('in ');
        outgoing.end('chunks');
      }),
    ]);
    const socket = connect(8080, node.address);
    socket.write('GET / HTTP/1.0\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text.endsWith('\r\n\r\nin chunks')).toBe(true);
  });

  test('pipelined requests are answered in order', async () => {
    await publish([await Replica.http('task1', 'node1', (incoming, outgoing) => outgoing.end(incoming.url))]);
    const socket = connect(8080, node.address);
    socket.write('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(
      Buffer.concat(chunks)
        .toString()
        .match(/\/[12]$|\/1(?=HTTP)/gm),
    ).toEqual(['/1', '/2']);
  });
});
