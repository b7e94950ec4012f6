import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingMessage, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { IdentitySource } from '../../core/identity.js';
import { StreamDialler } from '../../proto/stream-dialler.js';
import { startCluster, type TestCluster } from '../support/cluster.js';
import { EngineServer } from '../support/engine-server.js';
import { eventually } from '../support/eventually.js';

const CONTAINER = 'c'.repeat(64);
const FOREIGN = 'f'.repeat(64);
const EXEC = 'e'.repeat(64);
const LABEL = 'com.docker.swarm.node.id';

const never = new AbortController().signal;

/** A manager and one worker over mTLS; the worker's Engine is a small one with a container of its own and a foreign one. */
let cluster: TestCluster;
let engine: EngineServer;
let directory: string;
let worker: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bale-streams-'));
  engine = new EngineServer(join(directory, 'engine.sock'));
  await engine.start();
  cluster = await startCluster({ workers: 1, engineSocket: engine.socketPath });
  worker = cluster.workers[0]?.id ?? '';
});

beforeEach(() => {
  serve((call, response) => {
    response.end(`${call.method ?? ''} ${call.url ?? ''}`);
  });
});

afterAll(async () => {
  await cluster.close();
  await engine.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The Engine describes its containers, and answers everything else as `behave` does. */
function serve(behave: EngineServer['behave']): void {
  engine.behave = (call, response) => {
    const document = documentOf(call.method === 'GET' ? (call.url ?? '') : '');
    if (document === undefined) {
      behave(call, response);
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(document));
  };
}

function documentOf(url: string): object | undefined {
  switch (url) {
    case `/containers/${CONTAINER}/json`:
    case '/containers/web.1.x/json':
      return { Id: CONTAINER, Config: { Labels: { [LABEL]: worker } } };
    case `/containers/${FOREIGN}/json`:
      return { Id: FOREIGN, Config: { Labels: { [LABEL]: 'another' } } };
    case `/exec/${EXEC}/json`:
      return { ID: EXEC, ContainerID: CONTAINER };
    case '/exec/foreign/json':
      return { ID: 'foreign', ContainerID: FOREIGN };
    default:
      return undefined;
  }
}

/** The agent may be on its way back from what an earlier test did. */
const untilStreams = (): Promise<unknown> =>
  eventually('a stream', async () => {
    const stream = await open().catch(() => undefined);
    stream?.destroy();
    return stream !== undefined;
  });

const open = (nodeId = worker, signal = never): Promise<Duplex> => cluster.manager.streams.open(nodeId, signal);

/** One request on a stream of its own. */
async function ask(method: string, path: string, options: RequestOptions = {}): Promise<IncomingMessage> {
  const stream = await open();
  const call = request({ ...options, createConnection: () => stream, method, path });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  // What breaks later is told by the answer.
  call.on('error', () => undefined);
  return answer;
}

async function textOf(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const failureOf = (stream: Duplex): Promise<string> =>
  new Promise((resolve) => {
    stream.once('error', (error) => {
      resolve(error.message);
    });
  });

describe('a stream to the Engine of a node', () => {
  test('carries a request and its answer', async () => {
    const answer = await ask('GET', `/containers/${CONTAINER}/logs?stdout=1`);
    expect(answer.statusCode).toBe(200);
    expect(await textOf(answer)).toBe(`GET /containers/${CONTAINER}/logs?stdout=1`);
  });

  test('asks for a container under its id when it was named otherwise', async () => {
    expect(await textOf(await ask('GET', '/v1.41/containers/web.1.x/top'))).toBe(
      `GET /v1.41/containers/${CONTAINER}/top`,
    );
  });

  test('serves several requests, one after the other, on one connection', async () => {
    const stream = await open();
    for (const verb of ['top', 'stats']) {
      const call = request({
        createConnection: () => stream,
        path: `/containers/${CONTAINER}/${verb}`,
        headers: { Connection: 'keep-alive' },
      });
      call.end();
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      expect(await textOf(answer)).toContain(verb);
    }
    stream.destroy();
  });

  test.each([
    ['GET', `/containers/${FOREIGN}/logs`],
    ['POST', `/containers/${FOREIGN}/attach`],
    ['POST', '/exec/foreign/start'],
    ['POST', `/containers/${CONTAINER}/stop`],
    ['DELETE', `/containers/${CONTAINER}`],
    ['GET', '/containers/json'],
    ['POST', '/containers/create'],
    ['GET', '/info'],
    ['GET', `/containers/../containers/${FOREIGN}/logs`],
    ['GET', `/containers/${CONTAINER}%2f..%2f${FOREIGN}/logs`],
  ])('refuses %s %s with 403', async (method, path) => {
    const answer = await ask(method, path);
    expect(answer.statusCode).toBe(403);
    expect(JSON.parse(await textOf(answer))).toHaveProperty('message');
  });

  test('passes on the words of an Engine that does not know a container', async () => {
    serve((_call, response) => {
      response.writeHead(404, { 'Content-Type': 'application/json' });
      response.end('{"message":"No such container: gone"}\n');
    });
    const answer = await ask('GET', '/containers/gone/logs');
    expect(answer.statusCode).toBe(404);
    expect(await textOf(answer)).toBe('{"message":"No such container: gone"}\n');
  });

  test('says that the Engine does not answer', async () => {
    await engine.stop();
    const answer = await ask('GET', `/containers/${CONTAINER}/logs`);
    expect(answer.statusCode).toBe(503);
    expect(await textOf(answer)).toContain('the Docker Engine does not answer');
    await engine.start();
  });

  test('becomes raw for an exec, each direction with an end of its own', async () => {
    engine.upgrade = (_call, socket, head) => {
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
      const input: Buffer[] = [head];
      socket.on('data', (chunk: Buffer) => input.push(chunk));
      // The answer comes only after the input ended: the way back must still be open then.
      socket.on('end', () => socket.end(`got ${Buffer.concat(input).toString()}`));
    };
    const stream = await open();
    const body = '{"Detach":false,"Tty":false}';
    const call = request({
      createConnection: () => stream,
      method: 'POST',
      path: `/exec/${EXEC}/start`,
      headers: { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': body.length },
    });
    call.write(body);
    call.flushHeaders();
    const [, socket, head] = (await once(call, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
    socket.end('input');
    expect(head.toString() + (await textOf(socket as AsyncIterable<Buffer>))).toBe(`got ${body}input`);
  });

  test('refuses an upgrade of a foreign container', async () => {
    const stream = await open();
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp' };
    const call = request({
      createConnection: () => stream,
      method: 'POST',
      path: `/containers/${FOREIGN}/attach`,
      headers,
    });
    call.end();
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(403);
    answer.resume();
  });

  test('carries a large upload and a large answer whole', async () => {
    const size = 3 * 1024 * 1024;
    let received = 0;
    serve((call, response) => {
      call.on('data', (chunk: Buffer) => (received += chunk.length));
      call.on('end', () => response.end(Buffer.alloc(size, 'x')));
    });
    const stream = await open();
    const call = request({
      createConnection: () => stream,
      method: 'PUT',
      path: `/containers/${CONTAINER}/archive?path=/`,
    });
    call.end(Buffer.alloc(size, 'y'));
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    expect((await textOf(answer)).length).toBe(size);
    expect(received).toBe(size);
  });

  test('stops the Engine when nobody reads its answer, and others go on', async () => {
    let written = 0;
    let waits = false;
    const chunk = Buffer.alloc(64 * 1024);
    serve((call, response) => {
      if (call.url?.endsWith('/top') === true) {
        response.end('quick');
        return;
      }
      const pump = (): void => {
        do {
          written += chunk.length;
          waits = !response.write(chunk);
        } while (!waits);
      };
      response.on('drain', () => {
        waits = false;
        pump();
      });
      pump();
    });
    const answer = await ask('GET', `/containers/${CONTAINER}/logs?follow=1`);
    let last = -1;
    await eventually('the Engine to be held back', () => {
      const still = waits && written === last;
      last = written;
      return Promise.resolve(still);
    });
    expect(written).toBeLessThan(8 * 1024 * 1024);
    expect(await textOf(await ask('GET', `/containers/${CONTAINER}/top`))).toBe('quick');
    const held = written;
    answer.resume();
    await eventually('the Engine to be read on', () => Promise.resolve(written > held + 4 * 1024 * 1024));
    answer.destroy();
  });

  test('stops the writer when the Engine does not read', async () => {
    let engineSide: Duplex | undefined;
    engine.upgrade = (_call, socket) => {
      engineSide = socket;
      socket.pause();
      socket.write('HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n');
    };
    const stream = await open();
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp' };
    const call = request({
      createConnection: () => stream,
      method: 'POST',
      path: `/containers/${CONTAINER}/attach`,
      headers,
    });
    call.end();
    const [, socket] = (await once(call, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
    let taken = 0;
    const piece = Buffer.alloc(64 * 1024);
    const feed = (): void => {
      socket.write(piece, (error) => {
        if (error) return;
        taken += piece.length;
        feed();
      });
    };
    feed();
    let last = -1;
    await eventually('the writer to be held back', () => {
      const still = taken > 0 && taken === last;
      last = taken;
      return Promise.resolve(still);
    });
    expect(taken).toBeLessThan(8 * 1024 * 1024);
    // The end of the stream reaches the other side although it is behind data that nobody takes.
    socket.destroy();
    await eventually('the connection to the Engine to close', () => {
      engineSide?.write('x');
      return Promise.resolve(engineSide?.destroyed);
    });
  });

  test('is closed at the Engine when the manager closes it', async () => {
    const closed = new Promise<void>((resolve) => {
      serve((_call, response) => {
        response.writeHead(200);
        response.write('first');
        response.on('close', resolve);
      });
    });
    const answer = await ask('GET', `/containers/${CONTAINER}/logs?follow=1`);
    await once(answer, 'data');
    answer.destroy();
    await closed;
  });

  test('breaks when the Engine goes away in the middle of an answer', async () => {
    serve((_call, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('first');
    });
    const answer = await ask('GET', `/containers/${CONTAINER}/logs`);
    await once(answer, 'data');
    const broken = once(answer, 'error');
    await engine.stop();
    await broken;
    expect(answer.complete).toBe(false);
    await engine.start();
  });

  test('ends with a message when the agent dies, and a new one opens streams again', async () => {
    const machine = cluster.machine(worker);
    const failure = failureOf(await open());
    machine.kill();
    expect(await failure).toMatch(/the connection to node .* is lost/);
    await expect(open()).rejects.toMatchObject({ code: 'BALE_NODE_DISCONNECTED' });
    await machine.startAgent();
    await untilStreams();
  });

  test('ends with a message when the manager stops, at both sides', async () => {
    const closed = new Promise<void>((resolve) => {
      serve((_call, response) => {
        response.writeHead(200);
        response.write('first');
        response.on('close', resolve);
      });
    });
    const stream = await open();
    const call = request({ createConnection: () => stream, path: `/containers/${CONTAINER}/logs?follow=1` });
    call.on('error', () => undefined);
    call.end();
    await once(call, 'response');
    const failure = failureOf(stream);
    await cluster.restartManager();
    expect(await failure).toContain('the manager stops');
    await closed;
  });
});

describe('a stream is refused', () => {
  test('for a node that nobody knows or that is gone', async () => {
    await expect(open('nobody')).rejects.toMatchObject({ code: 'BALE_NODE_DISCONNECTED', kind: 'unavailable' });
  });

  test('for an agent that offers none', async () => {
    const other = await startCluster({ workers: 0 });
    try {
      const id = other.nodes[0]?.id ?? '';
      await other.untilNode(id, 'ready');
      await expect(other.manager.streams.open(id, never)).rejects.toMatchObject({ code: 'BALE_STREAMS_UNSUPPORTED' });
    } finally {
      await other.close();
    }
  });

  test('when the request is called off, before and while it waits', async () => {
    await untilStreams();
    await expect(open(worker, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    const abort = new AbortController();
    const opening = open(worker, abort.signal);
    abort.abort();
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('to a peer that opens one nobody waits for', async () => {
    const dialler = new StreamDialler(new IdentitySource(cluster.machine(worker).identity));
    const stream = dialler.open(cluster.addr, 'guessed');
    const [error] = (await once(stream, 'error')) as [unknown];
    dialler.close();
    expect(error).toMatchObject({ code: 'BALE_STREAM_UNKNOWN', kind: 'not-found' });
  });
});
